import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KeylessInstance, startKeylessInstance } from '@multi-image/testing/keyless-signer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fetchTrustedRoot } from './keyless-root.ts';

let instance: KeylessInstance;
let folder: string;
let server: Server;
let mirror: string;
const requests: string[] = [];
let files: Record<string, string> = {};

beforeAll(async () => {
  instance = await startKeylessInstance();
  folder = await mkdtemp(join(tmpdir(), 'digest-chain-tuf-'));
  server = createServer(({ url = '' }, response) => {
    requests.push(url);
    const file = files[url];
    response.writeHead(file === undefined ? 404 : 200).end(file);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

/** A TUF repository (specification 1.0, "Document formats"), of one key for all roles. */
function repositoryOf(target: string): Record<string, string> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex');
  const key = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: point } };
  const keyid = createHash('sha256').update(canonical(key)).digest('hex');
  const signed = (content: object): string => {
    const whole = { spec_version: '1.0.31', version: 1, expires: '2099-01-01T00:00:00Z', ...content };
    const sig = sign(null, Buffer.from(canonical(whole)), privateKey).toString('hex');
    return JSON.stringify({ signed: whole, signatures: [{ keyid, sig }] });
  };
  const fact = (text: string) => ({
    length: Buffer.byteLength(text),
    hashes: { sha256: createHash('sha256').update(text).digest('hex') },
  });
  const role = { keyids: [keyid], threshold: 1 };
  const roles = { root: role, timestamp: role, snapshot: role, targets: role };
  const targets = signed({ _type: 'targets', targets: { 'trusted_root.json': fact(target) } });
  const snapshot = signed({ _type: 'snapshot', meta: { 'targets.json': { version: 1, ...fact(targets) } } });
  return {
    '/1.root.json': signed({ _type: 'root', consistent_snapshot: true, keys: { [keyid]: key }, roles }),
    '/timestamp.json': signed({ _type: 'timestamp', meta: { 'snapshot.json': { version: 1, ...fact(snapshot) } } }),
    '/1.snapshot.json': snapshot,
    '/1.targets.json': targets,
    [`/targets/${fact(target).hashes.sha256}.trusted_root.json`]: target,
  };
}

/** Canonical JSON, for what has neither numbers with fractions nor characters to escape. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`;
}

async function writeRoot(name: string, from: Record<string, string>): Promise<string> {
  const root = join(folder, name);
  await writeFile(root, from['/1.root.json'] ?? '');
  return root;
}

it('fetches the trusted root of a TUF repository once, by its root.json', async () => {
  files = repositoryOf(instance.trustedRoot);
  const repository = { mirror: `${mirror}/`, root: await writeRoot('root.json', files), cache: join(folder, 'cache') };
  requests.length = 0;
  await fetchTrustedRoot(repository);
  expect(requests).toContain('/timestamp.json');
  requests.length = 0;
  await fetchTrustedRoot(repository);
  expect(requests).toEqual([]);
});

it('refuses what another root signed, or was changed', async () => {
  const other = repositoryOf(instance.trustedRoot);
  files = repositoryOf(instance.trustedRoot);
  const fetchFrom = async (root: string, cache: string) =>
    fetchTrustedRoot({ mirror, root, cache: join(folder, cache) });
  await expect(fetchFrom(await writeRoot('other.json', other), 'other')).rejects.toMatchObject({
    code: 'TRUSTED_ROOT_UNAVAILABLE',
  });
  const root = await writeRoot('changed.json', files);
  files = Object.fromEntries(
    Object.entries(files).map(([path, text]) => [
      path,
      path.startsWith('/targets/') ? text.replace('mock', 'evil') : text,
    ]),
  );
  await expect(fetchFrom(root, 'changed')).rejects.toMatchObject({ code: 'TRUSTED_ROOT_UNAVAILABLE' });
});
