import { mapConcurrently } from '../../kit/src/concurrent.ts';
import { type Descriptor, type Platform, requireDescriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';
import { DigestChainError } from './errors.ts';
import { type ImageFacts, readImageFacts } from './image-facts.ts';
import { decodeJson, items, member } from './json/decode.ts';
import { isIndex } from './media-types.ts';
import { nameOf, type Reference, repositoryName } from './reference.ts';
import type { CallOptions, RawManifest, Registry, Repository } from './registry/registry.ts';
import { withSignal } from './registry/with-call-options.ts';
import { MAX_CONFIG_SIZE } from './seal/config.ts';
import { unread } from './seal/document.ts';
import { checkImages, readIndex, requireArtifact } from './seal/image-index.ts';
import { type Image, readImageManifest } from './seal/manifest.ts';
import type { ImageTree } from './seal/tree.ts';

/** An image, or an index of images for several platforms, and what it says. */
export interface ReadImage {
  /** What the reference names, as the registry sent it, hashed. */
  readonly manifest: RawManifest;
  /** Whether that is an index. */
  readonly index: boolean;
  /** One for an image. Of an index each image in its order; attestations and artifacts are left out. */
  readonly images: readonly PlatformImage[];
}

/** One image, and what its config says: text from outside. */
export interface PlatformImage extends Image, ImageFacts {
  /** As the index says; without one as the config does. */
  readonly platform: Platform | undefined;
  readonly layers: readonly Descriptor[];
}

/**
 * Reads what an image, or each image of an index, says: labels, environment, entrypoint, platform, layers. Two requests for
 * each image, one for an index, no layer. Every byte was hashed before it was parsed, and JSON that readers understand in
 * different ways is refused. Throws `NOT_FOUND`, `NOT_AN_IMAGE`, `MEDIA_TYPE_UNSUPPORTED`, `SEAL_REFUSED` for an index that
 * names what is no image, `JSON_INVALID`, `JSON_DUPLICATE_KEY`, `DIGEST_MISMATCH`.
 *
 * ```ts
 * const { images } = await readImage(createRegistry(), parseReference('quay.io/org/image:v1'));
 * for (const { platform, labels } of images) console.log(platform?.architecture, labels.get('version'));
 * ```
 */
export async function readImage(
  registry: Registry,
  reference: Reference,
  options: CallOptions = {},
): Promise<ReadImage> {
  const tree = await readTree(withSignal(registry, options.signal), reference, nameOf(reference));
  const { manifest } = tree;
  const read = new Map(tree.images.map((image) => [image.manifest.digest, platformImage(image)]));
  const index = isIndex(manifest.mediaType);
  if (!index) return { manifest, index, images: [...read.values()] };
  const images = readIndex(manifest.bytes, manifest.mediaType).images.flatMap(({ digest, platform }) => {
    const image = read.get(digest);
    return image === undefined ? [] : [{ ...image, platform: platform ?? image.platform }];
  });
  return { manifest, index, images };
}

/** A tree that was read. */
export interface ReadTree extends ImageTree {
  readonly images: readonly TellingImage[];
}

/** An image with what its config says. */
interface TellingImage extends Image {
  readonly facts: ImageFacts;
}

/** Reads an image or an index from a registry, without layers: two requests for each image, one for an index. */
export async function readTree(
  registry: Registry,
  repository: Repository,
  reference: string | Digest,
): Promise<ReadTree> {
  return treeOf(registry, repository, await registry.getManifest(repository, reference));
}

/** The rest of a tree of which the top manifest is already there. */
export async function treeOf(registry: Registry, repository: Repository, manifest: RawManifest): Promise<ReadTree> {
  return namingImage(repository, manifest.digest, () => restOf(registry, repository, manifest));
}

const named = new WeakSet<Error>();

/** What is wrong with the bytes of an image says of which: a command reads several. The innermost one is named. */
export async function namingImage<T>(repository: Repository, digest: Digest, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DigestChainError) || !OF_BYTES.has(error.code) || error.http !== undefined) throw error;
    if (named.has(error)) throw error;
    const { code, message, expected, found, hint, cause } = error;
    const image = `${repositoryName(repository)}@${digest}`;
    const telling = new DigestChainError(code, `${message} (${image})`, { expected, found, hint, cause });
    named.add(telling);
    throw telling;
  }
}

const OF_BYTES: ReadonlySet<string> = new Set([
  'JSON_INVALID',
  'JSON_DUPLICATE_KEY',
  'NOT_AN_IMAGE',
  'MEDIA_TYPE_UNSUPPORTED',
  'SEAL_REFUSED',
  'NOT_SEALED',
  'SEAL_BROKEN',
]);

/** Bytes of the manifests and configs of all images of one index; all of them are held at the same time. */
const MAX_TREE_SIZE = 16 * 1024 * 1024;

/** How many bytes of an image, or of all images of an index, are held. */
export function heldSize({ images }: ImageTree): number {
  return images.reduce((size, { manifest, config }) => size + manifest.bytes.length + config.length, 0);
}

async function restOf(registry: Registry, repository: Repository, manifest: RawManifest): Promise<ReadTree> {
  if (!isIndex(manifest.mediaType)) return { manifest, images: [await withConfig(registry, repository, manifest)] };
  const index = readIndex(manifest.bytes, manifest.mediaType);
  await mapConcurrently([...new Set(index.artifacts)], async (digest) =>
    requireArtifact(await registry.getManifest(repository, digest)),
  );
  const digests = new Set(index.images.map((image) => image.digest));
  let size = 0;
  const take = (more: number): void => {
    size += more;
    if (size <= MAX_TREE_SIZE) return;
    throw unread(`its images are too large together: more than ${MAX_TREE_SIZE} bytes without layers`, `${size} bytes`);
  };
  const images = await mapConcurrently([...digests], async (digest) => {
    const image = await registry.getManifest(repository, digest);
    take(image.bytes.length);
    return withConfig(registry, repository, image, take);
  });
  checkImages(manifest, images);
  return { manifest, images };
}

/** What each image of a tree says about itself. */
export function factsOf(tree: ReadTree): readonly ImageFacts[] {
  return tree.images.map(({ facts }) => facts);
}

/** The config and the layers of a manifest, decoded. Throws `NOT_AN_IMAGE`. */
export function blobsOf(document: unknown): readonly Descriptor[] {
  return [member(document, 'config'), ...items(member(document, 'layers'))].map(requireDescriptor);
}

function platformImage({ manifest, config, facts }: TellingImage): PlatformImage {
  const [, ...layers] = blobsOf(decodeJson(manifest.bytes));
  return { manifest, config, ...facts, layers };
}

function withConfig(
  registry: Registry,
  repository: Repository,
  manifest: RawManifest,
  take: (bytes: number) => void = () => {},
): Promise<TellingImage> {
  return namingImage(repository, manifest.digest, async () => {
    const { config: descriptor } = readImageManifest(manifest.bytes, manifest.mediaType);
    // Before it is read: what comes is of that size.
    take(descriptor.size);
    const config = await registry.getBlob(repository, descriptor, { limit: MAX_CONFIG_SIZE });
    // What is wrong with that is told here, where it is known of which image it is.
    return { manifest, config, facts: readImageFacts(config) };
  });
}
