import { type Handler, startTestServer, type TestServer } from '@multi-image/testing/http-server';
import { afterEach, describe, expect, it } from 'vitest';
import { createRegistry, type RegistryOptions } from './client.ts';
import type { Credentials } from './credentials/credentials.ts';
import type { Repository } from './registry.ts';

// Of every kind of character that some way of writing has its own way with.
const SECRET = 'hunter2 "&+\\/\u00e4%';
const LOGIN: Credentials = { type: 'basic', username: 'user', password: SECRET };
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function start(handler: Handler): Promise<TestServer> {
  const server = await startTestServer(handler);
  servers.push(server);
  return server;
}

const challenge = (text: string): { status: number; headers: { 'www-authenticate': string } } => ({
  status: 401,
  headers: { 'www-authenticate': text },
});

/** Everything that an error could show somewhere. */
function shown(error: unknown): string {
  const seen: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) seen.push(JSON.stringify(at), String(at.stack));
  return seen.join('\n');
}

async function failure(repository: Repository, options: RegistryOptions = {}): Promise<unknown> {
  const registry = createRegistry({ retries: 0, credentials: async () => LOGIN, ...options });
  return registry.getManifest(repository, 'latest').then(
    () => 'no failure',
    (error: unknown) => error,
  );
}

const WRITTEN = ['hunter2', Buffer.from(`user:${SECRET}`).toString('base64')];
const holdsSecret = (text = ''): boolean => WRITTEN.some((secret) => text.includes(secret));

describe('a realm that gets no credentials', () => {
  it.each([
    ['none', 'Bearer service="x"'],
    ['no URL', 'Bearer realm="token"'],
    ['a file', 'Bearer realm="file:///etc/passwd"'],
    ['a URL with a user', 'Bearer realm="https://user@auth.example/"'],
    ['a URL with a password', 'Bearer realm="https://:word@auth.example/"'],
    ['another host without TLS', 'Bearer realm="http://auth.example/token"'],
  ])('%s', async (_, header) => {
    const registry = await start(() => challenge(header));
    const error = await failure({ registry: registry.host, repository: 'a' });
    expect(error).toMatchObject({ code: 'REALM_REFUSED' });
    expect(shown(error)).not.toMatch(/user@|word@|hunter2/);
  });

  it.each([
    ['a loopback address', (host: string) => `http://${host}/token`],
    ['a loopback name', () => 'http://localhost/token'],
    ['a private address', () => 'https://10.0.0.1/token'],
    ["the clouds' metadata", () => 'http://169.254.169.254/latest'],
    ['one in disguise', () => 'https://[::ffff:10.0.0.1]/token'],
  ])('%s, named by a registry that is none', async (_, realm) => {
    // The server plays a public registry behind a proxy, which leaves its name as the only thing to judge by.
    const server = await start(() => challenge(`Bearer realm="${realm(server.host)}"`));
    const environment = { HTTP_PROXY: `http://${server.host}` };
    const error = await failure({ registry: 'registry.example', repository: 'a' }, { environment, plainHttp: true });
    expect(error).toMatchObject({ code: 'REALM_REFUSED' });
    expect(server.requests.map(({ path }) => path)).toEqual(['http://registry.example/v2/a/manifests/latest']);
  });

  it('a name that resolves to loopback, named by a registry that does not', async () => {
    const server = await start(({ path }) =>
      path.startsWith('http:') ? challenge('Bearer realm="http://sub.localhost/"') : {},
    );
    const environment = { HTTP_PROXY: `http://${server.host}`, NO_PROXY: 'sub.localhost' };
    const error = await failure({ registry: 'registry.example', repository: 'a' }, { environment, plainHttp: true });
    expect(error).toMatchObject({ code: 'REALM_REFUSED' });
  });
});

