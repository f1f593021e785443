import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildChain, REVISION, type TestChain } from '@multi-image/testing/chain';
import { startCountingProxy } from '@multi-image/testing/counting-proxy';
import { startEnvironment, type TestEnvironment } from '@multi-image/testing/environment';
import { imageOf, ZERO } from '@multi-image/testing/image';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { makeScratch } from '@multi-image/testing/scratch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDigestReference, parseReference, parseTagReference } from './reference.ts';
import { createRegistry } from './registry/client.ts';
import { type SealOptions, type SealResult, seal } from './seal.ts';
import { runCli } from './testing/cli.ts';
import { unseal } from './unseal.ts';
import { verify } from './verify.ts';

let environment: TestEnvironment;
const registry = createRegistry();

beforeAll(async () => {
  environment = await startEnvironment();
});
afterAll(async () => {
  await environment.stop();
});

function sealChain(
  chain: TestChain,
  options: SealOptions = {},
  metadata: string = chain.metadata,
): Promise<SealResult> {
  const linked = { role: 'metadata', image: parseDigestReference(`${chain.image2}:${REVISION}@${metadata}`) };
  return seal(registry, parseDigestReference(`${chain.image1}@${chain.origin}`), [linked], options);
}

const tagOf = (chain: TestChain, tag = REVISION): { tag: ReturnType<typeof parseTagReference> } => ({
  tag: parseTagReference(`${chain.image1}:${tag}`),
});

function skopeo(...args: string[]): { Digest: string; Architecture: string; Labels: Record<string, string> } {
  return JSON.parse(execFileSync('skopeo', args, { encoding: 'utf8' }));
}

function exists(chain: TestChain, tag: string): Promise<boolean> {
  return registry.getManifest(parseReference(chain.image1), tag).then(
    () => true,
    () => false,
  );
}

describe.each(['oci', 'docker'] as const)('seal of an image that buildah made (%s)', (format) => {
  it('is published under the tag, shows its labels to skopeo, and unseals to the origin', async () => {
    const chain = await buildChain(environment.builder, environment.registry.host, `seal-${format}`, { format });
    const result = await sealChain(chain, tagOf(chain));
    expect(result).toMatchObject({ url: `${chain.image1}:${REVISION}`, origin: chain.origin, images: [] });
    const shown = skopeo('inspect', '--tls-verify=false', `docker://${chain.image1}:${REVISION}`);
    expect(shown.Digest).toBe(result.digest);
    expect(shown.Labels).toMatchObject({
      'io.konflux.poc.metadata-image.digest': chain.metadata,
      'io.konflux.poc.metadata-image.url': `${chain.image2}:${REVISION}`,
      'io.konflux.poc.sealed-from.digest': chain.origin,
      'org.opencontainers.image.revision': REVISION,
    });
    const { origin } = await unseal(registry, parseReference(`${chain.image1}:${REVISION}`));
    const built = await registry.getManifest(parseReference(chain.image1), chain.origin);
    expect(origin.manifest).toEqual(built);
    expect((await sealChain(chain, tagOf(chain))).digest).toBe(result.digest);
  });
});

