import { isFinding } from '../check.ts';
import { type Digest, digestAlgorithm, isDigest } from '../digest.ts';
import { at, decodeJson, items, member, textOf } from '../json/decode.ts';
import type { BlobDescriptor, RawManifest, Referrer, Registry, Repository } from '../registry/registry.ts';
import { isSignedMediaType, SIGNATURE_ANNOTATION, SIGSTORE_BUNDLE } from './document.ts';

/** A signed document that is attached to an image: not read yet. */
export interface SignedBlob extends BlobDescriptor {
  /** Where it was found: `sha256-….sig`, or the digest of the referrer. */
  readonly source: string;
  readonly mediaType: string;
  /** The value of {@link SIGNATURE_ANNOTATION}. */
  readonly signature: string | undefined;
}

/** Something that was found and does not count, with the reason. */
export interface Rejection {
  readonly source: string;
  readonly reason: string;
}

/** More referrers that may be signatures are not read. */
export const MAX_REFERRERS: number = 64;

/**
 * Finds what cosign and Chains attach to an image: the tags `<alg>-<hex>.sig` and `.att`, and referrers. What can't be
 * read is noted in `rejected`; throws only where the registry can't be asked.
 */
export async function findSignedBlobs(
  registry: Registry,
  repository: Repository,
  image: Digest,
  rejected: Rejection[],
): Promise<readonly SignedBlob[]> {
  const blobs: SignedBlob[] = [];
  const read = async (source: string, reference: string, blobsOf: (manifest: RawManifest) => SignedBlob[]) => {
    const found = await attempt(source, rejected, async () =>
      blobsOf(await registry.getManifest(repository, reference)),
    );
    blobs.push(...(found ?? []));
  };
  // A tag has at most 128 characters, so a SHA-512 has no place in one.
  if (digestAlgorithm(image) === 'sha256') {
    for (const suffix of ['sig', 'att']) {
      const tag = `${image.replace(':', '-')}.${suffix}`;
      await read(tag, tag, (manifest) => blobsOfTag(tag, manifest));
    }
  }
  const referrers = (await registry.listReferrers(repository, image)).filter(mayBeSignature);
  for (const { digest } of referrers.slice(0, MAX_REFERRERS)) {
    await read(digest, digest, (manifest) => blobsOfReferrer(digest, manifest, image));
  }
  if (referrers.length > MAX_REFERRERS) {
    rejected.push({ source: 'referrers', reason: `${referrers.length - MAX_REFERRERS} of them were not read` });
  }
  return blobs;
}

/** Runs one step; what it finds wrong is noted, and what is not there is not. */
export async function attempt<T>(
  source: string,
  rejected: Rejection[],
  step: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (!isFinding(error)) throw error;
    if (error.code !== 'NOT_FOUND') rejected.push({ source, reason: `${error.code}: ${error.message}` });
    return undefined;
  }
}

// Tools that write the fallback tag without looking at `artifactType` list the config's media type instead: cosign does.
const EMPTY_CONFIG = 'application/vnd.oci.empty.v1+json';
const COSIGN_SIGNATURE = 'application/vnd.dev.cosign.artifact.sig.v1+json';

function mayBeSignature({ artifactType }: Referrer): boolean {
  if (artifactType === undefined || artifactType === EMPTY_CONFIG) return true;
  return artifactType === COSIGN_SIGNATURE || SIGSTORE_BUNDLE.test(artifactType);
}

function blobsOfReferrer(source: string, manifest: RawManifest, image: Digest): SignedBlob[] {
  const subject = at(decodeJson(manifest.bytes), 'subject', 'digest');
  return subject === image ? blobsOfTag(source, manifest) : [];
}

function blobsOfTag(source: string, manifest: RawManifest): SignedBlob[] {
  return items(member(decodeJson(manifest.bytes), 'layers')).flatMap((layer) => {
    const mediaType = textOf(member(layer, 'mediaType')) ?? '';
    const digest = textOf(member(layer, 'digest')) ?? '';
    const size = member(layer, 'size');
    if (!isSignedMediaType(mediaType) || !isDigest(digest) || typeof size !== 'number') return [];
    if (!Number.isSafeInteger(size) || size < 0) return [];
    return [{ source, mediaType, digest, size, signature: textOf(at(layer, 'annotations', SIGNATURE_ANNOTATION)) }];
  });
}
