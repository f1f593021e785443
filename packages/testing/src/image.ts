import { type Digest, digestOf, type Image, OCI_MANIFEST } from '@multi-image/digest-chain/oci';

export const ZERO: Digest = `sha256:${'0'.repeat(64)}`;
export const ONES: Digest = `sha256:${'1'.repeat(64)}`;

export const CONFIG_TYPES: Readonly<Record<string, string>> = {
  [OCI_MANIFEST]: 'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json': 'application/vnd.docker.container.image.v1+json',
};

/** A config whose `config` member is this text; `rootfs` makes it an image config. */
export function configOf(member?: string): Uint8Array {
  const config = member === undefined ? '' : `,"config":${member}`;
  return Buffer.from(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}${config}}`);
}

/** A whole image around a config; `manifest` may replace the manifest's text. */
export function imageOf(
  config: Uint8Array,
  options: { mediaType?: string; manifest?: (descriptor: string) => string } = {},
): Image {
  const mediaType = options.mediaType ?? OCI_MANIFEST;
  const descriptor = `{"mediaType":"${CONFIG_TYPES[mediaType]}","digest":"${digestOf(config)}","size":${config.length}}`;
  const text =
    options.manifest?.(descriptor) ??
    `{"schemaVersion":2,"mediaType":"${mediaType}","config":${descriptor},"layers":[],"annotations":{"config":"decoy"}}`;
  const bytes = Buffer.from(text);
  return { manifest: { bytes, mediaType, digest: digestOf(bytes) }, config };
}
