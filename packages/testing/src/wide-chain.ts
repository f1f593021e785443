import { seal } from '@multi-image/digest-chain';
import {
  createRegistry,
  digestOf,
  parseDigestReference,
  parseReference,
  parseTagReference,
} from '@multi-image/digest-chain/oci';
import { mapConcurrently } from '@multi-image/kit/concurrent';
import { configOf, imageOf } from './image.ts';

/** Pushes a chain in which all images but one embed that one; answers with its tag. */
export async function pushWideChain(host: string, images: number): Promise<string> {
  const registry = createRegistry();
  const revision = { 'org.opencontainers.image.revision': '0'.repeat(40) };
  const push = async (name: string, tag: string, config: object): Promise<string> => {
    const place = parseReference(`${host}/${name}:${tag}`);
    const image = imageOf(configOf(JSON.stringify(config)));
    await registry.putBlob(place, image.config);
    await registry.putManifest(place, tag, image.manifest);
    return `${host}/${name}:${tag}@${digestOf(image.manifest.bytes)}`;
  };
  const origin = parseDigestReference(await push('wide/primary', 'origin', { Labels: revision }));
  const url = `${host}/wide/primary@${origin.digest}`;
  const embedded = { 'io.konflux.poc.primary-image.digest': origin.digest, 'io.konflux.poc.primary-image.url': url };
  const Env = [`IMAGE1_DIGEST=${origin.digest}`, `IMAGE1_URL=${url}`];
  const numbers = Array.from({ length: images - 1 }, (_, index) => index);
  const linked = await mapConcurrently(numbers, async (number) => {
    const Labels = { ...embedded, ...revision, number: `${number}` };
    const reference = await push('wide/linked', `image-${number}`, { Env, Labels });
    return { role: `image${number}`, image: parseDigestReference(reference) };
  });
  const tag = `${host}/wide/primary:sealed`;
  await seal(registry, origin, linked, { tag: parseTagReference(tag), check: false });
  return tag;
}
