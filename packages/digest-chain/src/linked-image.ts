import { type Embedding, findEmbeddings } from './embedding.ts';
import { DigestChainError } from './errors.ts';
import type { LabelNames } from './label-names.ts';
import { type ReadTree, readTree } from './read-image.ts';
import {
  type DigestReference,
  formatReference,
  isSameRepository,
  placeOf,
  repositoryName,
  type TagReference,
} from './reference.ts';
import type { Registry, Repository } from './registry/registry.ts';
import { type Link, orderLinks } from './seal/config.ts';

/** An image to be linked, and its part in the chain. */
export interface LinkedImage {
  readonly role: string;
  readonly image: DigestReference;
}

/** A linked image that was read. */
export interface LinkedTree extends LinkedImage {
  readonly tree: ReadTree;
}

/** A linked image, and how each of its images embeds the one that links to it. */
export interface EmbeddingTree extends LinkedTree {
  readonly embeddings: readonly Embedding[];
}

/** The links to these images, in their order. Throws `LINK_INVALID`. */
export function linksTo(linked: readonly LinkedImage[]): readonly Link[] {
  return orderLinks(linked.map(({ role, image }) => ({ role, url: placeOf(image, image.tag), digest: image.digest })));
}

/** Reads an image that is about to be linked; throws `LINK_MISSING` where it is not there. */
export async function readLinked(registry: Registry, { role, image }: LinkedImage): Promise<LinkedTree> {
  try {
    return { role, image, tree: await readTree(registry, image, image.digest) };
  } catch (error) {
    if (!(error instanceof DigestChainError) || error.code !== 'NOT_FOUND') throw error;
    throw new DigestChainError('LINK_MISSING', `the linked image (${role}) does not exist`, {
      expected: formatReference(image),
      found: 'nothing there',
      hint: 'push it before the image that links to it is published',
      cause: error,
    });
  }
}

/**
 * Finds how an image embeds one that is about to be published: it has to name the repository that this is in, or the
 * pipeline is wired wrongly. Afterwards the digests decide: a chain may be copied to other repositories. Throws
 * `LINK_MISMATCH`, `LINK_INVALID`.
 */
export function embeddingsOf(tree: ReadTree, origin: DigestReference, names: LabelNames): readonly Embedding[] {
  const found = findEmbeddings(tree, origin.digest, names);
  const elsewhere = found.find(({ place }) => !isSameRepository(place, origin));
  if (elsewhere === undefined) return found;
  throw new DigestChainError('LINK_MISMATCH', 'the linked image names another place for the image it embeds', {
    expected: `${repositoryName(origin)}@${origin.digest}`,
    found: elsewhere.url,
  });
}

/** A tag is another name for what is in the same repository; throws `USAGE`. */
export function checkTag(image: Repository, tag: TagReference | undefined): void {
  if (tag === undefined || isSameRepository(tag, image)) return;
  throw new DigestChainError('USAGE', 'the tag is in another repository than the image', {
    expected: `${repositoryName(image)}:<tag>`,
    found: formatReference(tag),
  });
}
