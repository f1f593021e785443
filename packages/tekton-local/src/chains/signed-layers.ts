import {
  attachmentTag,
  type Descriptor,
  DigestChainError,
  decodeJson,
  OCI_CONFIG,
  OCI_MANIFEST,
  type Registry,
  requireDescriptor,
} from '@multi-image/digest-chain/oci';
import { Turns } from '@multi-image/kit/limiter';
import { isMap } from '../plan/yaml/field.ts';
import type { ImageResult } from './image-results.ts';

/** A signed document, as cosign stores it: a layer of an image whose tag names the signed digest. */
export interface SignedLayer {
  mediaType: string;
  bytes: Uint8Array;
  annotations: Readonly<Record<string, string>>;
}

/** Bytes of a signed document, at most. */
const LIMIT = 4 << 20;

/** Adds a signed layer to the tag `sha256-<hex>.<suffix>` of an image; what is there already stays. */
export async function pushSignedLayer(
  registry: Registry,
  image: ImageResult,
  suffix: 'sig' | 'att',
  layer: SignedLayer,
): Promise<void> {
  const tag = attachmentTag(image.digest, suffix);
  const place = `${image.registry}/${image.repository}:${tag}`;
  await writes.run(place, () => addLayer(registry, image, tag, layer));
}

/** Of each tag, one at a time: tasks, and runs beside each other, sign the same image, and none may lose what another wrote. */
const writes = new Turns();

async function addLayer(
  registry: Registry,
  image: ImageResult,
  tag: string,
  { mediaType, bytes, annotations }: SignedLayer,
): Promise<void> {
  const existing = await storedLayers(registry, image, tag);
  const { size, digest } = await registry.putBlob(image, bytes);
  const layers = [...existing, { mediaType, size, digest, annotations }];
  const content = {
    architecture: '',
    created: '0001-01-01T00:00:00Z',
    history: layers.map(() => ({ created: '0001-01-01T00:00:00Z' })),
    os: '',
    rootfs: { type: 'layers', diff_ids: layers.map((item) => item.digest) },
    config: {},
  };
  const config = await registry.putBlob(image, Buffer.from(JSON.stringify(content)));
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, size: config.size, digest: config.digest },
    layers,
  };
  await registry.putManifest(image, tag, { bytes: Buffer.from(JSON.stringify(manifest)), mediaType: OCI_MANIFEST });
}

async function storedLayers(registry: Registry, image: ImageResult, tag: string): Promise<Descriptor[]> {
  try {
    const manifest = decodeJson((await registry.getManifest(image, tag)).bytes);
    const layers = isMap(manifest) && Array.isArray(manifest.layers) ? manifest.layers.map(requireDescriptor) : [];
    // A layer that cannot be read would make the whole tag useless.
    for (const layer of layers) await registry.getBlob(image, layer, { limit: LIMIT });
    return layers;
  } catch (error) {
    if (error instanceof DigestChainError && error.code === 'NOT_FOUND') return [];
    throw error;
  }
}
