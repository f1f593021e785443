import { field, type JsonValue, rawText, textIn } from '../json/scan.ts';
import { DOCKER_CONFIG, DOCKER_MANIFEST, OCI_CONFIG, OCI_MANIFEST } from '../media-types.ts';
import type { RawManifest } from '../registry/registry.ts';
import { artifactTypeOf, notAnImage, type PlacedDescriptor, placeDescriptor, scanDocument } from './document.ts';

export const IMAGE_CONFIGS: readonly string[] = [OCI_CONFIG, DOCKER_CONFIG];
const LAYER = /^application\/vnd\.(?:oci\.image\.layer|docker\.image\.rootfs)\./;

/** An image as bytes: its manifest and its config. Layers are never needed. */
export interface Image {
  readonly manifest: RawManifest;
  readonly config: Uint8Array;
}

/** What sealing needs of an image manifest. */
export interface ImageManifest {
  readonly root: JsonValue;
  readonly config: PlacedDescriptor;
}

/**
 * Reads an image manifest (image-spec, manifest.md; Docker's manifest v2 schema 2). Throws `MEDIA_TYPE_UNSUPPORTED` for
 * other documents, `NOT_AN_IMAGE` for artifacts, also for those that are dressed as images.
 */
export function readImageManifest(bytes: Uint8Array, mediaType: string): ImageManifest {
  const root = scanDocument(bytes, mediaType, [OCI_MANIFEST, DOCKER_MANIFEST]);
  const artifactType = artifactTypeOf(bytes, root);
  if (artifactType !== undefined) throw notAnImage('it has an artifactType', 'none', artifactType);
  const layers = field(root, 'layers');
  // Go writes a list of none as null.
  const none = layers !== undefined && rawText(bytes, layers) === 'null';
  if (layers?.type !== 'array' && !none) throw notAnImage('its manifest has no layers', 'an array', 'none');
  const config = placeDescriptor(bytes, field(root, 'config'));
  if (!IMAGE_CONFIGS.includes(config.mediaType)) {
    throw notAnImage('its config is of another type', IMAGE_CONFIGS.join(' or '), config.mediaType);
  }
  for (const layer of layers.type === 'array' ? layers.items : []) {
    const type = textIn(bytes, field(layer, 'mediaType'));
    if (!LAYER.test(type)) throw notAnImage('it has content that is no file system layer', 'layers', type);
  }
  return { root, config };
}
