import type { Check } from '../check.ts';
import type { Digest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import type { ImageFacts } from '../image-facts.ts';
import type { Registry, Repository } from '../registry/registry.ts';
import type { Link } from '../seal/labels.ts';
import type { ImageTree } from '../seal/tree.ts';

/** Where a proof starts, and what it is made with. */
export interface ProofContext {
  readonly registry: Registry;
  /** Where the image that it starts from is. */
  readonly repository: Repository;
  readonly tree: ImageTree;
  readonly facts: readonly ImageFacts[];
  readonly prefix: string;
  /** The git commit that every image must have been built from. */
  readonly revision: string | undefined;
}

/** An image of a chain, read and found to hang together with the others. */
export interface ChainMember {
  readonly role: string;
  readonly repository: Repository;
  readonly tree: ImageTree;
  /** As it was built; the tree itself where it is not sealed. */
  readonly origin: ImageTree;
  /** The roles of the images that it embeds. */
  readonly embeds: readonly string[];
}

/** What level `linked` consists of. */
export interface LinkProof {
  readonly checks: readonly Check[];
  readonly origin: Digest | undefined;
  readonly links: readonly Link[];
  /** Complete only where all checks passed. */
  readonly members: readonly ChainMember[];
}

/** What an image says it was built from; `facts` is undefined where it could not be read. */
export interface NamedFacts {
  readonly name: string;
  readonly facts: readonly ImageFacts[] | undefined;
}

/** All images name one revision, the expected one if there is one; throws `REVISION_MISMATCH`. */
export function sameRevision(
  images: readonly NamedFacts[],
  expected: string | undefined,
): { evidence: string; value: string } {
  const unknown = images.find(({ facts }) => facts === undefined);
  if (unknown !== undefined) {
    throw new DigestChainError('REVISION_MISMATCH', `the revision of a linked image is unknown (${unknown.name})`);
  }
  const found = images.flatMap(({ name, facts = [] }) => facts.map(({ revision }) => [name, revision] as const));
  const wanted = expected ?? revisionOf(images[0]?.facts ?? []);
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
  const [first, ...others] = facts.map((fact) => fact.revision);
  return others.every((other) => other === first) ? first : undefined;
}
