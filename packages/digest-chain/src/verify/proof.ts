import { CONCURRENCY } from '../../../kit/src/concurrent.ts';
import { isCommit } from '../../../kit/src/git-commit.ts';
import type { AttestedImage } from '../attestation/attested-image.ts';
import { after, type Check, type Step } from '../check.ts';
import type { Digest } from '../digest.ts';
import { type Embedding, findEmbeddings } from '../embedding.ts';
import { DigestChainError } from '../errors.ts';
import type { ImageFacts } from '../image-facts.ts';
import type { LabelNames } from '../label-names.ts';
import { isIndex } from '../media-types.ts';
import { factsOf, type ReadTree } from '../read-image.ts';
import { parseReference } from '../reference.ts';
import type { Registry, Repository } from '../registry/registry.ts';
import type { Link } from '../seal/config.ts';
import type { ImageTree } from '../seal/tree.ts';
import type { Discovery } from '../statement/discover.ts';
import { ownRegistries } from './limits.ts';

/** Where a proof starts, and what it is made with. */
export interface ProofContext {
  readonly registry: Registry;
  /** Reads an image that is linked. */
  readonly readTree: (repository: Repository, digest: Digest) => Promise<ReadTree>;
  /** Where the image that it starts from is. */
  readonly repository: Repository;
  readonly tree: ReadTree;
  readonly names: LabelNames;
  /** The git commit that every image must have been built from. */
  readonly revision: string | undefined;
  /** Where the images of a role are now; of other roles, where the chain says. */
  readonly at: ReadonlyMap<string, Repository>;
  /** The chain statements about the image that it starts from. */
  readonly discover: () => Promise<Discovery>;
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

/**
 * Reads what an image or a statement names, in its order, until something fails: then nothing more is read, for the proof
 * is lost, and whoever named it must not send us further. On the registries that the caller named, a few are read at the
 * same time; on others one after the other. The results of what was read, in order.
 */
export async function readInOrder<T, R>(
  items: readonly T[],
  options: {
    readonly read: (item: T) => Promise<R>;
    readonly isOwn: (item: T) => boolean;
    readonly failed: (result: R) => boolean;
  },
): Promise<readonly R[]> {
  const results: R[] = [];
  for (let isLost = false; !isLost && results.length < items.length; ) {
    const next = items.slice(results.length, results.length + CONCURRENCY);
    const foreign = next.findIndex((item) => !options.isOwn(item));
    const read = await Promise.all(next.slice(0, foreign === -1 ? undefined : Math.max(1, foreign)).map(options.read));
    results.push(...read);
    isLost = read.some(options.failed);
  }
  return results;
}

/** Whether a link leads to a registry that the caller named; what is malformed is found out when it is followed. */
export function isOwn({ repository, at }: ProofContext, { role, url }: Pick<Link, 'role' | 'url'>): boolean {
  if (at.has(role)) return true;
  try {
    return ownRegistries(repository, at.values()).has(parseReference(url).registry);
  } catch {
    return false;
  }
}

/** How each image of a tree that was read embeds `origin`; where `called` is given, by a label of that role. */
export function checkEmbedding(
  read: Step<ReadTree>,
  role: string,
  origin: Digest,
  names: LabelNames,
  called?: string,
): Promise<Step<readonly Embedding[]>> {
  return after(read, { id: 'embeds-origin', role }, (tree) => {
    const value = findEmbeddings(tree, origin, names);
    const other = called === undefined ? undefined : value.find((embedding) => embedding.role !== called);
    if (other !== undefined) {
      throw new DigestChainError('LINK_MISMATCH', 'the image embeds it in another role', {
        expected: `the label ${names.digestOf(called ?? '')}`,
        found: names.digestOf(other.role),
      });
    }
    return { evidence: value.map(({ variable, url }) => `${variable} and the label name ${url}`).join('; '), value };
  });
}

/** What the images of a tree say they were built from; undefined where it could not be read. */
export interface NamedRevisions {
  readonly name: string;
  /** Of each image what its labels name: one commit, or several that contradict each other. */
  readonly revisions: readonly (readonly string[])[] | undefined;
}

export function revisionsOf(name: string, tree: ReadTree | undefined): NamedRevisions {
  return { name, revisions: tree && factsOf(tree).map(({ revisions }) => revisions) };
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
  const named = new Set(facts.map(({ revision }) => revision));
  return named.size === 1 ? facts[0]?.revision : undefined;
}
