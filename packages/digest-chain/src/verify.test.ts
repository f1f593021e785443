import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildChain, REVISION, type TestChain } from '@multi-image/testing/chain';
import { startCountingProxy } from '@multi-image/testing/counting-proxy';
import { startEnvironment, type TestEnvironment } from '@multi-image/testing/environment';
import { imageOf, ZERO } from '@multi-image/testing/image';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Digest } from './digest.ts';
import { parseDigestReference, parseReference, parseTagReference } from './reference.ts';
import { createRegistry } from './registry/client.ts';
import { seal } from './seal.ts';
import { type Verification, verify } from './verify.ts';

let environment: TestEnvironment;
const registry = createRegistry();

beforeAll(async () => {
  environment = await startEnvironment();
});
afterAll(async () => {
  await environment.stop();
});

type ChainOptions = Parameters<typeof pushChain>[2];

async function sealedChain(name: string, options: ChainOptions = {}): Promise<TestChain> {
  const chain = await pushChain(environment.registry.host, name, options);
  await publish(chain);
  return chain;
}

/** One whose images have layers. */
async function builtChain(
  name: string,
  options: Parameters<typeof buildChain>[3] = {},
  host = environment.registry.host,
): Promise<TestChain> {
  const chain = await buildChain(environment.builder, host, name, options);
  await publish(chain);
  return chain;
}

async function publish(chain: TestChain, metadata: Digest = chain.metadata): Promise<void> {
  const linked = { role: 'metadata', image: parseDigestReference(`${chain.image2}:${REVISION}@${metadata}`) };
  await seal(registry, parseDigestReference(`${chain.image1}@${chain.origin}`), [linked], {
    tag: parseTagReference(`${chain.image1}:${REVISION}`),
    check: false,
  });
}

const verifyTag = (chain: TestChain, revision?: string): Promise<Verification> =>
  verify(registry, parseReference(`${chain.image1}:${REVISION}`), revision === undefined ? {} : { revision });

function statuses(verification: Verification): Record<string, string> {
  return Object.fromEntries(verification.checks.map((check) => [check.id, check.status]));
}

const PASSED = {
  'link-present': 'passed',
  'linked-image-exists': 'passed',
  'embeds-origin': 'passed',
  'origin-reconstructed': 'passed',
  'same-revision': 'passed',
  // published with `check: false`, so without one
  'chain-statement': 'skipped',
  signature: 'skipped',
  provenance: 'skipped',
  builder: 'skipped',
  source: 'skipped',
  'built-by': 'skipped',
  'build-args': 'skipped',
};

describe('verify', () => {
  it.each(['oci', 'docker'] as const)('proves a chain (%s)', async (format) => {
    const chain = await builtChain(`proof-${format}`, { format });
    const proof = await verifyTag(chain, REVISION);
    expect(statuses(proof)).toEqual(PASSED);
    expect(proof).toMatchObject({
      level: 'linked',
      origin: chain.origin,
      revision: REVISION,
      links: [{ role: 'metadata', url: `${chain.image2}:${REVISION}`, digest: chain.metadata }],
    });
  });

  it('takes two requests for each image, and reads no layer', async () => {
    const proxy = await startCountingProxy(environment.registry.host);
    try {
      const chain = await builtChain('cost', {}, proxy.host);
      proxy.requests.length = 0;
      await verify(registry, parseReference(`${chain.image1}:${REVISION}`), { statement: false });
      expect(proxy.requests).toHaveLength(4);
    } finally {
      await proxy.stop();
    }
  });

  it('fails where a linked image is missing', async () => {
    const chain = await pushChain(environment.registry.host, 'missing');
    await publish(chain, ZERO);
    const proof = await verifyTag(chain);
    expect(proof.level).toBe('none');
    expect(statuses(proof)).toEqual({
      ...PASSED,
      'linked-image-exists': 'failed',
      'embeds-origin': 'skipped',
      'same-revision': 'failed',
    });
  });

  it('fails where the linked image was built with another image', async () => {
    const chain = await sealedChain('other', { embedded: ZERO });
    const proof = await verifyTag(chain);
    expect(statuses(proof)).toEqual({ ...PASSED, 'embeds-origin': 'failed' });
    expect(proof.checks.find((check) => check.id === 'embeds-origin')).toMatchObject({
      expected: expect.stringContaining(chain.origin),
      found: expect.stringContaining(ZERO),
    });
  });

  it('fails where the revisions differ, or are not the one asked for', async () => {
    const chain = await sealedChain('revision', { labels: { 'org.opencontainers.image.revision': 'f'.repeat(40) } });
    expect(statuses(await verifyTag(chain))).toEqual({ ...PASSED, 'same-revision': 'failed' });
    const same = await sealedChain('revision-asked');
    const proof = await verifyTag(same, 'f'.repeat(40));
    expect(proof.checks.find((check) => check.status === 'failed')).toMatchObject({
      id: 'same-revision',
      status: 'failed',
      expected: 'f'.repeat(40),
      found: expect.stringContaining(REVISION),
    });
  });

  it('fails where the sealed image was changed afterwards', async () => {
    const chain = await sealedChain('changed');
    const place = parseReference(chain.image1);
    const manifest = await registry.getManifest(place, REVISION);
    const { digest, size } = JSON.parse(Buffer.from(manifest.bytes).toString()).config;
    const config = Buffer.from(await registry.getBlob(place, { digest, size })).toString();
    const layers = (descriptor: string): string => `{"schemaVersion":2,"config":${descriptor},"layers":[]}`;
    const changed = imageOf(Buffer.from(config.replace('"linux"', '"linuX"')), { manifest: layers });
    await registry.putBlob(place, changed.config);
    await registry.putManifest(place, REVISION, changed.manifest);
    const proof = await verifyTag(chain);
    expect(statuses(proof)).toEqual({ ...PASSED, 'origin-reconstructed': 'failed' });
  });

  it('fails where the bytes that the registry keeps do not hash to the digest asked for', async () => {
    const chain = await sealedChain('damaged');
    const hex = chain.metadata.slice('sha256:'.length);
    const blobs = join(environment.registry.root, 'data/docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex);
    expect(await readdir(blobs)).toEqual(['data']);
    await writeFile(join(blobs, 'data'), '{"schemaVersion":2}');
    const proof = await verifyTag(chain);
    expect(proof.level).toBe('none');
    expect(statuses(proof)).toMatchObject({ 'linked-image-exists': 'failed', 'embeds-origin': 'skipped' });
    expect(proof.checks.find(({ id }) => id === 'linked-image-exists')).toMatchObject({
      evidence: expect.stringMatching(/^DIGEST_MISMATCH: /),
      expected: expect.stringContaining(chain.metadata),
    });
  });

  it('says of an image that embeds another where to start', async () => {
    const chain = await sealedChain('start');
    const proof = await verify(registry, parseReference(`${chain.image2}:${REVISION}`));
    expect(proof.level).toBe('none');
    expect(proof.checks[0]).toMatchObject({
      id: 'link-present',
      status: 'failed',
      hint: expect.stringContaining(`${chain.image1}:${REVISION}`),
    });
    expect(statuses(proof)).toMatchObject({ 'linked-image-exists': 'skipped', 'same-revision': 'skipped' });
  });

  it('throws where nothing can be checked', async () => {
    const nowhere = parseReference(`${environment.registry.host}/no/such:image`);
    await expect(verify(registry, nowhere)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(verify(registry, parseReference('127.0.0.1:1/a:b'))).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
    });
  });
});