describe.each(['oci', 'docker'] as const)('seal of an index that buildah made (%s)', (format) => {
  const platforms = ['linux/amd64', 'linux/arm64', 'linux/s390x'];
  let chain: TestChain;

  beforeAll(async () => {
    chain = await buildChain(environment.builder, environment.registry.host, `index-${format}`, { format, platforms });
  });

  it('seals each image, unseals to the origin, and survives being copied', async () => {
    const { registry: server } = environment;
    const result = await sealChain(chain, tagOf(chain));
    expect(result.origin).toBe(chain.origin);
    const sealed = `${chain.image1}:${REVISION}`;
    const { bytes } = await registry.getManifest(parseReference(chain.image1), result.digest);
    const { manifests } = JSON.parse(Buffer.from(bytes).toString()) as { manifests: { digest: string }[] };
    expect(result.images).toEqual(manifests.map(({ digest }) => digest));
    expect(result.images).toHaveLength(platforms.length);
    for (const platform of platforms) {
      const arch = platform.slice('linux/'.length);
      const shown = skopeo('--override-arch', arch, 'inspect', '--tls-verify=false', `docker://${sealed}`);
      expect(shown.Architecture).toBe(arch);
      expect(shown.Labels).toMatchObject({
        'io.konflux.poc.metadata-image.digest': chain.metadata,
        'io.konflux.poc.sealed-from.digest': chain.origin,
      });
    }
    const built = await registry.getManifest(parseReference(chain.image1), chain.origin);
    const { origin } = await unseal(registry, parseReference(sealed));
    expect(origin.manifest).toEqual(built);
    expect((await sealChain({ ...chain, origin: result.digest }, tagOf(chain))).digest).toBe(result.digest);

    const copy = `${server.host}/index-${format}/copy:1`;
    const flags = ['--all', '--preserve-digests', '--src-tls-verify=false', '--dest-tls-verify=false'];
    execFileSync('skopeo', ['copy', '-q', ...flags, `docker://${sealed}`, `docker://${copy}`]);
    expect((await unseal(registry, parseReference(copy))).origin.manifest).toEqual(built);
    expect((await verify(registry, parseReference(sealed))).level).toBe('linked');
  });

  it('says which images are in it, for a build system to sign', async () => {
    const { folder, remove } = makeScratch('images');
    try {
      const file = join(folder, 'IMAGES');
      const linked = `metadata=${chain.image2}:${REVISION}@${chain.metadata}`;
      const origin = `${chain.image1}@${chain.origin}`;
      const { stdout, status } = await runCli(['seal', origin, linked, '--result-images', file, '--json']);
      expect(status).toBe(0);
      const { images } = JSON.parse(stdout) as SealResult;
      expect(images).toHaveLength(platforms.length);
      expect(readFileSync(file, 'utf8')).toBe(images.map((digest) => `${chain.image1}@${digest}`).join(','));
    } finally {
      await remove();
    }
  });

  it('takes five requests for each image, and two for the index', async () => {
    const proxy = await startCountingProxy(environment.registry.host);
    try {
      await sealChain({ ...chain, image1: chain.image1.replace(/^[^/]+/, proxy.host) });
      expect(proxy.requests).toHaveLength(5 * platforms.length + 2);
      expect(proxy.requests.at(-1)).toMatch(/^PUT .*\/manifests\//);
    } finally {
      await proxy.stop();
    }
  });
});

describe('seal', () => {
  it('takes five requests', async () => {
    const proxy = await startCountingProxy(environment.registry.host);
    try {
      const chain = await pushChain(environment.registry.host, 'count');
      const through = { ...chain, image1: chain.image1.replace(/^[^/]+/, proxy.host) };
      await sealChain(through);
      // CNCF distribution has no upload in a single POST: the config takes POST and PUT.
      const requests = proxy.requests.map((line) => line.replace(/[0-9a-f]{64}|(?<=uploads\/)\S+/g, '…'));
      // The first two are sent at the same time.
      expect(requests.slice(0, 2).toSorted()).toEqual([
        'GET /v2/count/image1/manifests/sha256:…',
        'POST /v2/count/image1/blobs/uploads/',
      ]);
      expect(requests.slice(2)).toEqual([
        'GET /v2/count/image1/blobs/sha256:…',
        'PUT /v2/count/image1/blobs/uploads/…',
        'PUT /v2/count/image1/manifests/sha256:…',
      ]);
    } finally {
      await proxy.stop();
    }
  });

  it('reads each linked image with two requests before it writes the tag with the one PUT', async () => {
    const proxy = await startCountingProxy(environment.registry.host);
    try {
      const chain = await pushChain(proxy.host, 'count-tag');
      proxy.requests.length = 0;
      await sealChain(chain, { ...tagOf(chain), statement: false, carry: false });
      expect(proxy.requests).toHaveLength(7);
      expect(proxy.requests.filter((line) => line.startsWith('GET'))).toHaveLength(4);
      expect(proxy.requests.at(-1)).toBe(`PUT /v2/count-tag/image1/manifests/${REVISION}`);
      // Opening an upload sends nothing yet.
      const firstWrite = proxy.requests.findIndex((line) => line.startsWith('PUT '));
      expect(proxy.requests.slice(0, firstWrite).filter((line) => line.startsWith('GET '))).toHaveLength(4);
    } finally {
      await proxy.stop();
    }
  });

  it('refuses a linked image that does not exist, and publishes nothing', async () => {
    const chain = await pushChain(environment.registry.host, 'missing');
    await expect(sealChain(chain, tagOf(chain), ZERO)).rejects.toMatchObject({ code: 'LINK_MISSING' });
    expect(await exists(chain, REVISION)).toBe(false);
    const unchecked = await sealChain(chain, { ...tagOf(chain), check: false }, ZERO);
    expect(unchecked.links[0]?.digest).toBe(ZERO);
  });

  it('refuses a linked image that was built with another image, and leaves the tag as it was', async () => {
    const { host } = environment.registry;
    const good = await pushChain(host, 'other');
    const before = await sealChain(good, tagOf(good));
    const wrong = await pushChain(host, 'other', { embedded: ZERO });
    await expect(sealChain(wrong, tagOf(wrong))).rejects.toMatchObject({
      code: 'LINK_MISMATCH',
      expected: expect.stringContaining(wrong.origin),
      found: expect.stringContaining(ZERO),
    });
    const now = await registry.getManifest(parseReference(good.image1), REVISION);
    expect(now.digest).toBe(before.digest);
  });

  it.each([
    ['another label than environment', { labels: { 'io.konflux.poc.primary-image.url': 'quay.io/org/other' } }],
    ['another environment than label', { env: { IMAGE1_DIGEST: ZERO } }],
  ])('refuses a linked image with %s', async (_, options) => {
    const chain = await pushChain(environment.registry.host, 'differs', options);
    await expect(sealChain(chain, tagOf(chain))).rejects.toMatchObject({ code: 'LINK_MISMATCH' });
  });

  it('refuses a linked image that names another repository', async () => {
    const { host } = environment.registry;
    const chain = await pushChain(host, 'place');
    const url = `${host}/elsewhere@${chain.origin}`;
    const labels = { 'io.konflux.poc.primary-image.url': url };
    const other = await pushChain(host, 'place', { labels, env: { IMAGE1_URL: url } });
    await expect(sealChain(other, tagOf(other))).rejects.toMatchObject({ code: 'LINK_MISMATCH', found: url });
  });

  it('says which image can not be sealed, or is not', async () => {
    const { host } = environment.registry;
    const image = `${host}/cased/image`;
    const config = Buffer.from('{"Config":{},"rootfs":{"type":"layers","diff_ids":[]}}');
    const { manifest } = imageOf(config);
    await registry.putBlob(parseReference(`${image}:v1`), config);
    await registry.putManifest(parseReference(`${image}:v1`), 'v1', manifest);
    const named = `${image}@${manifest.digest}`;
    const linked = [{ role: 'metadata', image: parseDigestReference(named) }];
    const sealing = seal(registry, parseDigestReference(named), linked);
    await expect(sealing).rejects.toMatchObject({
      code: 'SEAL_REFUSED',
      message: expect.stringContaining(`(${named})`),
    });
    const { image1, origin } = await pushChain(host, 'not-sealed');
    const unsealing = unseal(registry, parseReference(`${image1}@${origin}`));
    const message = expect.stringContaining(`(${image1}@${origin})`);
    await expect(unsealing).rejects.toMatchObject({ code: 'NOT_SEALED', message });
  });

  it('refuses an origin that is not there, and a registry that is down', async () => {
    const chain = await pushChain(environment.registry.host, 'gone');
    await expect(sealChain({ ...chain, origin: ZERO })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const down = { ...chain, image1: '127.0.0.1:1/gone/image1' };
    await expect(sealChain(down)).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
  });
});
