import { digestAlgorithm, digestOf } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import type { LabelNames } from '../label-names.ts';
import type { RawManifest } from '../registry/registry.ts';
import { type Seal, sealConfig, unsealConfig } from './config.ts';
import { readImageManifest, replaceConfig } from './manifest.ts';

/** An image as bytes: its manifest and its config. Layers are never needed. */
export interface Image {
  readonly manifest: RawManifest;
  readonly config: Uint8Array;
}

/** Writes a seal into an image. */
export function sealImage(image: Image, seal: Seal, names: LabelNames): Image {
  checkConfig(image);
  return withConfig(image.manifest, sealConfig(image.config, seal, names));
}

/**
 * Takes the seal out again. Throws `NOT_SEALED`, or `SEAL_BROKEN` where the image differs from its origin by more than
 * the seal's labels. Whether the origin is the one that the seal names is for the caller to compare.
 */
export function unsealImage(sealed: Image, names: LabelNames): { readonly origin: Image; readonly seal: Seal } {
  checkConfig(sealed);
  const { config, seal } = unsealConfig(sealed.config, names);
  return { origin: withConfig(sealed.manifest, config), seal };
}

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

function withConfig(manifest: RawManifest, config: Uint8Array): Image {
  const read = readImageManifest(manifest.bytes, manifest.mediaType);
  // Digests keep their algorithms, so that unsealing finds the very text that was there.
  const configDescriptor = { digest: digestOf(config, digestAlgorithm(read.config.digest)), size: config.length };
  const bytes = replaceConfig(manifest.bytes, read, configDescriptor);
  const digest = digestOf(bytes, digestAlgorithm(manifest.digest));
  return { manifest: { bytes, mediaType: manifest.mediaType, digest }, config };
}
