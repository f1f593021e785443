import type { Digest } from './digest.ts';
import type { RawManifest, Registry, Repository } from './registry/registry.ts';
import { MAX_CONFIG_SIZE } from './seal/config.ts';
import type { Image } from './seal/image.ts';
import { readImageManifest } from './seal/manifest.ts';

/** Reads an image from a registry, without its layers: two requests. */
export async function readImage(
  registry: Registry,
  repository: Repository,
  reference: string | Digest,
): Promise<Image> {
  return withConfig(registry, repository, await registry.getManifest(repository, reference));
}

/** The config to a manifest that is already there: one request. */
export async function withConfig(registry: Registry, repository: Repository, manifest: RawManifest): Promise<Image> {
  const { config } = readImageManifest(manifest.bytes, manifest.mediaType);
  return { manifest, config: await registry.getBlob(repository, config, { limit: MAX_CONFIG_SIZE }) };
}
