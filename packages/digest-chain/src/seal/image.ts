import { type Digest, digestAlgorithm, digestOf } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import type { BlobDescriptor, RawManifest } from '../registry/registry.ts';
import { type Seal, sealConfig, unsealConfig } from './config.ts';
import type { Link } from './labels.ts';
import { readImageManifest, replaceConfig } from './manifest.ts';

/** An image as bytes: its manifest and its config. Layers are never needed. */
export interface Image {
  readonly manifest: RawManifest;
  readonly config: Uint8Array;
}

export interface SealedImage extends Image {
  readonly configDescriptor: BlobDescriptor;
  readonly seal: Seal;
}

/**
 * Seals an image with these links. An image that is already sealed is unsealed first, so sealing twice with the same
 * links is a no-op, and with others replaces them; a seal inherited from a base image does not lead back to this image
 * and is sealed over instead.
 */
export function sealImage(image: Image, links: readonly Link[], prefix: string): SealedImage {
  const origin = originOf(image, prefix);
  return sealWith(origin, { links, sealedFrom: origin.manifest.digest }, prefix);
}

/** Seals an image whose seal names something else than itself: a child of an index names the index. */
export function sealWith(image: Image, seal: Seal, prefix: string): SealedImage {
  checkConfig(image);
  const config = sealConfig(image.config, seal, prefix);
  return { ...withConfig(image.manifest, config), seal };
}

/**
 * Reconstructs the origin, byte for byte. Throws `NOT_SEALED`; `SEAL_BROKEN` where it differs from the sealed image by
 * more than the seal's labels, or does not hash to the digest that the seal names.
 */
export function unsealImage(sealed: Image, prefix: string): { readonly origin: Image; readonly seal: Seal } {
  const { origin, seal } = unsealWith(sealed, prefix);
  if (origin.manifest.digest !== seal.sealedFrom) {
    throw new DigestChainError('SEAL_BROKEN', 'the reconstructed origin is not the one that the seal names', {
      expected: seal.sealedFrom,
      found: origin.manifest.digest,
      hint: 'the image was changed after it was sealed, or its seal was inherited from a base image',
    });
  }
  return { origin, seal };
}

/** As {@link unsealImage}, for a child of an index: what the seal names is for the caller to compare. */
export function unsealWith(sealed: Image, prefix: string): { readonly origin: Image; readonly seal: Seal } {
  checkConfig(sealed);
  const { config, seal } = unsealConfig(sealed.config, prefix);
  return { origin: withConfig(sealed.manifest, config, digestAlgorithm(seal.sealedFrom)), seal };
}

/** The image itself, or its origin if it is sealed. */
function originOf(image: Image, prefix: string): Image {
  try {
    return unsealImage(image, prefix).origin;
  } catch (error) {
    if (error instanceof DigestChainError && NO_SEAL_OF_ITS_OWN.has(error.code)) return image;
    throw error;
  }
}

const NO_SEAL_OF_ITS_OWN: ReadonlySet<string> = new Set(['NOT_SEALED', 'SEAL_BROKEN', 'LINK_INVALID']);

function checkConfig(image: Image): void {
  const { config } = readImageManifest(image.manifest.bytes, image.manifest.mediaType);
  const found = digestOf(image.config, digestAlgorithm(config.digest));
  if (found !== config.digest || image.config.length !== config.size) {
    throw new DigestChainError('DIGEST_MISMATCH', 'the config is not the one that the manifest names', {
      expected: `${config.digest}, ${config.size} bytes`,
      found: `${found}, ${image.config.length} bytes`,
    });
  }
}

function withConfig(
  manifest: RawManifest,
  config: Uint8Array,
  algorithm: 'sha256' | 'sha512' = digestAlgorithm(manifest.digest),
): Image & { readonly configDescriptor: BlobDescriptor } {
  const read = readImageManifest(manifest.bytes, manifest.mediaType);
  // The config's digest keeps its algorithm, so that unsealing finds the very text that was there.
  const configDescriptor = { digest: digestOf(config, digestAlgorithm(read.config.digest)), size: config.length };
  const bytes = replaceConfig(manifest.bytes, read, configDescriptor);
  const digest: Digest = digestOf(bytes, algorithm);
  return { manifest: { bytes, mediaType: manifest.mediaType, digest }, config, configDescriptor };
}