describe('a token service', () => {
  it('on another port of this machine gets the credentials that its registry says it needs', async () => {
    const service = await start(() => ({ body: '{"token":"t-o-k-e-n"}' }));
    const registry = await start(({ headers }) =>
      headers.authorization === 'Bearer t-o-k-e-n'
        ? { headers: { 'content-type': MANIFEST }, body: '{}' }
        : challenge(`Bearer realm="http://${service.host}/token?keep=1",service="a b",scope="repository:a:pull x"`),
    );
    await expect(failure({ registry: registry.host, repository: 'a' })).resolves.toBe('no failure');
    expect(service.requests.map(({ path }) => path)).toEqual(['/token?keep=1&service=a+b&scope=repository%3Aa%3Apull']);
    expect(service.requests[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from(`user:${SECRET}`).toString('base64')}`,
    );
  });

  it.each([
    ['sends its client on', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'UNAUTHORIZED'],
    ['refuses', { status: 403, body: 'no' }, 'UNAUTHORIZED'],
    ['is not there', { status: 404 }, 'UNAUTHORIZED'],
    ['is busy', { status: 429 }, 'REGISTRY_ERROR'],
    ['fails', { status: 500 }, 'REGISTRY_ERROR'],
    ['has no token', { body: '{}' }, 'RESPONSE_INVALID'],
    ['has a token that ends the header', { body: '{"token":"a\\r\\nx-evil: 1"}' }, 'RESPONSE_INVALID'],
    ['has a token that is none', { body: '{"token":{}}' }, 'RESPONSE_INVALID'],
    ['has two', { body: '{"token":"a","token":"b"}' }, 'RESPONSE_INVALID'],
    ['speaks in HTML', { body: '<html>' }, 'RESPONSE_INVALID'],
    ['has too much to say', { body: Buffer.alloc(2 * 1024 * 1024, ' ') }, 'TOO_LARGE'],
    ['nests deeply', { body: '['.repeat(100_000) }, 'RESPONSE_INVALID'],
    ['compresses', { headers: { 'content-encoding': 'gzip' }, body: 'x' }, 'RESPONSE_INVALID'],
  ])('that %s', async (_, answer, code) => {
    const server = await start(({ path }) =>
      path.startsWith('/token') ? answer : challenge(`Bearer realm="http://${server.host}/token"`),
    );
    const error = await failure({ registry: server.host, repository: 'a' });
    expect(error).toMatchObject({ code });
    expect(shown(error)).not.toSatisfy(holdsSecret);
  });
});

it('says nothing of what was sent, though the registry repeats it all', async () => {
  const told = (request: unknown): string =>
    JSON.stringify({ errors: [{ code: 'X', message: JSON.stringify(request) }] });
  const service = await start((request) => ({ status: 403, body: told(request.headers) }));
  const registry = await start((request) =>
    request.headers.authorization === undefined
      ? challenge(request.path.includes('/basic/') ? 'Basic realm="x"' : `Bearer realm="http://${service.host}/token"`)
      : { status: 403, body: told(request.headers) },
  );
  for (const repository of ['basic/a', 'a']) {
    const error = await failure({ registry: registry.host, repository });
    expect(error).toMatchObject({ code: 'UNAUTHORIZED', found: expect.stringContaining('authorization') });
    expect(shown(error)).not.toSatisfy(holdsSecret);
  }
  const { requests } = registry;
  expect(requests.some(({ headers }) => holdsSecret(headers.authorization))).toBe(true);
});

it('does not answer for ever', async () => {
  let count = 0;
  const server = await start(({ path }) =>
    path.startsWith('/token')
      ? { body: `{"token":"t${count++}"}` }
      : challenge(`Bearer realm="http://${server.host}/token"`),
  );
  await expect(failure({ registry: server.host, repository: 'a' })).resolves.toMatchObject({ code: 'UNAUTHORIZED' });
  // Three for the tag, and three for the list that may tell whether it is there.
  expect(server.requests.filter(({ path }) => !path.startsWith('/token'))).toHaveLength(6);
});

it('shows nothing to a place that a registry sends it to, and answers no challenge from there', async () => {
  const elsewhere = await start(() => challenge('Basic realm="x"'));
  const registry = await start(({ headers }) =>
    headers.authorization === undefined
      ? challenge('Basic realm="x"')
      : { status: 307, headers: { location: `http://${elsewhere.host}/v2/a/manifests/latest` } },
  );
  await expect(failure({ registry: registry.host, repository: 'a' })).resolves.toMatchObject({ code: 'UNAUTHORIZED' });
  expect(elsewhere.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
});
