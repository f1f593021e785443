import { TektonLocalError } from '../errors.ts';
import { parseReference } from '../registry/reference.ts';
import { getBlob, getManifest, OCI_MANIFEST, putBlob, putManifest, sha256 } from '../registry/registry-io.ts';
import type { ImageResult } from './image-results.ts';

/** A signed document, as cosign stores it: a layer of an image whose tag names the signed digest. */
export interface SignedLayer {
  mediaType: string;
  bytes: Uint8Array;
  annotations: Readonly<Record<string, string>>;
}

interface StoredLayer {
  mediaType: string;
  size: number;
  digest: string;
  annotations?: Readonly<Record<string, string>>;
}

const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LIMIT = 4 << 20;

/** Adds a signed layer to the tag `sha256-<hex>.<suffix>` of an image; what is there already stays. */
export async function pushSignedLayer(
  image: ImageResult,
  suffix: 'sig' | 'att',
  layer: SignedLayer,
  signal?: AbortSignal,
): Promise<void> {
  const tag = parseReference(`${image.repository}:${image.digest.replace(':', '-')}.${suffix}`);
  const existing = await storedLayers(tag, signal);
  const digest = sha256(layer.bytes);
  await putBlob(tag, { bytes: layer.bytes }, digest, signal);
  const layers = [
    ...existing,
    { mediaType: layer.mediaType, size: layer.bytes.length, digest, annotations: layer.annotations },
  ];
  const config = Buffer.from(
    JSON.stringify({
      architecture: '',
      created: '0001-01-01T00:00:00Z',
      history: layers.map(() => ({ created: '0001-01-01T00:00:00Z' })),
      os: '',
      rootfs: { type: 'layers', diff_ids: layers.map((item) => item.digest) },
      config: {},
    }),
  );
  await putBlob(tag, { bytes: config }, sha256(config), signal);
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: CONFIG, size: config.length, digest: sha256(config) },
    layers,
  };
  await putManifest(tag, { bytes: Buffer.from(JSON.stringify(manifest)), mediaType: OCI_MANIFEST }, signal);
}

async function storedLayers(tag: ReturnType<typeof parseReference>, signal?: AbortSignal): Promise<StoredLayer[]> {
  try {
    const { bytes } = await getManifest(tag, signal);
    const { layers }: { layers?: StoredLayer[] } = JSON.parse(Buffer.from(bytes).toString('utf8'));
    // A layer that cannot be read would make the whole tag useless.
    for (const layer of layers ?? []) await getBlob(tag, layer.digest, LIMIT, signal);
    return layers ?? [];
  } catch (error) {
    if (error instanceof TektonLocalError && error.code === 'NOT_FOUND') return [];
    throw error;
  }
}
