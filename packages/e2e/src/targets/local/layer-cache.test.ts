import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createRegistry,
  digestOf,
  OCI_CONFIG,
  OCI_MANIFEST,
  parseReference,
  type Reference,
} from '@multi-image/digest-chain/oci';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { LayerCache } from './layer-cache.ts';

const MEGA = 1 << 20;
const registry = createRegistry();
let server: TestRegistry;
let folder: string;
let cache: LayerCache;

beforeAll(async () => {
  server = await startTestRegistry();
});
afterAll(() => server.stop());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'layer-cache-'));
  cache = new LayerCache(registry, folder);
  return () => rm(folder, { recursive: true, force: true });
});

/** Pushes an image of such layers; answers with what they are called in the cache, too. */
async function push(name: string, ...layers: Uint8Array[]): Promise<{ image: Reference; names: string[] }> {
  const repository = parseReference(`${server.host}/${name}`);
  const config = await registry.putBlob(repository, Buffer.from('{}'));
  const stored = await Promise.all(layers.map((bytes) => registry.putBlob(repository, bytes)));
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, ...config },
    layers: stored.map((layer) => ({ mediaType, ...layer })),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await registry.putManifest(repository, 'latest', { bytes, mediaType: OCI_MANIFEST });
  const names = stored.map(({ digest }) => digest.replace('sha256:', ''));
  return { image: { ...repository, digest: digestOf(bytes) }, names };
}

test('the large layers of one run are in the registry of the next, byte for byte', async () => {
  const [base, own] = [randomBytes(5 * MEGA), randomBytes(MEGA)];
  const { image, names } = await push('first/image', base, own);
  await cache.keep([image]);
  expect(await readdir(folder)).toEqual(names.slice(0, 1));
  await cache.bring(`${server.host}/next/image`);
  const there = parseReference(`${server.host}/next/image`);
  const digest = digestOf(base);
  expect(Buffer.from(await registry.getBlob(there, { digest, size: base.length })).equals(base)).toBe(true);
  expect(await registry.headBlob(there, digestOf(own))).toBeUndefined();
});

test('what no image has any more goes, and stays where nothing was built', async () => {
  const old = await push('old/image', randomBytes(5 * MEGA));
  await cache.keep([old.image]);
  await cache.keep([]);
  expect(await readdir(folder)).toEqual(old.names);
  const { image, names } = await push('new/image', randomBytes(5 * MEGA));
  await cache.keep([image]);
  expect(await readdir(folder)).toEqual(names);
});

test('a layer that was damaged is not brought, and fetched anew', async () => {
  const base = randomBytes(5 * MEGA);
  const { image, names } = await push('damaged/image', base);
  await cache.keep([image]);
  const file = join(folder, names[0] ?? '');
  await writeFile(file, Buffer.concat([base.subarray(1), Buffer.from('x')]));
  await cache.bring(`${server.host}/undamaged/image`);
  expect(await registry.headBlob(parseReference(`${server.host}/undamaged/image`), digestOf(base))).toBeUndefined();
  expect(await readdir(folder)).toEqual([]);
  await cache.keep([image]);
  expect((await readFile(file)).equals(base)).toBe(true);
});

test('is no reason to fail: neither a registry that is gone nor a folder that can not be made', async () => {
  const { image } = await push('gone/image', randomBytes(5 * MEGA));
  const file = join(folder, 'file');
  await writeFile(file, '');
  const nowhere = new LayerCache(registry, join(file, 'folder'));
  await nowhere.keep([image]);
  await nowhere.bring(`${server.host}/gone/image`);
  await cache.keep([image]);
  expect(await readdir(folder)).toHaveLength(1);
  const once = createRegistry({ retries: 0 });
  await new LayerCache(once, folder).bring('127.0.0.1:1/gone/image');
});
