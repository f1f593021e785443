import type { Digest } from '../digest.ts';
import type { RawManifest, Registry, Repository } from '../registry/registry.ts';
import { type Claim, DSSE_ENVELOPE, readClaim, SIMPLE_SIGNING } from './document.ts';
import type { VerificationKey } from './keys.ts';
import { attempt, findSignedBlobs, type Rejection, type SignedBlob } from './signature-manifests.ts';

/** Limits for each image: a registry can hold any number of signatures, by anyone. What is beyond is not read. */
export const MAX_DOCUMENTS: number = 64;
/** Bytes. */
export const MAX_DOCUMENT_SIZE: number = 16 * 1024 * 1024;
/** Bytes, of all documents. */
export const MAX_TOTAL_SIZE: number = 64 * 1024 * 1024;
const MAX_PAYLOAD_SIZE = 64 * 1024;

/** What is signed about an image. */
export interface Evidence {
  /** Verified with one of the keys, and about this image. */
  readonly claims: readonly (Claim & { readonly source: string })[];
  /** What was found and does not count; what was not read. */
  readonly rejected: readonly Rejection[];
}

/**
 * Reads what is signed about images: cosign's tags `sha256-<hex>.sig` and `.att`, and referrers (sigstore bundles,
 * cosign's own). Signatures are checked with the given keys alone: no certificate and no transparency log is.
 */
export class EvidenceReader {
  readonly keys: readonly VerificationKey[];
  readonly #registry: Registry;
  // Chains pushes one attestation to every image of a run: it is read and verified once.
  readonly #envelopes = new Map<Digest, Claim>();

  constructor(registry: Registry, keys: readonly VerificationKey[]) {
    this.#registry = registry;
    this.keys = keys;
  }

  /** Everything signed about the image with this manifest. Throws only where the registry can't be asked. */
  async read(repository: Repository, image: RawManifest): Promise<Evidence> {
    const claims: (Claim & { readonly source: string })[] = [];
    const rejected: Rejection[] = [];
    let size = 0;
    for (const [index, blob] of (await findSignedBlobs(this.#registry, repository, image.digest, rejected)).entries()) {
      const { source } = blob;
      size += blob.size;
      if (index >= MAX_DOCUMENTS || size > MAX_TOTAL_SIZE) {
        rejected.push({ source, reason: `not read: more than ${MAX_DOCUMENTS} documents, or ${MAX_TOTAL_SIZE} bytes` });
        break;
      }
      const claim = await attempt(source, rejected, () => this.#claim(repository, image, blob));
      if (claim?.subjects.has(image.digest)) claims.push({ ...claim, source });
      else if (claim !== undefined) rejected.push({ source, reason: 'it is about another image' });
    }
    return { claims, rejected };
  }

  async #claim(repository: Repository, image: RawManifest, blob: SignedBlob): Promise<Claim> {
    const limit = blob.mediaType === SIMPLE_SIGNING ? MAX_PAYLOAD_SIZE : MAX_DOCUMENT_SIZE;
    const known = blob.mediaType === DSSE_ENVELOPE ? this.#envelopes.get(blob.digest) : undefined;
    if (known !== undefined) return known;
    const bytes = await this.#registry.getBlob(repository, blob, { limit });
    const claim = readClaim({ ...blob, bytes }, image, this.keys);
    if (blob.mediaType === DSSE_ENVELOPE) this.#envelopes.set(blob.digest, claim);
    return claim;
  }
}
