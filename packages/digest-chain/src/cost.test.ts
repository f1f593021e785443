import { REVISION, type TestChain } from '@multi-image/testing/chain';
import { type CountingProxy, startCountingProxy } from '@multi-image/testing/counting-proxy';
import { pushLayeredImage } from '@multi-image/testing/layered-image';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { pushWideChain } from '@multi-image/testing/wide-chain';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CONCURRENCY } from '../../kit/src/concurrent.ts';
import type { Digest } from './digest.ts';
import { parseDigestReference, parseReference, parseTagReference } from './reference.ts';
import { createRegistry } from './registry/client.ts';
import { seal } from './seal.ts';
import { verify } from './verify.ts';

// What the verbs ask of a real registry (CNCF distribution: uploads take a POST and a PUT, and there is no referrers API).

let server: TestRegistry;
let proxy: CountingProxy;

beforeAll(async () => {
  server = await startTestRegistry();
  proxy = await startCountingProxy(server.host);
});
afterAll(async () => {
  await proxy.stop();
  await server.stop();
});
beforeEach(() => {
  proxy.requests.length = 0;
  proxy.bytes = 0;
  proxy.peak = 0;
});

async function layersOf(repository: string, digest: Digest): Promise<readonly string[]> {
  const { bytes } = await createRegistry().getManifest(parseReference(repository), digest);
  return JSON.parse(Buffer.from(bytes).toString()).layers.map((layer: { digest: string }) => layer.digest);
}

async function sealedChain(name: string): Promise<TestChain> {
  const chain = await pushChain(proxy.host, name);
  const linked = { role: 'metadata', image: parseDigestReference(`${chain.image2}:${REVISION}@${chain.metadata}`) };
  await seal(createRegistry(), parseDigestReference(`${chain.image1}@${chain.origin}`), [linked], {
    tag: parseTagReference(`${chain.image1}:${REVISION}`),
  });
  proxy.requests.length = 0;
  return chain;
}

describe('seal', () => {
  it.each([5, 50])('takes five requests and moves no layer, of %i', async (layers) => {
    const name = `layers-${layers}`;
    const digest = await pushLayeredImage(`${server.host}/${name}:origin`, layers, 2000);
    const linked = parseDigestReference(`${proxy.host}/linked:1@${digest}`);
    // As a command does it: with a client that knows nothing yet.
    await seal(createRegistry(), parseDigestReference(`${proxy.host}/${name}@${digest}`), [
      { role: 'metadata', image: linked },
    ]);
    expect(proxy.requests).toHaveLength(5);
    const asked = proxy.requests.join('\n');
    for (const layer of await layersOf(`${server.host}/${name}`, digest)) expect(asked).not.toContain(layer);
    // Manifest and config, there and back, and no more.
    expect(proxy.bytes).toBeLessThan(4 * (1000 + 400 * layers));
  });
});

describe('verify', () => {
  it('takes two requests for each of many images, a few at the same time', async () => {
    const tag = await pushWideChain(proxy.host, 40);
    proxy.requests.length = 0;
    proxy.peak = 0;
    const proof = await verify(createRegistry(), parseReference(tag), { statement: false });
    expect(proof).toMatchObject({ level: 'linked', links: { length: 39 } });
    expect(proxy.requests).toHaveLength(2 * 40);
    expect(proxy.peak).toBeGreaterThan(1);
    expect(proxy.peak).toBeLessThanOrEqual(CONCURRENCY);
  });

  it('takes four more where there is a chain statement to be compared', async () => {
    const chain = await sealedChain('statement');
    const proof = await verify(createRegistry(), parseReference(`${chain.image1}:${REVISION}`));
    expect(proof.checks).toContainEqual(expect.objectContaining({ id: 'chain-statement', status: 'passed' }));
    // Referrers API, fallback tag, artifact, statement.
    expect(proxy.requests).toHaveLength(4 + 4);
  });
});
