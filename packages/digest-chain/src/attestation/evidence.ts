import { CONCURRENCY } from '../../../kit/src/concurrent.ts';
import type { Digest } from '../digest.ts';
import { SIMPLE_SIGNING } from '../media-types.ts';
import type { RawManifest, Registry, Repository } from '../registry/registry.ts';
import type { CertificateIdentity } from '../signature/keyless.ts';
import type { VerificationKey } from '../signature/keys.ts';
import { type Claim, readClaim } from './document.ts';
import { attempt, findSignedBlobs, type Rejection, type SignedBlob } from './signature-manifests.ts';

/** Limits for each image: a registry can hold any number of signatures, by anyone. What is beyond is not read. */
export const MAX_DOCUMENTS: number = 64;
/** Bytes. */
export const MAX_DOCUMENT_SIZE: number = 16 * 1024 * 1024;
/** Bytes, of all documents. */
const MAX_TOTAL_SIZE = 64 * 1024 * 1024;
const MAX_PAYLOAD_SIZE = 64 * 1024;

/** A claim, and where it was found. */
export type FoundClaim = Claim & { readonly source: string };

/** What is signed about an image, in the registry's order. */
export interface Evidence {
  /** Signed by one of those who may, and about this image. */
  readonly claims: readonly FoundClaim[];
  /** What was found and does not count; what was not read. */
  readonly rejected: readonly Rejection[];
}

/**
 * Reads what is signed about images: cosign's tags `sha256-<hex>.sig` and `.att`, and referrers (sigstore bundles,
 * cosign's own). Any of the keys and of the identities may have signed; of what a key
 * signed no certificate and no transparency log is checked.
 */
export class EvidenceReader {
  readonly keys: readonly VerificationKey[];
  readonly identities: readonly CertificateIdentity[];
  readonly #registry: Registry;
  // Chains pushes one attestation to every image of a run: it is read and verified once. What does not name its image
  // itself (a bundle may hold a signature of the image's bytes) is read for each.
  readonly #known = new Map<Digest, Claim>();

  constructor(registry: Registry, keys: readonly VerificationKey[], identities: readonly CertificateIdentity[] = []) {
    this.#registry = registry;
    this.keys = keys;
    this.identities = identities;
  }

  /** Everything signed about the image with this manifest. Throws only where the registry can't be asked. */
  async read(repository: Repository, image: RawManifest): Promise<Evidence> {
    const rejected: Rejection[] = [];
    const found = await findSignedBlobs(this.#registry, repository, image.digest, rejected);
    const blobs = withinLimits(found);
    const claims: FoundClaim[] = [];
    for (const batch of batchesOf(blobs)) {
      for (const read of await Promise.all(batch.map((blob) => this.#readBlob(repository, image, blob)))) {
        claims.push(...read.claims);
        rejected.push(...read.rejected);
      }
    }
    const beyond = found[blobs.length];
    if (beyond !== undefined) {
      const reason = `not read: more than ${MAX_DOCUMENTS} documents, or ${MAX_TOTAL_SIZE} bytes`;
      rejected.push({ source: beyond.source, reason });
    }
    return { claims, rejected };
  }

  async #readBlob(repository: Repository, image: RawManifest, blob: SignedBlob): Promise<Evidence> {
    const { source } = blob;
    const rejected: Rejection[] = [];
    const claim = await attempt(source, rejected, () => this.#claim(repository, image, blob));
    if (claim?.subjects.has(image.digest)) return { claims: [{ ...claim, source }], rejected };
    if (claim !== undefined) rejected.push({ source, reason: 'it is about another image' });
    return { claims: [], rejected };
  }

  async #claim(repository: Repository, image: RawManifest, blob: SignedBlob): Promise<Claim> {
    const limit = blob.mediaType === SIMPLE_SIGNING ? MAX_PAYLOAD_SIZE : MAX_DOCUMENT_SIZE;
    const known = this.#known.get(blob.digest);
    if (known !== undefined) return known;
    const bytes = await this.#registry.getBlob(repository, blob, { limit });
    const claim = await readClaim({ ...blob, bytes }, image, this.keys, this.identities);
    if (claim.provenance !== undefined) this.#known.set(blob.digest, claim);
    return claim;
  }
}

/** The documents that are read. */
function withinLimits(blobs: readonly SignedBlob[]): readonly SignedBlob[] {
  let size = 0;
  const beyond = blobs.findIndex((blob, index) => {
    size += blob.size;
    return index >= MAX_DOCUMENTS || size > MAX_TOTAL_SIZE;
  });
  return beyond === -1 ? blobs : blobs.slice(0, beyond);
}

/** What is read at the same time: a slow registry is not waited for once a document, and no more is held than one may be. */
function batchesOf(blobs: readonly SignedBlob[]): readonly (readonly SignedBlob[])[] {
  const batches: SignedBlob[][] = [];
  let size = 0;
  for (const blob of blobs) {
    const last = batches.at(-1);
    size += blob.size;
    if (last !== undefined && last.length < CONCURRENCY && size <= MAX_DOCUMENT_SIZE) {
      last.push(blob);
    } else {
      batches.push([blob]);
      size = blob.size;
    }
  }
  return batches;
}
