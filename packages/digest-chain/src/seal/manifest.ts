import { isDigest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { field } from '../json/field.ts';
import { decodeString, get, type JsonValue, rawText, scanJson } from '../json/scan.ts';
import { splice } from '../json/splice.ts';
import type { BlobDescriptor } from '../registry/registry.ts';

/** Registries must accept manifests of this size, and no larger ones (distribution-spec, "Pushing Manifests"). Bytes. */
export const MAX_MANIFEST_SIZE: number = 4 * 1024 * 1024;

export const OCI_MANIFEST: string = 'application/vnd.oci.image.manifest.v1+json';
export const DOCKER_MANIFEST: string = 'application/vnd.docker.distribution.manifest.v2+json';

const CONFIGS = ['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json'];
const LAYER = /^application\/vnd\.(?:oci\.image\.layer|docker\.image\.rootfs)\./;
const SIZE = /^(?:0|[1-9][0-9]{0,14})$/;

/** What sealing needs of an image manifest; the values and where they stand. */
export interface ImageManifest {
  readonly root: JsonValue;
  readonly config: BlobDescriptor;
  readonly digestToken: JsonValue;
  readonly sizeToken: JsonValue;
}

/**
 * Reads an image manifest (image-spec, manifest.md; Docker's manifest v2 schema 2). Throws `MEDIA_TYPE_UNSUPPORTED` for
 * other documents, `NOT_AN_IMAGE` for artifacts.
 */
export function readImageManifest(bytes: Uint8Array, mediaType: string): ImageManifest {
  if (mediaType !== OCI_MANIFEST && mediaType !== DOCKER_MANIFEST) {
    throw new DigestChainError('MEDIA_TYPE_UNSUPPORTED', 'not an image manifest', {
      expected: `${OCI_MANIFEST} or ${DOCKER_MANIFEST}`,
      found: mediaType.slice(0, 160),
    });
  }
  if (bytes.length > MAX_MANIFEST_SIZE) throw tooLarge(bytes.length);
  const root = scanJson(bytes);
  checkMediaType(bytes, root, mediaType);
  const config = field(root, 'config');
  const layers = field(root, 'layers');
  if (config?.type !== 'object' || layers?.type !== 'array') {
    throw notAnImage('its manifest has no config or no layers', 'config and layers', 'others');
  }
  const configType = textOf(bytes, field(config, 'mediaType'));
  if (!CONFIGS.includes(configType))
    throw notAnImage('its config is of another type', CONFIGS.join(' or '), configType);
  for (const layer of layers.items) {
    const type = textOf(bytes, field(layer, 'mediaType'));
    if (!LAYER.test(type)) throw notAnImage('it has content that is no file system layer', 'layers', type);
  }
  const artifactType = get(root, 'artifactType');
  if (artifactType !== undefined) {
    throw notAnImage('it has an artifactType', 'none', textOf(bytes, artifactType));
  }
  return readConfigDescriptor(bytes, root, config);
}

/**
 * The manifest with another config: its digest and size change, every other byte stays. Throws `SEAL_REFUSED` for an
 * image that this would damage.
 */
export function replaceConfig(bytes: Uint8Array, manifest: ImageManifest, config: BlobDescriptor): Uint8Array {
  if (get(manifest.root, 'subject') !== undefined) throw refused('it is attached to another manifest (subject)');
  for (const name of ['data', 'urls']) {
    if (get(get(manifest.root, 'config'), name) === undefined) continue;
    throw refused(`its config descriptor has "${name}", which a seal would make wrong`);
  }
  const replaced = splice(bytes, [
    { start: manifest.digestToken.start, end: manifest.digestToken.end, text: `"${config.digest}"` },
    { start: manifest.sizeToken.start, end: manifest.sizeToken.end, text: `${config.size}` },
  ]);
  if (replaced.length > MAX_MANIFEST_SIZE) throw tooLarge(replaced.length);
  return replaced;
}

function readConfigDescriptor(bytes: Uint8Array, root: JsonValue, config: JsonValue): ImageManifest {
  const digestToken = field(config, 'digest');
  const sizeToken = field(config, 'size');
  if (digestToken?.type !== 'string' || sizeToken?.type !== 'number') {
    throw notAnImage('its config descriptor has no digest or no size', 'a digest and a size', 'others');
  }
  // Written in another way (escapes, exponents) they could not be restored, and no common tool writes them so.
  const digest = rawText(bytes, digestToken).slice(1, -1);
  const size = rawText(bytes, sizeToken);
  if (!isDigest(digest)) throw refused("its config's digest is not written plainly", digest);
  if (!SIZE.test(size)) throw refused("its config's size is not written plainly", size);
  return { root, config: { digest, size: Number(size) }, digestToken, sizeToken };
}

/** A document that says what it is must say what its Content-Type says (image-spec, manifest.md, "mediaType"). */
export function checkMediaType(bytes: Uint8Array, root: JsonValue, mediaType: string): void {
  const version = field(root, 'schemaVersion');
  const declared = field(root, 'mediaType');
  const found = declared === undefined ? undefined : textOf(bytes, declared);
  // Docker's format has always had the field; OCI's made it optional at first.
  if (found === mediaType || (found === undefined && mediaType.startsWith('application/vnd.oci.'))) {
    if (version?.type === 'number' && rawText(bytes, version) === '2') return;
    throw new DigestChainError('MEDIA_TYPE_UNSUPPORTED', 'not a manifest of schema version 2');
  }
  throw new DigestChainError('MEDIA_TYPE_UNSUPPORTED', 'the manifest says that it is something else', {
    expected: mediaType,
    found: found?.slice(0, 160) ?? 'no mediaType',
  });
}

function textOf(bytes: Uint8Array, value: JsonValue | undefined): string {
  return value?.type === 'string' ? decodeString(bytes, value) : '';
}

function notAnImage(reason: string, expected: string, found: string): DigestChainError {
  return new DigestChainError('NOT_AN_IMAGE', `not an image: ${reason}`, {
    expected,
    found: JSON.stringify(found.slice(0, 160)),
  });
}

function refused(reason: string, found?: string): DigestChainError {
  return new DigestChainError(
    'SEAL_REFUSED',
    `the image can't be sealed: ${reason}`,
    found === undefined ? {} : { found: JSON.stringify(found.slice(0, 160)) },
  );
}

function tooLarge(found: number): DigestChainError {
  return new DigestChainError('SEAL_REFUSED', 'the manifest is too large', {
    expected: `at most ${MAX_MANIFEST_SIZE} bytes`,
    found: `${found} bytes`,
  });
}
