import { gzipSync } from 'node:zlib';
import { type Digest, digestOf, parseReference, type Registry } from '@multi-image/digest-chain/oci';
import { archiveOf } from '@multi-image/kit/archive';
import { REVISION } from './chain.ts';
import { configOf, imageOf } from './image.ts';

export interface EmbeddingImage {
  readonly role: string;
  /** Its repository. */
  readonly image: string;
  readonly digest: Digest;
  /** `repository@digest`: what an image that embeds it names. */
  readonly url: string;
}

/** Pushes an image that names others as Containerfiles do, in a variable and a label each, and holds these files, if any. */
export async function pushEmbedding(
  registry: Registry,
  image: string,
  role: string,
  embeds: readonly EmbeddingImage[],
  {
    tag = REVISION,
    revision = REVISION,
    source,
    files,
  }: {
    readonly tag?: string;
    readonly revision?: string;
    /** The git repository that it says it was built from. */
    readonly source?: string;
    readonly files?: Readonly<Record<string, string>>;
  } = {},
): Promise<EmbeddingImage> {
  const config = configOf(
    JSON.stringify({
      Env: embeds.flatMap((other) => {
        const name = other.role.toUpperCase().replaceAll('-', '_');
        return [`${name}_DIGEST=${other.digest}`, `${name}_URL=${other.url}`];
      }),
      Labels: Object.fromEntries([
        ['org.opencontainers.image.revision', revision],
        ['name', role],
        ...(source === undefined ? [] : [['org.opencontainers.image.source', source]]),
        ...embeds.flatMap((other) => [
          [`io.konflux.poc.${other.role}-image.digest`, other.digest],
          [`io.konflux.poc.${other.role}-image.url`, other.url],
        ]),
      ]),
    }),
  );
  const layer = files && gzipSync(archiveOf(files));
  const layers = layer && [
    { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digestOf(layer), size: layer.length },
  ];
  const { manifest } = imageOf(config, {
    manifest: (descriptor) => `{"schemaVersion":2,"config":${descriptor},"layers":${JSON.stringify(layers ?? [])}}`,
  });
  const place = parseReference(image);
  for (const blob of layer === undefined ? [config] : [config, layer]) await registry.putBlob(place, blob);
  await registry.putManifest(place, tag, manifest);
  return { role, image, digest: manifest.digest, url: `${image}@${manifest.digest}` };
}
