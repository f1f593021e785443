import { chmod, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { run } from '@multi-image/kit/commands';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Login, writeLogin } from '../../../testing/kube/login.ts';
import { KubeServer } from '../../../testing/kube/server.ts';
import { createAuthority, readTls, type TestAuthority } from '../../../testing/kube/tls.ts';
import { until } from '../../../testing/until.ts';
import { Cluster } from './cluster.ts';
import type { ClusterOptions } from './cluster-session.ts';
import { KINDS } from './resource.ts';

// Every kind of login, over TLS, with an authority that only the kubeconfig trusts.

let folder: string;
let authority: TestAuthority;
/** Of somebody else. */
let other: TestAuthority;
let server: KubeServer;
let address: string;

beforeAll(async () => {
  const authorities = await mkdtemp(join(tmpdir(), 'e2e-authorities-'));
  authority = await createAuthority(join(authorities, 'tls'));
  other = await createAuthority(join(authorities, 'other'));
  return () => rm(authorities, { recursive: true, force: true });
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'e2e-login-'));
  server = new KubeServer();
  address = await server.start(await readTls(authority));
  server.store.put({ ...KINDS.serviceAccount, metadata: { name: 'pipeline' } });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const login = (user: object, more: Partial<Login> = {}): Promise<string> =>
  writeLogin(join(folder, 'config'), { server: address, ca: authority.ca, user, ...more });
const connect = async (user: object, options: ClusterOptions = {}): Promise<Cluster> =>
  new Cluster({ kubeconfig: await login(user), pauses: { first: 5, longest: 20 }, ...options });
const read = async (cluster: Cluster): Promise<string | undefined> =>
  (await cluster.read(KINDS.serviceAccount, 'pipeline', 'my-tenant'))?.metadata.name;

describe('client certificates', () => {
  beforeEach(() => server.tokens.clear());

  test('in files, by paths from the kubeconfig', async () => {
    await cp(dirname(authority.client.cert), join(folder, 'tls'), { recursive: true });
    expect(await read(await connect({ 'client-certificate': 'tls/client.crt', 'client-key': 'tls/client.key' }))).toBe(
      'pipeline',
    );
  });

  test('in the kubeconfig itself; the key is a secret', async () => {
    const { cert, key } = authority.client;
    const [certificate, secret] = await Promise.all([readFile(cert, 'base64'), readFile(key, 'base64')]);
    const cluster = await connect({ 'client-certificate-data': certificate, 'client-key-data': secret });
    expect(await read(cluster)).toBe('pipeline');
    expect(cluster.secrets).toContain(secret);
  });

  test('of somebody whom the authority does not know', async () => {
    const { cert, key } = other.client;
    const reading = connect({ 'client-certificate': cert, 'client-key': key }).then(read);
    await expect(reading).rejects.toMatchObject({ code: 'CLUSTER_UNAUTHORIZED' });
  });
});

test('a name and a password; both forms of it are secret', async () => {
  server.passwords.add('me:hunter22');
  const cluster = await connect({ username: 'me', password: 'hunter22' });
  expect(await read(cluster)).toBe('pipeline');
  expect(cluster.secrets).toEqual(expect.arrayContaining(['hunter22', Buffer.from('me:hunter22').toString('base64')]));
});

test('a token in a file beside the kubeconfig, before the one in it', async () => {
  await writeFile(join(folder, 'token'), 'test-token\n');
  const cluster = await connect({ tokenFile: 'token', token: 'an-old-token' }, { onExpired: () => {} });
  expect(await read(cluster)).toBe('pipeline');
  expect(cluster.secrets).toContain('test-token');
  await writeFile(join(folder, 'token'), 'next-token');
  server.tokens.clear();
  server.tokens.add('next-token');
  expect(await read(cluster)).toBe('pipeline');
  expect(cluster.secrets).toContain('next-token');
});

