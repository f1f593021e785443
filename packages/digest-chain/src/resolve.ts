import { mapConcurrently } from '../../kit/src/concurrent.ts';
import { DigestChainError } from './errors.ts';
import { type DigestReference, formatReference, nameOf, type Reference } from './reference.ts';
import type { CallOptions, RawManifest, Registry } from './registry/registry.ts';
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
  return mapConcurrently(images, async (external) => {
    const { digest } = await manifestOf(registry, external);
    const { role, image } = external;
    return { role, image: { ...image, tag: image.digest === undefined ? nameOf(image) : image.tag, digest } };
  });
}

/** The manifest of an image that was built elsewhere, by all names that its reference has; throws as {@link resolve}. */
export async function manifestOf(registry: Registry, { role, image }: ExternalImage): Promise<RawManifest> {
  const { tag, digest } = image;
  const manifest = await find(registry, { role, image }, nameOf(image));
  if (digest === undefined || tag === undefined) return manifest;
  const named = await find(registry, { role, image }, tag);
  if (named.digest === digest) return manifest;
  throw new DigestChainError('TAG_MOVED', `the tag of the external image (${role}) is another image by now`, {
    expected: formatReference(image),
    found: named.digest,
    hint: 'run it again, for images that were built with one and the same; or name it by its digest',
  });
}

async function find(registry: Registry, { role, image }: ExternalImage, name: string): Promise<RawManifest> {
  try {
    return await registry.getManifest(image, name);
  } catch (error) {
    if (!(error instanceof DigestChainError) || error.code !== 'NOT_FOUND') throw error;
    throw new DigestChainError('LINK_MISSING', `the external image (${role}) does not exist`, {
      expected: formatReference(image),
      found: `nothing there by the name ${name}`,
      hint: 'it was removed, or is called otherwise: correct its name, where the chain names it',
      cause: error,
    });
  }
}
