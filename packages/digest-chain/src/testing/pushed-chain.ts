import { type Digest, digestOf } from '../digest.ts';
import { parseReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import { REVISION, type TestChain } from './chain.ts';
import { configOf, imageOf } from './image.ts';

const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json';

/**
 * A chain as a builder would push it, without a builder: images without layers are enough where only links matter, and
 * take no time. For images as tools make them there is `buildChain`.
 */
export async function pushChain(
  host: string,
  name: string,
  options: { format?: 'oci' | 'docker'; embedded?: Digest; labels?: Readonly<Record<string, string>> } = {},
): Promise<TestChain> {
  const image1 = `${host}/${name}/image1`;
  const image2 = `${host}/${name}/image2`;
  const format = options.format ?? 'oci';
  const revision = { 'org.opencontainers.image.revision': REVISION };
  const origin = await pushImage(`${image1}:${REVISION}-unsealed`, { Labels: { ...revision, name } }, format);
  const embedded = options.embedded ?? origin;
  const url = `${image1}@${embedded}`;
  const Labels = {
    'io.konflux.poc.primary-image.digest': embedded,
    'io.konflux.poc.primary-image.url': url,
    ...revision,
    ...options.labels,
  };
  const Env = [`IMAGE1_DIGEST=${embedded}`, `IMAGE1_URL=${url}`];
  return { image1, image2, origin, metadata: await pushImage(`${image2}:${REVISION}`, { Env, Labels }, format) };
}

async function pushImage(reference: string, config: object, format: 'oci' | 'docker'): Promise<Digest> {
  const registry = createRegistry();
  const place = parseReference(reference);
  const image = imageOf(configOf(JSON.stringify(config)), format === 'docker' ? { mediaType: DOCKER } : {});
  await registry.putBlob(place, image.config);
  await registry.putManifest(place, place.tag ?? 'latest', image.manifest);
  return digestOf(image.manifest.bytes);
}