test('a server whose certificate is of somebody else is not talked to', async () => {
  const kubeconfig = await login({ token: 'test-token' }, { ca: other.ca });
  const reading = read(new Cluster({ kubeconfig, pauses: { first: 1, longest: 2 } }));
  await expect(reading).rejects.toMatchObject({
    code: 'CLUSTER_UNREACHABLE',
    found: expect.stringContaining('certificate'),
  });
  expect(server.calls).toEqual([]);
});

describe('a program of the kubeconfig', () => {
  const exec = (args: string[] = []): object => ({
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: join(folder, 'login'),
      args,
      interactiveMode: 'Never',
    },
  });
  const program = async (script: string): Promise<void> => {
    await writeFile(join(folder, 'login.part'), `#!/bin/sh\necho >> ${folder}/starts\n${script}\n`);
    await chmod(join(folder, 'login.part'), 0o755);
    // In one step: it may be started at any moment, and half a program says something else.
    await rename(join(folder, 'login.part'), join(folder, 'login'));
  };
  const credential = (status: object): Promise<void> => {
    const value = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status };
    return program(`cat <<'EOF'\n${JSON.stringify(value)}\nEOF`);
  };
  const starts = async (): Promise<number> => (await readFile(join(folder, 'starts'), 'utf8')).length;

  test('gives a token, which is kept while it is good, and is a secret', async () => {
    server.tokens.clear();
    server.tokens.add('token-of-a-program');
    await credential({ token: 'token-of-a-program', expirationTimestamp: new Date(Date.now() + 60_000).toISOString() });
    const cluster = await connect(exec());
    for (let time = 0; time < 3; time++) expect(await read(cluster)).toBe('pipeline');
    expect(await starts()).toBe(1);
    expect(cluster.secrets).toContain('token-of-a-program');
  });

  test('is asked again when its token is over', async () => {
    await credential({ token: 'test-token', expirationTimestamp: new Date(0).toISOString() });
    const cluster = await connect(exec());
    for (let time = 0; time < 3; time++) expect(await read(cluster)).toBe('pipeline');
    expect(await starts()).toBeGreaterThanOrEqual(3);
  });

  test('gives a certificate', async () => {
    server.tokens.clear();
    const { cert, key } = authority.client;
    const [clientCertificateData, clientKeyData] = await Promise.all([readFile(cert, 'utf8'), readFile(key, 'utf8')]);
    await credential({ clientCertificateData, clientKeyData });
    expect(await read(await connect(exec()))).toBe('pipeline');
  });

  test('that fails is told by its own words; after a good login a new one is waited for', async () => {
    await program('echo "the session has ended: run login-to-company" >&2; exit 1');
    await expect(connect(exec()).then(read)).rejects.toMatchObject({
      code: 'CLUSTER_UNAUTHORIZED',
      found: 'the session has ended: run login-to-company',
    });
    await credential({ token: 'test-token', expirationTimestamp: new Date(0).toISOString() });
    const hints: string[] = [];
    const cluster = await connect(exec(), { onExpired: (hint) => hints.push(hint) });
    expect(await read(cluster)).toBe('pipeline');
    await program('exit 1');
    const reading = read(cluster);
    await until(() => hints.length > 0);
    await credential({ token: 'test-token' });
    expect(await reading).toBe('pipeline');
    expect(hints).toHaveLength(1);
  });
});

