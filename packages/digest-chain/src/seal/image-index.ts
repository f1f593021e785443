import { type Digest, digestAlgorithm, digestOf, isDigest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { field, get, type JsonValue, textIn } from '../json/scan.ts';
import { DOCKER_LIST, DOCKER_MANIFEST, isIndex, OCI_INDEX, OCI_MANIFEST } from '../media-types.ts';
import type { RawManifest } from '../registry/registry.ts';
import type { Seal } from './config.ts';
import {
  artifactTypeOf,
  notAnImage,
  type PlacedDescriptor,
  placeDescriptor,
  refused,
  refuseSubject,
  replaceDescriptors,
  scanDocument,
  unread,
} from './document.ts';
import { IMAGE_CONFIGS, type Image } from './manifest.ts';

/** More images than this in one index are refused. */
export const MAX_CHILDREN: number = 256;

/** What sealing needs of an index. */
export interface ImageIndex {
  readonly root: JsonValue;
  /** Where images are named, in order; the same image may be named twice. Attestations and artifacts are left out. */
  readonly images: readonly PlacedDescriptor[];
  /** What is marked as no image and could be run nevertheless: whoever reads the index has to look ({@link requireArtifact}). */
  readonly artifacts: readonly Digest[];
}

/**
 * Reads an index (image-spec, image-index.md; Docker's manifest list). Throws `NOT_AN_IMAGE` where it names no image,
 * `SEAL_REFUSED` where it names what is neither image nor artifact: an index within an index, a type that is not known.
 */
export function readIndex(bytes: Uint8Array, mediaType: string): ImageIndex {
  const root = scanDocument(bytes, mediaType, [OCI_INDEX, DOCKER_LIST]);
  const artifactType = artifactTypeOf(bytes, root);
  if (artifactType !== undefined) throw notAnImage('its index has an artifactType', 'none', artifactType);
  const manifests = field(root, 'manifests');
  if (manifests?.type !== 'array') throw notAnImage('its index has no manifests', 'an array', 'none');
  const others = manifests.items.filter((item) => !isAttachment(bytes, item));
  const artifacts = others.filter((item) => isMarked(bytes, item)).map((item) => readArtifactDigest(bytes, item));
  const images = others.filter((item) => !isMarked(bytes, item)).map((item) => readChild(bytes, item));
  if (images.length === 0) throw notAnImage('its index names no image', 'at least one', 'none');
  const count = images.length + artifacts.length;
  if (count > MAX_CHILDREN) throw unread(`its index names more than ${MAX_CHILDREN} images`, `${count}`);
  return { root, images, artifacts };
}

/**
 * Throws `NOT_AN_IMAGE` where what an index marks as an artifact is an image: the tools that run images take what fits
 * their platform, whatever the mark says.
 */
export function requireArtifact({ bytes, digest, mediaType }: RawManifest): void {
  let type = mediaType;
  if (mediaType === OCI_MANIFEST) {
    const config = field(scanDocument(bytes, mediaType, [OCI_MANIFEST]), 'config');
    type = textIn(bytes, field(config, 'mediaType'));
    if (!IMAGE_CONFIGS.includes(type)) return;
  }
  const expected = 'an artifact, or platform unknown/unknown';
  throw notAnImage('its index marks an image as an artifact', expected, `${type} (${digest})`);
}

/** The index with other images in the places of the old ones, by their old digests. */
export function replaceImages(index: RawManifest, images: ReadonlyMap<Digest, RawManifest>): Uint8Array {
  const read = readIndex(index.bytes, index.mediaType);
  refuseSubject(read.root);
  return replaceDescriptors(
    index.bytes,
    read.images.map((old) => {
      const by = images.get(old.digest);
      if (by === undefined) throw refused('an image of its index is missing', old.digest);
      return { old, by: { digest: by.digest, size: by.bytes.length } };
    }),
  );
}

/** Checks that these are the images of the index: each once, with the bytes that the index names. */
export function checkImages(index: RawManifest, images: readonly Image[]): void {
  const found = new Map(images.map(({ manifest }) => [manifest.digest, manifest]));
  for (const { digest, size, mediaType } of readIndex(index.bytes, index.mediaType).images) {
    const manifest = found.get(digest);
    const actual =
      manifest &&
      `${digestOf(manifest.bytes, digestAlgorithm(digest))}, ${manifest.bytes.length} bytes, ${manifest.mediaType}`;
    const expected = `${digest}, ${size} bytes, ${mediaType}`;
    if (actual === expected) continue;
    throw new DigestChainError('DIGEST_MISMATCH', 'an image is not the one that the index names', {
      expected,
      found: actual ?? 'nothing',
    });
  }
}

/** All images of an index carry the same seal; throws `SEAL_BROKEN`. */
export function commonSeal(seals: readonly Seal[]): Seal {
  const [first, ...others] = seals;
  const text = JSON.stringify(first);
  if (first !== undefined && others.every((other) => JSON.stringify(other) === text)) return first;
  throw new DigestChainError('SEAL_BROKEN', 'the images of the index have different seals', {
    expected: 'the same links in each',
    hint: 'seal the index, not its images one by one',
  });
}

/** Marked, and for no platform that there is: what BuildKit puts beside the images, and nobody runs. */
function isAttachment(bytes: Uint8Array, item: JsonValue): boolean {
  const platform = field(item, 'platform');
  const names = ['os', 'architecture'].map((key) => textIn(bytes, field(platform, key)));
  return isMarked(bytes, item) && names.every((name) => name === 'unknown');
}

/** BuildKit's attestations have an annotation, OCI artifacts an artifactType; an image's is the type of its config. */
function isMarked(bytes: Uint8Array, item: JsonValue): boolean {
  const artifactType = artifactTypeOf(bytes, item);
  if (artifactType !== undefined && !IMAGE_CONFIGS.includes(artifactType)) return true;
  return textIn(bytes, get(get(item, 'annotations'), 'vnd.docker.reference.type')) === 'attestation-manifest';
}

function readArtifactDigest(bytes: Uint8Array, item: JsonValue): Digest {
  const mediaType = textIn(bytes, field(item, 'mediaType'));
  if (isIndex(mediaType)) throw unread('its index names another index', mediaType);
  const digest = textIn(bytes, field(item, 'digest'));
  if (isDigest(digest)) return digest;
  throw unread("a descriptor's digest is not written plainly", digest);
}

function readChild(bytes: Uint8Array, item: JsonValue): PlacedDescriptor {
  const mediaType = textIn(bytes, field(item, 'mediaType'));
  if (isIndex(mediaType)) throw unread('its index names another index', mediaType);
  if (mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST) return placeDescriptor(bytes, item);
  throw unread('its index names something that is not known', mediaType);
}
