import { DigestChainError } from './errors.ts';
import { readTree } from './read-image.ts';
import { type DigestReference, formatReference, type TagReference } from './reference.ts';
import type { Registry, Repository } from './registry/registry.ts';
import type { ImageTree } from './seal/tree.ts';

/** An image to be linked, and its part in the chain. */
export interface LinkedImage {
  readonly role: string;
  readonly image: DigestReference;
}

/** Reads an image that is about to be linked; throws `LINK_MISSING` where it is not there. */
export async function readLinked(registry: Registry, { role, image }: LinkedImage): Promise<ImageTree> {
  try {
    return await readTree(registry, image, image.digest);
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

/** Where an image is, as links write it: `repo:tag`, or `repo`. */
export function placeOf({ registry, repository }: Repository, tag: string | undefined): string {
  return formatReference({ registry, repository, ...(tag === undefined ? {} : { tag }) });
}

/** A tag is another name for what is in the same repository; throws `USAGE`. */
export function checkTag(image: Repository, tag: TagReference | undefined): void {
  if (tag === undefined || isSameRepository(tag, image)) return;
  throw new DigestChainError('USAGE', 'the tag is in another repository than the image', {
    expected: `${image.registry}/${image.repository}:<tag>`,
    found: formatReference(tag),
  });
}

export function isSameRepository(a: Repository, b: Repository): boolean {
  return a.registry === b.registry && a.repository === b.repository;
}
