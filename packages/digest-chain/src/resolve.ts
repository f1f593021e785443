import { mapConcurrently } from '../../kit/src/concurrent.ts';
import { DigestChainError } from './errors.ts';
import { externalManifest } from './linked-image.ts';
import { type DigestReference, formatReference, nameOf, type Reference } from './reference.ts';
import type { CallOptions, Registry } from './registry/registry.ts';
import { withSignal } from './registry/with-call-options.ts';

/** An image that was built elsewhere, and its part in a chain. */
export interface ExternalImage {
  readonly role: string;
  readonly image: Reference;
}

/** The same, by digest; where it was named by a tag, with that. */
export interface ResolvedImage {
  readonly role: string;
  readonly image: DigestReference;
}

/**
 * Finds images that were built elsewhere: of a tag its digest; of a digest that it is there; of both that the tag is still
 * that digest. One request for each name, in the order of the images. Throws `LINK_MISSING` where one is gone, and
 * `TAG_MOVED`.
 *
 * ```ts
 * const [daemon] = await resolve(createRegistry(), [{ role: 'daemon', image: parseReference('quay.io/org/daemon:1.0') }]);
 * ```
 */
export function resolve(
  client: Registry,
  images: readonly ExternalImage[],
  { signal }: CallOptions = {},
): Promise<readonly ResolvedImage[]> {
  const registry = withSignal(client, signal);
  return mapConcurrently(images, async ({ role, image }) => {
    const { digest } = image;
    const tag = digest === undefined ? nameOf(image) : image.tag;
    if (digest !== undefined) await externalManifest(registry, role, { ...image, digest, tag: undefined });
    if (digest !== undefined && tag === undefined) return { role, image: { ...image, digest } };
    const found = await externalManifest(registry, role, { ...image, tag, digest: undefined });
    if (digest === undefined || digest === found.digest) {
      return { role, image: { ...image, tag, digest: found.digest } };
    }
    throw new DigestChainError('TAG_MOVED', `the tag of the external image (${role}) is another image by now`, {
      expected: formatReference(image),
      found: found.digest,
      hint: 'run it again, for images that were built with one and the same; or name it by its digest',
    });
  });
}
