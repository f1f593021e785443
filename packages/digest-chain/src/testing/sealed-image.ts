import { ONES, ZERO } from '@multi-image/testing/image';
import { digestOf } from '../digest.ts';
import { at, decodeJson } from '../json/decode.ts';
import { LabelNames } from '../label-names.ts';
import { OCI_MANIFEST } from '../media-types.ts';
import type { Link, Seal } from '../seal/config.ts';
import type { Image } from '../seal/manifest.ts';
import { type ImageTree, sealTree, unsealTree } from '../seal/tree.ts';

/** Links to seal with: two of one role, one of another. */
export const METADATA: Link = { role: 'metadata', url: 'quay.io/org/image2:abc', digest: ZERO };
export const OTHER: Link = { role: 'metadata', url: 'quay.io/org/image2:def', digest: ONES };
export const BUNDLE: Link = { role: 'bundle', url: 'quay.io/org/bundle:abc', digest: ONES };

/** Seals an image as a tree of one. */
export function sealOne(image: Image, links: readonly Link[] = [METADATA], prefix?: string): Image {
  const [sealed] = sealTree({ manifest: image.manifest, images: [image] }, links, new LabelNames(prefix)).images;
  if (sealed === undefined) throw new Error('no image');
  return sealed;
}

export function unsealOne(image: Image, prefix?: string): { origin: Image; seal: Seal } {
  const { origin, seal } = unsealTree({ manifest: image.manifest, images: [image] }, new LabelNames(prefix));
  const [restored] = origin.images;
  if (restored === undefined) throw new Error('no image');
  return { origin: { ...restored, manifest: origin.manifest }, seal };
}

/** Seals, unseals and compares: every byte is there again. Returns the sealed image. */
export function sealAndRestore(image: Image, links: readonly Link[] = [METADATA], prefix?: string): Image {
  const sealed = sealOne(image, links, prefix);
  const { origin, seal } = unsealOne(sealed, prefix);
  if (digestOf(sealed.manifest.bytes) !== sealed.manifest.digest && !sealed.manifest.digest.startsWith('sha512:')) {
    throw new Error('the sealed digest is not that of its bytes');
  }
  for (const [restored, expected] of [
    [origin.config, image.config],
    [origin.manifest.bytes, image.manifest.bytes],
  ] as const) {
    if (Buffer.compare(restored, expected) === 0) continue;
    throw new Error(`restored ${Buffer.from(restored)}\ninstead of ${Buffer.from(expected)}`);
  }
  if (seal.sealedFrom !== image.manifest.digest) throw new Error(`sealed from ${seal.sealedFrom}`);
  return sealed;
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

/** The labels of a config. */
export function labelsOf(config: Uint8Array): Record<string, string> {
  return (at(decodeJson(config), 'config', 'Labels') ?? {}) as Record<string, string>;
}

/** An attestation as BuildKit puts it beside the images of an index; what it names is never read. */
export const ATTESTATION: string = JSON.stringify({
  mediaType: OCI_MANIFEST,
  digest: ONES,
  size: 42,
  annotations: { 'vnd.docker.reference.digest': ZERO, 'vnd.docker.reference.type': 'attestation-manifest' },
  platform: { architecture: 'unknown', os: 'unknown' },
});

/** An index of these images, each followed by what `between` says. */
export function indexOf(images: readonly Image[], mediaType: string, between: readonly string[] = []): ImageTree {
  const items = images.flatMap(({ manifest }, index) => [
    `{ "digest" : "${manifest.digest}","size":${manifest.bytes.length},"mediaType":"${manifest.mediaType}","platform":{"os":"os${index}"}}`,
    ...between,
  ]);
  const bytes = Buffer.from(
    `{"schemaVersion":2,"mediaType":"${mediaType}",\n"manifests":[${items.join(',\n')}],"x":1e2}\n`,
  );
  const unique = new Map(images.map((image) => [image.manifest.digest, image]));
  return { manifest: { bytes, mediaType, digest: digestOf(bytes) }, images: [...unique.values()] };
}
