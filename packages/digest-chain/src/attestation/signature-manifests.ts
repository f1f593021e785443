import { mapConcurrently } from '../../../kit/src/concurrent.ts';
import { isFinding } from '../check.ts';
import { type BlobDescriptor, readDescriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm } from '../digest.ts';
import { DigestChainError, isUnanswered } from '../errors.ts';
import { decodeJson, items, member } from '../json/decode.ts';
import { DSSE_ENVELOPE, EMPTY_MEDIA_TYPE, IN_TOTO, SIGNATURE_ANNOTATION } from '../media-types.ts';
import { attachmentTag } from '../reference.ts';
import type { RawManifest, Referrer, Registry, Repository } from '../registry/registry.ts';
import { isSignedMediaType, SIGSTORE_BUNDLE } from './document.ts';

/** A signed document that is attached to an image: not read yet. */
export interface SignedBlob extends BlobDescriptor {
  /** Where it was found: `sha256-….sig`, or the digest of the referrer. */
  readonly source: string;
  readonly mediaType: string;
  /** The value of {@link SIGNATURE_ANNOTATION}. */
  readonly signature: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

/** Something that was found and does not count, with the reason. */
export interface Rejection {
  readonly source: string;
  readonly reason: string;
}

/** More referrers that may be signatures are not read. */
const MAX_REFERRERS = 64;

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
  // A tag has at most 128 characters, so a SHA-512 has no place in one.
  const tags =
    digestAlgorithm(image) === 'sha256' ? (['sig', 'att'] as const).map((kind) => attachmentTag(image, kind)) : [];
  const referrers = (await listReferrers(registry, repository, image, rejected)).filter(mayBeSignature);
  const sources = [...tags, ...referrers.slice(0, MAX_REFERRERS).map((referrer) => referrer.digest)];
  const found = await mapConcurrently(sources, async (source) => {
    const own: Rejection[] = [];
    const read = async () => blobsOf(source, await registry.getManifest(repository, source));
    return { blobs: (await attempt(source, own, read)) ?? [], rejected: own };
  });
  // Not as the answers came: what is printed is the same each time.
  rejected.push(...found.flatMap((each) => each.rejected));
  if (referrers.length > MAX_REFERRERS) {
    rejected.push({ source: 'referrers', reason: `${referrers.length - MAX_REFERRERS} of them were not read` });
  }
  return found.flatMap((each) => each.blobs);
}

/** A registry that refuses the list, or answers nonsense, still has the tags; one that doesn't answer has nothing. */
async function listReferrers(
  registry: Registry,
  repository: Repository,
  image: Digest,
  rejected: Rejection[],
): Promise<readonly Referrer[]> {
  try {
    return await registry.listReferrers(repository, image);
  } catch (error) {
    if (!(error instanceof DigestChainError) || isUnanswered(error)) throw error;
    rejected.push({ source: 'referrers', reason: `${error.code}: ${error.message}` });
    return [];
  }
}

/** Runs one step; what it finds wrong is noted, and what is not there is not, unless the registry only does not show it. */
export async function attempt<T>(
  source: string,
  rejected: Rejection[],
  step: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (!isFinding(error)) throw error;
    const isAbsent = error.code === 'NOT_FOUND' && (error.http?.status ?? 404) === 404;
    if (!isAbsent) rejected.push({ source, reason: `${error.code}: ${error.message}` });
    return undefined;
  }
}

const SIGNED_ARTIFACTS: ReadonlySet<string | undefined> = new Set([
  // Tools that write the fallback tag without looking at `artifactType` list the config's media type instead: cosign does.
  EMPTY_MEDIA_TYPE,
  'application/vnd.dev.cosign.artifact.sig.v1+json',
  // Envelopes by what they are, or by what is in them (sigstore/cosign, pkg/oci/remote, WriteAttestationsReferrer).
  DSSE_ENVELOPE,
  IN_TOTO,
  undefined,
]);

function mayBeSignature({ artifactType }: Referrer): boolean {
  return SIGNED_ARTIFACTS.has(artifactType) || SIGSTORE_BUNDLE.test(artifactType ?? '');
}

function blobsOf(source: string, manifest: RawManifest): SignedBlob[] {
  return items(member(decodeJson(manifest.bytes), 'layers')).flatMap((layer) => {
    const descriptor = readDescriptor(layer);
    if (descriptor === undefined || !isSignedMediaType(descriptor.mediaType)) return [];
    const { mediaType, digest, size, annotations } = descriptor;
    return [{ source, mediaType, digest, size, signature: annotations?.[SIGNATURE_ANNOTATION], annotations }];
  });
}
