import { createServer } from 'node:http';
import { buildChain, REVISION, type TestChain } from '@multi-image/testing/chain';
import { startCountingProxy } from '@multi-image/testing/counting-proxy';
import { startEnvironment, type TestEnvironment } from '@multi-image/testing/environment';
import { close, listen } from '@multi-image/testing/http-server';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { extract } from './extract.ts';
import { parseDigestReference, parseReference, parseTagReference } from './reference.ts';
import { createRegistry } from './registry/client.ts';
import { seal } from './seal.ts';

let environment: TestEnvironment;
let chain: TestChain;
const registry = createRegistry();

beforeAll(async () => {
  environment = await startEnvironment();
  chain = await pushChain(environment.registry.host, 'extract');
});
afterAll(async () => {
  await environment.stop();
});

async function publish(tag: string, { image1, image2, origin, metadata }: TestChain = chain): Promise<void> {
  const linked = { role: 'metadata', image: parseDigestReference(`${image2}:${REVISION}@${metadata}`) };
  await seal(registry, parseDigestReference(`${image1}@${origin}`), [linked], {
    tag: parseTagReference(`${image1}:${tag}`),
  });
}

const extractTag = (tag: string, options: Partial<Parameters<typeof extract>[2]> = {}): ReturnType<typeof extract> =>
  extract(registry, parseReference(`${chain.image1}:${tag}`), { role: 'metadata', ...options });

describe('extract', () => {
  it('answers with the linked image, after it was proved', async () => {
    await publish('there');
    const result = await extractTag('there', { revision: REVISION });
    expect(result).toMatchObject({ url: `${chain.image2}:${REVISION}`, digest: chain.metadata });
    expect(result.verification.level).toBe('linked');
  });

  it('takes four requests', async () => {
    const proxy = await startCountingProxy(environment.registry.host);
    try {
      const through = await buildChain(environment.builder, proxy.host, 'extract-cost');
      await publish('cost', through);
      proxy.requests.length = 0;
      const { digest } = await extract(registry, parseReference(`${through.image1}:cost`), { role: 'metadata' });
      expect(digest).toBe(through.metadata);
      expect(proxy.requests.map((line) => line.replace(/[0-9a-f]{64}/, '…'))).toEqual([
        'GET /v2/extract-cost/image1/manifests/cost',
        'GET /v2/extract-cost/image1/blobs/sha256:…',
        'GET /v2/extract-cost/image2/manifests/sha256:…',
        'GET /v2/extract-cost/image2/blobs/sha256:…',
      ]);
    } finally {
      await proxy.stop();
    }
  });

  it('waits for the image of its own revision', async () => {
    const waits = Promise.withResolvers<string>();
    const waiting = extractTag('later', { deadline: 120_000, onWait: ({ reason }) => waits.resolve(reason) });
    expect(await waits.promise).toContain('NOT_FOUND');
    await publish('later');
    expect((await waiting).digest).toBe(chain.metadata);
  });

  it('gives up after the deadline and says what it waited for', async () => {
    await expect(extractTag('never', { deadline: 500 })).rejects.toMatchObject({
      code: 'WAIT_DEADLINE',
      message: expect.stringContaining(`${chain.image1}:never`),
    });
  });

  it('waits for a registry that is away, and does not without being asked', async () => {
    const away = parseReference('127.0.0.1:1/extract/image1:tag');
    const role = 'metadata';
    await expect(extract(registry, away, { role })).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    await expect(extract(registry, away, { role, deadline: 300 })).rejects.toMatchObject({ code: 'WAIT_DEADLINE' });
  });

  it('gives up while a registry that never answers is asked', async () => {
    const silent = createServer(() => undefined);
    try {
      const image = parseReference(`${await listen(silent)}/extract/image1:tag`);
      const start = performance.now();
      const waiting = extract(registry, image, { role: 'metadata', deadline: 400 });
      await expect(waiting).rejects.toMatchObject({ code: 'WAIT_DEADLINE' });
      expect(performance.now() - start).toBeLessThan(10_000);
    } finally {
      await close(silent);
    }
  });

  it('stops when it is told to', async () => {
    const signal = AbortSignal.timeout(200);
    await expect(extractTag('never', { deadline: 60_000, signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('refuses an image that does not verify, or has no link of the role', async () => {
    await publish('refused');
    await expect(extractTag('refused', { role: 'bundle' })).rejects.toMatchObject({ code: 'LINK_MISSING' });
    await expect(extractTag('refused', { revision: 'f'.repeat(40) })).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringContaining('same-revision'),
    });
    const alone = await pushChain(environment.registry.host, 'extract-alone');
    const unsealed = parseReference(`${alone.image1}:${REVISION}-unsealed`);
    await expect(extract(registry, unsealed, { role: 'metadata' })).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringContaining('link-present'),
    });
  });
});
