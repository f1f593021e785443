import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestServer, type TestServer } from '@multi-image/testing/http-server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from './arguments.ts';

const FOUND = { headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }, body: '{}' };
const AUTHORIZATION = `Basic ${Buffer.from('me:hunter22').toString('base64')}`;

let folder: string;
let server: TestServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'digest-chain-options-'));
  server = await startTestServer(({ path, headers }) => {
    if (!path.includes('private') || headers.authorization === AUTHORIZATION) return FOUND;
    return { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } };
  });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const read = (values: Parameters<typeof connect>[0], repository = 'public', registry = server.host) =>
  connect(values).getManifest({ registry, repository }, 'latest');

it('reaches a registry without TLS where it is asked to, and on loopback anyway', async () => {
  await expect(read({}, 'public')).resolves.toBeDefined();
  // By its other name the same server is not loopback.
  const elsewhere = server.host.replace('127.0.0.1', '0.0.0.0');
  await expect(read({}, 'public', elsewhere)).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
  await expect(read({ 'plain-http': true }, 'public', elsewhere)).resolves.toBeDefined();
  await expect(read({ 'plain-http-at': ['other:1', elsewhere] }, 'public', elsewhere)).resolves.toBeDefined();
  // Of one registry nothing follows for another, and loopback stays what it is.
  await expect(read({ 'plain-http-at': ['other:1'] }, 'public', elsewhere)).rejects.toMatchObject({
    code: 'REGISTRY_UNREACHABLE',
  });
  await expect(read({ 'plain-http-at': ['other:1'] }, 'public')).resolves.toBeDefined();
});

it('takes credentials from the file that is named', async () => {
  const file = join(folder, 'auth.json');
  const auth = AUTHORIZATION.slice('Basic '.length);
  await writeFile(file, JSON.stringify({ auths: { [server.host]: { auth } } }));
  await expect(read({}, 'private')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  await expect(read({ 'auth-file': file }, 'private')).resolves.toBeDefined();
  const none = join(folder, 'none.json');
  await expect(read({ 'auth-file': none }, 'private')).rejects.toMatchObject({ code: 'CREDENTIALS_INVALID' });
});

it('reads certificate authorities from the file that is named', async () => {
  const file = join(folder, 'none.pem');
  await expect(read({ 'ca-file': file }, 'public', 'registry.invalid')).rejects.toMatchObject({
    code: 'CA_FILE_INVALID',
  });
});
