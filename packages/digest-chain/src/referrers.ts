import { type Digest, digestAlgorithm, isDigest } from './digest.ts';
import { DigestChainError } from './errors.ts';
import { decodeJson, items, member, members, textOf } from './json/decode.ts';
import type { RawManifest, Registry, Repository } from './registry/registry.ts';

/** A manifest that is attached to another (distribution-spec, "Listing Referrers"). */
export interface Referrer {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';

/** What is attached to a manifest, by the fallback tag (distribution-spec, "Referrers Tag Schema"). */
export async function listReferrers(
  registry: Registry,
  repository: Repository,
  subject: Digest,
): Promise<readonly Referrer[]> {
  const index = await readFallback(registry, repository, subject);
  return index === undefined ? [] : parseReferrers(index);
}

/**
 * Pushes an artifact that names `subject`, by digest, and lists it under the fallback tag where the registry does not
 * index subjects itself.
 */
export async function attach(
  registry: Registry,
  repository: Repository,
  artifact: RawManifest,
  subject: Digest,
): Promise<void> {
  const { subjectIndexed } = await registry.putManifest(repository, artifact.digest, artifact);
  if (subjectIndexed) return;
  const index = await readFallback(registry, repository, subject);
  const listed = index === undefined ? [] : items(member(decodeJson(index.bytes), 'manifests'));
  if (listed.some((entry) => member(entry, 'digest') === artifact.digest)) return;
  const document = decodeJson(artifact.bytes);
  const entry = {
    mediaType: artifact.mediaType,
    digest: artifact.digest,
    size: artifact.bytes.length,
    artifactType: member(document, 'artifactType'),
    annotations: member(document, 'annotations'),
  };
  const manifests = [...listed, entry];
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
  await registry.putManifest(repository, fallbackTag(subject), { bytes, mediaType: OCI_INDEX });
}

function fallbackTag(subject: Digest): string {
  const algorithm = digestAlgorithm(subject);
  return `${algorithm}-${subject.slice(algorithm.length + 1, algorithm.length + 65)}`;
}

async function readFallback(
  registry: Registry,
  repository: Repository,
  subject: Digest,
): Promise<RawManifest | undefined> {
  try {
    const manifest = await registry.getManifest(repository, fallbackTag(subject));
    // Some registries resolve such a tag to the subject itself.
    return manifest.mediaType === OCI_INDEX && manifest.digest !== subject ? manifest : undefined;
  } catch (error) {
    if (error instanceof DigestChainError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

function parseReferrers(index: RawManifest): readonly Referrer[] {
  return items(member(decodeJson(index.bytes), 'manifests')).flatMap((entry) => {
    const digest = textOf(member(entry, 'digest')) ?? '';
    const size = member(entry, 'size');
    const artifactType = textOf(member(entry, 'artifactType'));
    if (!isDigest(digest) || typeof size !== 'number') return [];
    const annotations = members(member(entry, 'annotations')).filter(([, value]) => typeof value === 'string');
    return [
      {
        mediaType: textOf(member(entry, 'mediaType')) ?? '',
        digest,
        size,
        ...(artifactType === undefined ? {} : { artifactType }),
        ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) as Record<string, string> }),
      },
    ];
  });
}
