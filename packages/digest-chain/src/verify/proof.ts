import type { AttestedImage } from '../attestation/checks.ts';
import type { Check } from '../check.ts';
import type { Digest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import type { ImageFacts } from '../image-facts.ts';
import type { LabelNames } from '../label-names.ts';
import { isIndex } from '../media-types.ts';
import type { Registry, Repository } from '../registry/registry.ts';
import type { Link } from '../seal/config.ts';
import type { ImageTree } from '../seal/tree.ts';

/** Where a proof starts, and what it is made with. */
export interface ProofContext {
  readonly registry: Registry;
  /** Where the image that it starts from is. */
  readonly repository: Repository;
  readonly tree: ImageTree;
  readonly facts: readonly ImageFacts[];
  readonly names: LabelNames;
  /** The git commit that every image must have been built from. */
  readonly revision: string | undefined;
  /** Where the images of a role are now; of other roles, where the chain says. */
  readonly at: ReadonlyMap<string, Repository>;
}

/** What level `linked` consists of. */
export interface LinkProof {
  readonly checks: readonly Check[];
  readonly origin: Digest | undefined;
  readonly links: readonly Link[];
  /** The images, as far as signatures are about them; complete only where all checks passed. */
  readonly members: readonly AttestedImage[];
}

/** What is kept of an image once it was checked: a chain may have many, and each of them megabytes. */
export function memberOf(
  { role, repository, embeds }: Pick<AttestedImage, 'role' | 'repository' | 'embeds'>,
  { manifest }: ImageTree,
  origin: ImageTree,
): AttestedImage {
  const index = isIndex(origin.manifest.mediaType);
  const built = index ? origin.images.map((image) => image.manifest.digest) : [origin.manifest.digest];
  return { role, repository, manifest, origin: origin.manifest.digest, built, embeds };
}

/** What the images of a tree say they were built from; undefined where it could not be read. */
export interface NamedRevisions {
  readonly name: string;
  readonly revisions: readonly (string | undefined)[] | undefined;
}

export function revisionsOf(name: string, facts: readonly ImageFacts[] | undefined): NamedRevisions {
  return { name, revisions: facts?.map(({ revision }) => revision) };
}

/** All images name one revision, the expected one if there is one; throws `REVISION_MISMATCH`. */
export function sameRevision(
  images: readonly NamedRevisions[],
  expected: string | undefined,
): { evidence: string; value: string } {
  const unknown = images.find(({ revisions }) => revisions === undefined);
  if (unknown !== undefined) {
    throw new DigestChainError('REVISION_MISMATCH', `the revision of a linked image is unknown (${unknown.name})`);
  }
  const found = images.flatMap(({ name, revisions = [] }) => revisions.map((revision) => [name, revision] as const));
  const wanted = expected ?? common(images[0]?.revisions ?? []);
  if (wanted !== undefined && found.every(([, revision]) => revision === wanted)) {
    return { evidence: `all were built from ${wanted}`, value: wanted };
  }
  throw new DigestChainError('REVISION_MISMATCH', 'the images were not built from the same git revision', {
    expected: wanted ?? 'a label org.opencontainers.image.revision on each image',
    found: found.map(([name, revision]) => `${name}: ${revision ?? 'none'}`).join(', '),
  });
}

/** The revision that all images of a tree name. */
export function revisionOf(facts: readonly ImageFacts[]): string | undefined {
  return common(facts.map(({ revision }) => revision));
}

function common([first, ...others]: readonly (string | undefined)[]): string | undefined {
  return others.every((other) => other === first) ? first : undefined;
}
