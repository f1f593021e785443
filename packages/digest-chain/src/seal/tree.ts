import { digestAlgorithm, digestOf } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import type { LabelNames } from '../label-names.ts';
import { isIndex } from '../media-types.ts';
import type { RawManifest } from '../registry/registry.ts';
import { type Link, readSeal, type Seal, sealConfig, unsealConfig } from './config.ts';
import { refuseSubject, replaceDescriptors } from './document.ts';
import { checkImages, commonSeal, replaceImages } from './image-index.ts';
import { type Image, readImageManifest } from './manifest.ts';

/** The image with its config changed. Throws `DIGEST_MISMATCH` where it is not the one that the manifest names. */
function withConfig({ manifest, config: given }: Image, change: (config: Uint8Array) => Uint8Array): Image {
  const { root, config: old } = readImageManifest(manifest.bytes, manifest.mediaType);
  const algorithm = digestAlgorithm(old.digest);
  const found = digestOf(given, algorithm);
  if (found !== old.digest || given.length !== old.size) {
    throw new DigestChainError('DIGEST_MISMATCH', 'the config is not the one that the manifest names', {
      expected: `${old.digest}, ${old.size} bytes`,
      found: `${found}, ${given.length} bytes`,
    });
  }
  const config = change(given);
  refuseSubject(root);
  // Digests keep their algorithms, so that unsealing finds the very text that was there.
  const by = { digest: digestOf(config, algorithm), size: config.length };
  return { manifest: withBytes(manifest, replaceDescriptors(manifest.bytes, [{ old, by }])), config };
}

function withBytes({ mediaType, digest }: RawManifest, bytes: Uint8Array): RawManifest {
  return { bytes, mediaType, digest: digestOf(bytes, digestAlgorithm(digest)) };
}

/**
 * What a reference names: an image, or an index of images for several platforms, with everything that a seal touches.
 * An image is a tree of one: its manifest is the tree's.
 */
export interface ImageTree {
  readonly manifest: RawManifest;
  /** Each image once; those of an index that are no images (attestations, artifacts) are left out. */
  readonly images: readonly Image[];
}

export interface SealedTree extends ImageTree {
  readonly seal: Seal;
}

/**
 * Seals with these links: bytes in, bytes out. In an index every image is sealed from the index's digest, and its
 * descriptor changes. What is already sealed is unsealed first, so sealing twice with the same links is a no-op and with
 * others replaces them; a seal inherited from a base image does not lead back here, and is sealed over instead. Throws
 * `NOT_AN_IMAGE`, `SEAL_REFUSED`, `MEDIA_TYPE_UNSUPPORTED`, `JSON_INVALID`, `JSON_DUPLICATE_KEY`, `LINK_INVALID`.
 */
export function sealTree(tree: ImageTree, links: readonly Link[], names: LabelNames): SealedTree {
  const origin = builtAs(tree, names);
  const seal = { links, sealedFrom: origin.manifest.digest };
  const images = imagesOf(origin).map((image) => withConfig(image, (config) => sealConfig(config, seal, names)));
  return { manifest: withImages(origin, images), images, seal };
}

/** Reads the seal without checking where it leads. Throws `NOT_SEALED`, `SEAL_BROKEN`, `LINK_INVALID`. */
export function readTreeSeal(tree: ImageTree, names: LabelNames): Seal {
  return commonSeal(tree.images.map((image) => readSeal(image.config, names)));
}

/**
 * Reconstructs the origin, byte for byte. Throws `NOT_SEALED`; `SEAL_BROKEN` where it differs from what is sealed by
 * more than the seal's labels, or does not hash to the digest that the seal names.
 */
export function unsealTree(tree: ImageTree, names: LabelNames): { readonly origin: ImageTree; readonly seal: Seal } {
  const seals: Seal[] = [];
  const images = imagesOf(tree).map((image) =>
    withConfig(image, (sealed) => {
      const { config, seal } = unsealConfig(sealed, names);
      seals.push(seal);
      return config;
    }),
  );
  const seal = commonSeal(seals);
  const manifest = withImages(tree, images);
  const digest = digestOf(manifest.bytes, digestAlgorithm(seal.sealedFrom));
  if (digest === seal.sealedFrom) return { origin: { manifest: { ...manifest, digest }, images }, seal };
  throw new DigestChainError('SEAL_BROKEN', 'the reconstructed origin is not the one that the seal names', {
    expected: seal.sealedFrom,
    found: digest,
    hint: 'it was changed after it was sealed, inherited its seal from a base image, or is one image of a sealed index',
  });
}

function imagesOf(tree: ImageTree): readonly Image[] {
  if (isIndex(tree.manifest.mediaType)) checkImages(tree.manifest, tree.images);
  else if (tree.images.length !== 1 || tree.images[0]?.manifest.bytes !== tree.manifest.bytes) {
    throw new RangeError('an image is a tree of one');
  }
  return tree.images;
}

/** The top manifest after the images of a tree have become these, in the same order. */
function withImages(tree: ImageTree, images: readonly Image[]): RawManifest {
  const { manifest } = tree;
  if (!isIndex(manifest.mediaType)) return images[0]?.manifest ?? manifest;
  const replaced = new Map(
    tree.images.map((old, index) => [old.manifest.digest, (images[index] ?? old).manifest] as const),
  );
  return withBytes(manifest, replaceImages(manifest, replaced));
}

/** A tree as it was built: its origin if it is sealed, else itself; a seal that does not lead back is no seal. */
export function builtAs(tree: ImageTree, names: LabelNames): ImageTree {
  try {
    return unsealTree(tree, names).origin;
  } catch (error) {
    if (error instanceof DigestChainError && NO_SEAL_OF_ITS_OWN.has(error.code)) return tree;
    throw error;
  }
}

const NO_SEAL_OF_ITS_OWN: ReadonlySet<string> = new Set(['NOT_SEALED', 'SEAL_BROKEN', 'LINK_INVALID', 'SEAL_REFUSED']);
