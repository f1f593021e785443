import { mapConcurrently } from '../../../kit/src/concurrent.ts';
import { type Descriptor, requireDescriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import { decodeJson, items, member } from '../json/decode.ts';
import { blobsOf } from '../read-image.ts';
import type { Registry, Repository } from '../registry/registry.ts';
import { isIndex } from '../seal/image-index.ts';
import type { ImageTree } from '../seal/tree.ts';

/**
 * Brings into another repository what an image is made of apart from what sealing writes: its layers, and whatever else an
 * index lists (attestations), as it is. One request for each blob where it can be mounted.
 */
export async function copyContent(
  registry: Registry,
  from: Repository,
  to: Repository,
  origin: ImageTree,
): Promise<void> {
  const layers = origin.images.flatMap(({ manifest }) => blobsOf(decodeJson(manifest.bytes)).slice(1));
  await copyBlobs(registry, from, to, layers);
  if (!isIndex(origin.manifest.mediaType)) return;
  const images = new Set<Digest>(origin.images.map(({ manifest }) => manifest.digest));
  const listed = items(member(decodeJson(origin.manifest.bytes), 'manifests')).map(requireDescriptor);
  const others = new Set(listed.map(({ digest }) => digest).filter((digest) => !images.has(digest)));
  for (const digest of others) {
    const manifest = await registry.getManifest(from, digest);
    await copyBlobs(registry, from, to, blobsOf(decodeJson(manifest.bytes)));
    await registry.putManifest(to, digest, manifest);
  }
}

export async function copyBlobs(
  registry: Registry,
  from: Repository,
  to: Repository,
  descriptors: readonly Descriptor[],
): Promise<void> {
  const unique = new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor]));
  const kept = [...unique.values()].filter(({ urls }) => urls === undefined);
  await mapConcurrently(kept, (descriptor) => registry.copyBlob(descriptor, from, to));
}
