import { readTree } from './read-image.ts';
import type { Reference } from './reference.ts';
import type { Registry } from './registry/registry.ts';
import type { Seal } from './seal/config.ts';
import { DEFAULT_PREFIX, parsePrefix } from './seal/labels.ts';
import { type ImageTree, unsealTree } from './seal/tree.ts';

export interface UnsealResult {
  /** The reconstructed origin, byte for byte: its manifest or index, and its images with their configs. */
  readonly origin: ImageTree;
  readonly seal: Seal;
}

/**
 * Reconstructs the origin of a sealed image from the sealed image alone, with two requests for each image and one
 * for an index. Throws `NOT_SEALED`, or
 * `SEAL_BROKEN` where the seal does not lead back to the digest that it names.
 */
export async function unseal(
  registry: Registry,
  sealed: Reference,
  options: { readonly prefix?: string } = {},
): Promise<UnsealResult> {
  const prefix = parsePrefix(options.prefix ?? DEFAULT_PREFIX);
  return unsealTree(await readTree(registry, sealed, sealed.digest ?? sealed.tag ?? 'latest'), prefix);
}
