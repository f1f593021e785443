import {
  type BlobDescriptor,
  createRegistry,
  type Digest,
  digestOf,
  parseReference,
} from '@multi-image/digest-chain/oci';
import { REVISION, type TestChain } from './chain.ts';
import { configOf, imageOf } from './image.ts';

const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json';

const INDEX = 'application/vnd.oci.image.index.v1+json';

interface PushOptions {
  readonly format?: 'oci' | 'docker';
  readonly embedded?: Digest;
  /** Of Image 2, beside those of the link or in their place; `env` likewise. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Pushes indexes with an image for each. */
  readonly platforms?: readonly string[];
}

/**
 * A chain as a builder would push it, without a builder: images without layers are enough where only links matter, and
 * take no time. For images as tools make them there is `buildChain`.
 */
export async function pushChain(host: string, name: string, options: PushOptions = {}): Promise<TestChain> {
  const image1 = `${host}/${name}/image1`;
  const image2 = `${host}/${name}/image2`;
  const revision = { 'org.opencontainers.image.revision': REVISION };
  const origin = await pushImage(`${image1}:${REVISION}-unsealed`, { ...revision, name }, [], options);
  const embedded = options.embedded ?? origin;
  const url = `${image1}@${embedded}`;
  const Labels = {
    'io.konflux.poc.primary-image.digest': embedded,
    'io.konflux.poc.primary-image.url': url,
    ...revision,
    ...options.labels,
  };
  const variables = { IMAGE1_DIGEST: embedded, IMAGE1_URL: url, ...options.env };
  const Env = Object.entries(variables).map(([key, value]) => `${key}=${value}`);
  return { image1, image2, origin, metadata: await pushImage(`${image2}:${REVISION}`, Labels, Env, options) };
}

async function pushImage(
  reference: string,
  labels: Readonly<Record<string, string>>,
  Env: readonly string[],
  { format, platforms }: PushOptions,
): Promise<Digest> {
  const registry = createRegistry();
  const place = parseReference(reference);
  const push = async (Labels: object, tag: string | undefined): Promise<BlobDescriptor & { mediaType: string }> => {
    const config = configOf(JSON.stringify({ Env, Labels }));
    const { manifest } = imageOf(config, format === 'docker' ? { mediaType: DOCKER } : {});
    await registry.putBlob(place, config);
    await registry.putManifest(place, tag ?? manifest.digest, manifest);
    return { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length };
  };
  const tag = place.tag ?? 'latest';
  if (platforms === undefined) return (await push(labels, tag)).digest;
  const manifests = await Promise.all(platforms.map((platform) => push({ ...labels, platform }, undefined)));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }));
  await registry.putManifest(place, tag, { bytes, mediaType: INDEX });
  return digestOf(bytes);
}
