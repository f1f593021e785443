import { LabelNames } from './label-names.ts';
import { namingImage, readTree } from './read-image.ts';
import { nameOf, type Reference } from './reference.ts';
import type { CallOptions, Registry } from './registry/registry.ts';
import { withSignal } from './registry/with-call-options.ts';
import type { Seal } from './seal/config.ts';
import { type ImageTree, unsealTree } from './seal/tree.ts';

export interface UnsealResult {
  /** The reconstructed origin, byte for byte: its manifest or index, and its images with their configs. */
  readonly origin: ImageTree;
  readonly seal: Seal;
}

/**
 * Reconstructs the origin of a sealed image from the sealed image alone, with two requests for each image and one for an
 * index. Throws `NOT_SEALED`, or `SEAL_BROKEN` where the seal does not lead back to the digest that it names.
 *
 * ```ts
 * const { origin } = await unseal(createRegistry(), parseReference('quay.io/org/image1:v1'));
 * ```
 */
export async function unseal(
  registry: Registry,
  sealed: Reference,
  { prefix, signal }: CallOptions & { readonly prefix?: string | undefined } = {},
): Promise<UnsealResult> {
  const names = new LabelNames(prefix);
  const tree = await readTree(withSignal(registry, signal), sealed, nameOf(sealed));
  return namingImage(sealed, tree.manifest.digest, () => unsealTree(tree, names));
}
