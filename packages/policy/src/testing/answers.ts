import { decodeJson, type Image, isIndex, type RawManifest } from '@multi-image/digest-chain/oci';

// What Conforma's functions answer (conforma/cli, internal/rego/oci): go-containerregistry's structs with every field
// written, and what those do not know is gone. Manifests are given parsed; of blobs the text.

type Json = Readonly<Record<string, unknown>>;

/** What `ec.oci.image_manifest` says of a manifest, and `ec.oci.image_index` of an index. */
export function manifestAnswer({ bytes, mediaType }: Pick<RawManifest, 'bytes' | 'mediaType'>): object {
  const document = decodeJson(bytes) as Json;
  const list = (name: string): object[] => ((document[name] ?? []) as Json[]).map(descriptorAnswer);
  return {
    schemaVersion: document.schemaVersion,
    mediaType: document.mediaType ?? '',
    annotations: document.annotations ?? {},
    ...(document.subject === undefined ? {} : { subject: descriptorAnswer(document.subject as Json) }),
    ...(isIndex(mediaType)
      ? { manifests: list('manifests') }
      : { config: descriptorAnswer(document.config as Json), layers: list('layers') }),
  };
}

function descriptorAnswer(descriptor: Json): object {
  const { platform } = descriptor as { platform?: Json };
  return {
    mediaType: descriptor.mediaType ?? '',
    size: descriptor.size ?? 0,
    digest: descriptor.digest ?? '',
    data: Buffer.from(`${descriptor.data ?? ''}`, 'base64').toString(),
    urls: descriptor.urls ?? [],
    annotations: descriptor.annotations ?? {},
    artifactType: descriptor.artifactType ?? '',
    ...(platform === undefined ? {} : { platform: platformAnswer(platform) }),
  };
}

function platformAnswer(platform: Json): object {
  const empty = { architecture: '', os: '', 'os.version': '', 'os.features': [], variant: '', features: [] };
  return { ...empty, ...platform };
}

/** An image as the policy reads it; the config is packed, since it need be no text. */
export function imageAnswer({ manifest, config }: Image): object {
  return {
    digest: manifest.digest,
    manifest: manifestAnswer(manifest),
    packed: Buffer.from(config).toString('base64'),
  };
}
