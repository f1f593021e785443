import { readImage } from './read-image.ts';
import type { Reference } from './reference.ts';
import type { Registry } from './registry/registry.ts';
import type { Seal } from './seal/config.ts';
import { type Image, unsealImage } from './seal/image.ts';
import { DEFAULT_PREFIX, parsePrefix } from './seal/labels.ts';

export interface UnsealResult {
  /** The reconstructed origin: manifest and config, byte for byte. */
  readonly origin: Image;
  readonly seal: Seal;
}

/**
 * Reconstructs the origin of a sealed image from the sealed image alone: two requests. Throws `NOT_SEALED`, or
 * `SEAL_BROKEN` where the seal does not lead back to the digest that it names.
 */
export async function unseal(
  registry: Registry,
  sealed: Reference,
  options: { readonly prefix?: string } = {},
): Promise<UnsealResult> {
  const prefix = parsePrefix(options.prefix ?? DEFAULT_PREFIX);
  return unsealImage(await readImage(registry, sealed, sealed.digest ?? sealed.tag ?? 'latest'), prefix);
}
