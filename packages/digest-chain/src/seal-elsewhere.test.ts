import { buildChain, REVISION, type TestChain } from '@multi-image/testing/chain';
import { command, hasCommand } from '@multi-image/testing/command';
import { type CountingProxy, startCountingProxy } from '@multi-image/testing/counting-proxy';
import { startEnvironment, type TestEnvironment } from '@multi-image/testing/environment';
import { pushLayeredImage } from '@multi-image/testing/layered-image';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDigestReference, parseReference, parseTagReference } from './reference.ts';
import { createRegistry } from './registry/client.ts';
import { seal } from './seal.ts';
import { unseal } from './unseal.ts';
import { verify } from './verify.ts';

let environment: TestEnvironment;
let other: TestRegistry;
let proxy: CountingProxy;
const registry = createRegistry();

beforeAll(async () => {
  [environment, other] = await Promise.all([startEnvironment(), startTestRegistry()]);
  proxy = await startCountingProxy(environment.registry.host);
});
afterAll(async () => {
  await proxy.stop();
  await Promise.all([environment.stop(), other.stop()]);
});

async function publish(chain: TestChain, tag: string): Promise<string> {
  const linked = { role: 'metadata', image: parseDigestReference(`${chain.image2}:${REVISION}@${chain.metadata}`) };
  const origin = parseDigestReference(`${chain.image1}@${chain.origin}`);
  const { url, digest } = await seal(registry, origin, [linked], { tag: parseTagReference(tag) });
  expect(url).toBe(tag);
  return `${url}@${digest}`;
}

describe('seal into another repository', () => {
  it.each([5, 50])('mounts each of %i layers with one request', async (layers) => {
    const digest = await pushLayeredImage(`${proxy.host}/from-${layers}:origin`, layers, 2000);
    const origin = parseDigestReference(`${proxy.host}/from-${layers}@${digest}`);
    const to = { registry: proxy.host, repository: `to-${layers}` };
    proxy.requests.length = 0;
    proxy.bytes = 0;
    const sealed = await seal(createRegistry(), origin, [{ role: 'metadata', image: origin }], { to });
    expect(proxy.requests).toHaveLength(layers + 5);
    // No layer was moved.
    expect(proxy.bytes).toBeLessThan(4 * (1000 + 400 * layers));
    const { origin: restored } = await unseal(registry, { ...to, digest: sealed.digest });
    expect(restored.manifest.digest).toBe(digest);
  });

  it.each([
    ['image', {}],
    ['index', { platforms: ['linux/amd64', 'linux/arm64'] }],
  ])('brings an %s to another registry whole', async (name, options) => {
    const chain = await buildChain(environment.builder, environment.registry.host, `elsewhere-${name}`, options);
    const tag = `${other.host}/released/${name}:1.0`;
    const sealed = await publish(chain, tag);
    const proof = await verify(registry, parseReference(tag));
    expect(proof).toMatchObject({ level: 'linked', origin: chain.origin });
    expect(proof.checks).toContainEqual(expect.objectContaining({ id: 'chain-statement', status: 'passed' }));
    // What is not there has no statement there.
    expect(await registry.listReferrers(parseReference(tag), chain.origin)).toEqual([]);
    // From the other end, by the statement.
    const back = await verify(registry, parseReference(`${chain.image2}:${REVISION}`));
    expect(back.level).toBe('linked');
    if (!hasCommand('skopeo')) return;
    const flags = ['--all', '--preserve-digests', '--src-tls-verify=false', '--dest-tls-verify=false'];
    await command('skopeo', ['copy', '-q', ...flags, `docker://${tag}`, `docker://${other.host}/copy:${name}`]);
    expect((await registry.getManifest(parseReference(`${other.host}/copy`), name)).digest).toBe(sealed.split('@')[1]);
  });

  it('brings what else an index lists as it is', async () => {
    const place = parseReference(`${environment.registry.host}/attested`);
    const image = await pushLayeredImage(`${environment.registry.host}/attested:image`, 1, 100);
    const attestation = await pushLayeredImage(`${environment.registry.host}/attested:attestation`, 1, 100);
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const entry = async (digest: typeof image, extra: object): Promise<object> => {
      const manifest = await registry.getManifest(place, digest);
      return { mediaType: manifest.mediaType, digest, size: manifest.bytes.length, ...extra };
    };
    const annotations = { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': image };
    const manifests = [
      await entry(image, { platform: { architecture: 'amd64', os: 'linux' } }),
      await entry(attestation, { annotations, platform: { architecture: 'unknown', os: 'unknown' } }),
    ];
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
    const { digest } = await registry.putManifest(place, 'index', { bytes, mediaType });
    const to = { registry: other.host, repository: 'attested' };
    await seal(registry, { ...place, digest }, [{ role: 'metadata', image: { ...place, digest } }], { to });
    expect((await registry.getManifest(to, attestation)).digest).toBe(attestation);
  });

  it('refuses a tag that is not in that repository', async () => {
    const chain = await pushChain(environment.registry.host, 'refused');
    const origin = parseDigestReference(`${chain.image1}@${chain.origin}`);
    const linked = { role: 'metadata', image: parseDigestReference(`${chain.image2}@${chain.metadata}`) };
    const tag = parseTagReference(`${chain.image1}:sealed`);
    const to = { registry: other.host, repository: 'refused' };
    await expect(seal(registry, origin, [linked], { tag, to })).rejects.toMatchObject({ code: 'USAGE' });
  });
});
