import type { AttestedImage } from '../attestation/attested-image.ts';
import { isCommit } from '../attestation/git-source.ts';
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
  /** The commit that all images name. */
  readonly revision: string | undefined;
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
  const built = index ? origin.images.map((image) => image.manifest) : [origin.manifest];
  return { role, repository, manifest, origin: origin.manifest.digest, built, embeds };
}

/** What the images of a tree say they were built from; undefined where it could not be read. */
export interface NamedRevisions {
  readonly name: string;
  /** Of each image what its labels name: one commit, or several that contradict each other. */
  readonly revisions: readonly (readonly string[])[] | undefined;
}

export function revisionsOf(name: string, facts: readonly ImageFacts[] | undefined): NamedRevisions {
  return { name, revisions: facts?.map(({ revisions }) => revisions) };
}

/** All images name one commit, the expected one if there is one, in each of their labels; throws `REVISION_MISMATCH`. */
export function sameRevision(
  images: readonly NamedRevisions[],
  expected: string | undefined,
): { evidence: string; value: string } {
  const unknown = images.find(({ revisions }) => revisions === undefined);
  if (unknown !== undefined) {
    throw new DigestChainError('REVISION_MISMATCH', `the revision of a linked image is unknown (${unknown.name})`);
  }
  const found = images.flatMap(({ name, revisions = [] }) => revisions.map((each) => [name, each] as const));
  const wanted = expected ?? found[0]?.[1][0];
  const agrees = found.every(([, named]) => named.length === 1 && named[0] === wanted);
  if (wanted !== undefined && agrees && isCommit(wanted)) {
    return { evidence: `all were built from ${wanted}`, value: wanted };
  }
  const contradicts = found.find(([, named]) => named.length > 1);
  const message =
    contradicts !== undefined
      ? 'the labels of an image contradict each other about its git revision'
      : agrees
        ? 'what the images name as their git revision is no commit'
        : 'the images were not built from the same git revision';
  throw new DigestChainError('REVISION_MISMATCH', message, {
    expected: wanted !== undefined && isCommit(wanted) ? wanted : REVISION_LABEL,
    found: found
      .map(([name, named]) => `${name}: ${named.join(' and ') || 'none'}`)
      .join(', ')
      .slice(0, 1000),
  });
}

const REVISION_LABEL =
  'a label org.opencontainers.image.revision on each image, of 40 or 64 hex digits, and no vcs-ref that contradicts it';

/** The revision that all images of a tree name. */
export function revisionOf(facts: readonly ImageFacts[]): string | undefined {
  return common(facts.map(({ revision }) => revision));
}

function common([first, ...others]: readonly (string | undefined)[]): string | undefined {
  return others.every((other) => other === first) ? first : undefined;
}