describe('several files in KUBECONFIG, as kubectl reads them', () => {
  const second = (more: Partial<Login>): Promise<string> =>
    writeLogin(join(folder, 'second'), { server: 'https://127.0.0.1:1', user: { token: 'of-another' }, ...more });

  test('the first current context counts, the first of a name counts, and one may be missing', async () => {
    vi.stubEnv('KUBECONFIG', [join(folder, 'none'), await login({ token: 'test-token' }), await second({})].join(':'));
    const cluster = new Cluster({ pauses: { first: 5, longest: 20 } });
    expect(cluster.server).toBe(address);
    expect(await read(cluster)).toBe('pipeline');
  });

  test('a context of any file can be named; where the first names none, the second does', async () => {
    const files = [await login({ token: 'test-token' }, { current: '' }), await second({ name: 'other' })];
    vi.stubEnv('KUBECONFIG', files.join(':'));
    expect(new Cluster().context).toBe('other');
    expect(await read(new Cluster({ context: 'test' }))).toBe('pipeline');
  });

  test('the one at home, where none is named', async () => {
    const home = join(folder, 'home', '.kube');
    await mkdir(home, { recursive: true });
    await writeFile(join(folder, 'token'), 'test-token');
    await writeLogin(join(home, 'config'), {
      server: address,
      ca: authority.ca,
      user: { tokenFile: '../../token' },
    });
    vi.stubEnv('KUBECONFIG', undefined);
    vi.stubEnv('HOME', join(folder, 'home'));
    expect(await read(new Cluster())).toBe('pipeline');
  });

  test('none of them is there', () => {
    vi.stubEnv('KUBECONFIG', join(folder, 'none'));
    const found = `no such file: ${join(folder, 'none')} (KUBECONFIG)`;
    expect(() => new Cluster()).toThrow(expect.objectContaining({ code: 'KUBECONFIG_INVALID', found }));
  });

  test('none is named, and none is at home', () => {
    vi.stubEnv('KUBECONFIG', undefined);
    vi.stubEnv('HOME', join(folder, 'nobody'));
    const found = 'no kubeconfig: no KUBECONFIG, no ~/.kube/config, and no pod';
    expect(() => new Cluster()).toThrow(expect.objectContaining({ code: 'KUBECONFIG_INVALID', found }));
  });
});

/** The folder of a pod's login is always the same: in a mount namespace it is nobody else's. */
const empty = ['--mount', '--map-root-user', 'sh', '-c', 'mount -t tmpfs none /var/run && exec "$@"', 'sh'];
const canUnshare = await run('unshare', [...empty, 'true']).then(
  ({ exitCode }) => exitCode === 0,
  () => false,
);

describe.skipIf(!canUnshare)('inside a pod, where mount namespaces can be made', () => {
  async function inPod(passes: number, ...tokens: string[]) {
    const { KUBECONFIG: _, ...environment } = process.env;
    const { port } = new URL(address);
    const env = { ...environment, HOME: folder, KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: port };
    const program = [
      process.execPath,
      resolve(import.meta.dirname, '../../../testing/kube/pod.ts'),
      authority.ca,
      String(passes),
    ];
    const { stdout, stderr } = await run('unshare', [...empty, ...program, ...tokens], { env });
    return { ...JSON.parse(stdout || '{}'), stderr };
  }
  const used = (): string[] => [...new Set(server.calls.map(({ login: header }) => header))];

  test('its service account is the login; a token that the kubelet replaced is taken up within a minute', async () => {
    server.tokens.add('first-token').add('second-token');
    const { server: found, secrets, found: names } = await inPod(61_000, 'first-token', 'second-token');
    expect(names).toEqual(['pipeline', 'pipeline']);
    expect(found).toBe(address);
    expect(used()).toEqual(['Bearer first-token', 'Bearer second-token']);
    expect(secrets).toEqual(['first-token', 'second-token']);
  });

  test('a token that is over before the file is read again', async () => {
    server.tokens.add('first-token');
    let asked = 0;
    server.fault = ({ path }) => {
      if (!path.endsWith('/pipeline') || ++asked !== 2) return undefined;
      server.tokens.delete('first-token');
      server.tokens.add('second-token');
      return undefined;
    };
    expect((await inPod(0, 'first-token', 'second-token')).found).toEqual(['pipeline', 'pipeline']);
    expect(used()).toEqual(['Bearer first-token', 'Bearer second-token']);
  });

  test('a line’s end after the token is not part of it; a token that no header can hold is not quoted', async () => {
    expect((await inPod(0, 'test-token\n')).found).toEqual(['pipeline']);
    const { found, stderr } = await inPod(0, 'broken\nsecret-token');
    expect(found[0]).toMatchObject({ code: 'CLUSTER_UNAUTHORIZED' });
    expect(JSON.stringify(found) + stderr).not.toContain('secret-token');
  });
});
