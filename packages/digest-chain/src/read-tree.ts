import { mapConcurrently } from './concurrent.ts';
import type { Digest } from './digest.ts';
import { type ImageFacts, readImageFacts } from './image-facts.ts';
import type { RawManifest, Registry, Repository } from './registry/registry.ts';
import { MAX_CONFIG_SIZE } from './seal/config.ts';
import type { Image } from './seal/image.ts';
import { checkImages, isIndex, readIndex, requireArtifact } from './seal/image-index.ts';
import { readImageManifest } from './seal/manifest.ts';
import type { ImageTree } from './seal/tree.ts';

/** Reads an image or an index from a registry, without layers: two requests for each image, one for an index. */
export async function readTree(
  registry: Registry,
  repository: Repository,
  reference: string | Digest,
): Promise<ImageTree> {
  return treeOf(registry, repository, await registry.getManifest(repository, reference));
}

/** The rest of a tree of which the top manifest is already there. */
export async function treeOf(registry: Registry, repository: Repository, manifest: RawManifest): Promise<ImageTree> {
  if (!isIndex(manifest.mediaType)) return { manifest, images: [await withConfig(registry, repository, manifest)] };
  const index = readIndex(manifest.bytes, manifest.mediaType);
  await mapConcurrently([...new Set(index.artifacts)], async (digest) =>
    requireArtifact(await registry.getManifest(repository, digest)),
  );
  const digests = new Set(index.images.map((image) => image.digest));
  const images = await mapConcurrently([...digests], async (digest) =>
    withConfig(registry, repository, await registry.getManifest(repository, digest)),
  );
  checkImages(manifest, images);
  return { manifest, images };
}

/** What each image of a tree says about itself. */
export function factsOf(tree: ImageTree): readonly ImageFacts[] {
  return tree.images.map((image) => readImageFacts(image.config));
}

async function withConfig(registry: Registry, repository: Repository, manifest: RawManifest): Promise<Image> {
  const { config } = readImageManifest(manifest.bytes, manifest.mediaType);
  return { manifest, config: await registry.getBlob(repository, config, { limit: MAX_CONFIG_SIZE }) };
}
