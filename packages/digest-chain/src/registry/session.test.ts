import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DigestChainError } from '../errors.ts';
import { type Handler, startTestServer, type TestServer } from '../testing/http-server.ts';
import { createRegistry, type RegistryOptions } from './client.ts';
import type { Registry, Repository } from './registry.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const FOUND = { headers: { 'content-type': MANIFEST }, body: '{}' };

const servers: TestServer[] = [];
const clients: Registry[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function serve(handler: Handler): Promise<TestServer> {
  const server = await startTestServer(handler);
  servers.push(server);
  return server;
}

function clientOf(options: RegistryOptions = {}): Registry {
  const client = createRegistry({ environment: {}, retryPause: 1, ...options });
  clients.push(client);
  return client;
}

function at(registry: string): Repository {
  return { registry, repository: 'a/b' };
}

async function failureOf(promise: Promise<unknown>): Promise<DigestChainError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof DigestChainError) return error;
  throw new Error('it did not fail as it should', { cause: error });
}

const LOGIN = { credentials: async () => ({ type: 'basic', username: 'me', password: 'hunter22' }) as const };

/** Lets in who is logged in; then answers as `next` says. */
function guarded(next: Handler): Handler {
  return (request, response) => {
    if (request.headers.authorization === undefined) {
      return { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } };
    }
    return next(request, response);
  };
}

describe('a request', () => {
  it('says who asks, and wants the bytes as they are', async () => {
    const server = await serve(() => FOUND);
    await clientOf({ userAgent: 'mine/1' }).getManifest(at(server.host), 'latest');
    expect(server.requests[0]?.headers).toMatchObject({
      'user-agent': expect.stringMatching(/^mine\/1 digest-chain \(node v\d+/),
      'accept-encoding': 'identity',
    });
  });

  it('uses one connection for all that follow each other', async () => {
    const sockets = new Set<unknown>();
    const server = await serve((request, response) => {
      sockets.add(response.socket);
      if (request.path.endsWith('/missing')) return { status: 404 };
      // A body of unknown length.
      if (request.path.endsWith('/chunked')) return void response.writeHead(404).end('x'.repeat(2000));
      return FOUND;
    });
    const client = clientOf();
    for (const tag of ['one', 'missing', 'two', 'chunked', 'three']) {
      await client.getManifest(at(server.host), tag).catch(() => undefined);
      // What Node's server says to a HEAD without a length ends the connection.
      if (tag !== 'chunked') await client.headManifest(at(server.host), tag).catch(() => undefined);
    }
    expect(server.requests).toHaveLength(9);
    expect(sockets.size).toBe(1);
  });

  it('leaves nothing behind that keeps a process from ending', async () => {
    const server = await serve(() => FOUND);
    const client = JSON.stringify(new URL('./client.ts', import.meta.url).href);
    const [registry] = server.host.split(' ');
    const program = `const { createRegistry } = await import(${client});
      await createRegistry().getManifest({ registry: '${registry}', repository: 'a' }, 'latest');
      console.log(performance.now());`;
    const startedAt = performance.now();
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
    // The server keeps idle connections for 5 s, the client's deadline is 120 s.
    expect(performance.now() - startedAt).toBeLessThan(4000);
  });

  it('waits for its turn when there are too many', async () => {
    let now = 0;
    let most = 0;
    const server = await serve(async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 10));
      now--;
      return FOUND;
    });
    const client = clientOf({ concurrency: 3 });
    await Promise.all(Array.from({ length: 12 }, (_, index) => client.getManifest(at(server.host), `t${index}`)));
    expect(most).toBe(3);
  });
});

describe('what goes wrong for a moment', () => {
  it.each([429, 500, 502, 503, 504])('is tried again (%i)', async (status) => {
    let left = 2;
    const server = await serve(() => (left-- > 0 ? { status } : FOUND));
    await clientOf().getManifest(at(server.host), 'latest');
    expect(server.requests).toHaveLength(3);
  });

  it.each([400, 403, 404, 405, 408, 409, 410, 418, 451])('is not tried again where it stays (%i)', async (status) => {
    const server = await serve(() => ({ status }));
    await failureOf(clientOf().getManifest(at(server.host), 'latest'));
    expect(server.requests).toHaveLength(1);
  });

  it('is tried as often as was agreed, and then told', async () => {
    const server = await serve(() => ({ status: 500, body: '{"errors":[{"code":"UNKNOWN","message":"broken"}]}' }));
    const failure = await failureOf(clientOf({ retries: 2 }).getManifest(at(server.host), 'latest'));
    expect(failure).toMatchObject({ code: 'REGISTRY_ERROR', found: 'HTTP 500: UNKNOWN: broken' });
    expect(server.requests).toHaveLength(3);
  });

  it('waits as long as Retry-After says', async () => {
    let left = 1;
    const server = await serve(() => (left-- > 0 ? { status: 429, headers: { 'retry-after': '1' } } : FOUND));
    const startedAt = performance.now();
    await clientOf().getManifest(at(server.host), 'latest');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
  });

  it('does not begin a wait that the deadline has no room for', async () => {
    const server = await serve(() => ({ status: 503, headers: { 'retry-after': '3600' } }));
    const startedAt = performance.now();
    const failure = await failureOf(clientOf().getManifest(at(server.host), 'latest'));
    expect(failure.code).toBe('REGISTRY_ERROR');
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });
});

describe('time', () => {
  it('is limited for one request', async () => {
    const server = await serve(() => new Promise(() => undefined));
    const failure = await failureOf(clientOf({ timeout: 100, retries: 1 }).getManifest(at(server.host), 'latest'));
    expect(failure).toMatchObject({ code: 'REGISTRY_TIMEOUT', expected: expect.stringContaining('0.1 s') });
    expect(server.requests).toHaveLength(2);
  });

  it('is limited for a body that drips', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-type': MANIFEST, 'content-length': 1000 });
      const timer = setInterval(() => response.write('x'), 20);
      response.once('close', () => clearInterval(timer));
      return undefined;
    });
    const failure = await failureOf(clientOf({ timeout: 150, retries: 0 }).getManifest(at(server.host), 'latest'));
    expect(failure.code).toBe('REGISTRY_TIMEOUT');
  });

  it('is limited for a call with all its tries', async () => {
    const server = await serve(() => new Promise(() => undefined));
    const client = clientOf({ timeout: 100, deadline: 250, retries: 1000 });
    const failure = await failureOf(client.getManifest(at(server.host), 'latest'));
    expect(failure.code).toBe('REGISTRY_TIMEOUT');
    expect(server.requests.length).toBeLessThan(5);
  });

  it('ends with a signal: of the call, of the client, and before it began', async () => {
    const server = await serve(() => new Promise(() => undefined));
    const own = new AbortController();
    const call = clientOf().getManifest(at(server.host), 'latest', { signal: own.signal });
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    own.abort();
    expect((await failureOf(call)).code).toBe('ABORTED');
    const all = new AbortController();
    const client = clientOf({ signal: all.signal });
    const other = client.getManifest(at(server.host), 'latest');
    await vi.waitFor(() => expect(server.requests).toHaveLength(2));
    all.abort();
    expect((await failureOf(other)).code).toBe('ABORTED');
    expect((await failureOf(client.getManifest(at(server.host), 'latest'))).code).toBe('ABORTED');
    expect(server.requests).toHaveLength(2);
  });
});

describe('a redirect', () => {
  it('is followed to a place on the same registry, relative or absolute, with credentials', async () => {
    const server = await serve(
      guarded((request) => {
        if (request.path.endsWith('/latest')) return { status: 307, headers: { location: '../moved?x=1' } };
        if (!request.path.endsWith('/found')) {
          return { status: 302, headers: { location: `http://${request.headers.host}/found` } };
        }
        return FOUND;
      }),
    );
    await clientOf(LOGIN).getManifest(at(server.host), 'latest');
    expect(server.requests.slice(1).map(({ path }) => path)).toEqual([
      '/v2/a/b/manifests/latest',
      '/v2/a/b/moved?x=1',
      '/found',
    ]);
    expect(server.requests.slice(1).every(({ headers }) => headers.authorization !== undefined)).toBe(true);
  });

  it('gets no credentials on another host, nor after having been there', async () => {
    const home = await serve(
      guarded(({ path }) => {
        return path === '/back' ? FOUND : { status: 307, headers: { location: `http://${other.host}/x?sig=1` } };
      }),
    );
    const other: TestServer = await serve(() => ({ status: 307, headers: { location: `http://${home.host}/back` } }));
    const failure = await failureOf(clientOf(LOGIN).getManifest(at(home.host), 'latest'));
    expect(other.requests[0]?.headers).not.toHaveProperty('authorization');
    expect(home.requests.at(-1)).toMatchObject({ path: '/back' });
    expect(home.requests.at(-1)?.headers).not.toHaveProperty('authorization');
    expect(failure.code).toBe('UNAUTHORIZED');
  });

  it('gets no answer to a challenge from another host', async () => {
    const other = await serve(() => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="give"' } }));
    const home = await serve(() => ({ status: 307, headers: { location: `http://${other.host}/x` } }));
    expect((await failureOf(clientOf(LOGIN).getManifest(at(home.host), 'latest'))).code).toBe('UNAUTHORIZED');
    expect(other.requests).toHaveLength(1);
  });

  it('is not followed for ever', async () => {
    const server = await serve(({ path }) => ({ status: 302, headers: { location: `${path}x` } }));
    const failure = await failureOf(clientOf().getManifest(at(server.host), 'latest'));
    expect(failure.code).toBe('REDIRECT_REFUSED');
    expect(server.requests).toHaveLength(6);
  });

  it.each(['ftp://example.org/', 'file:///etc/passwd', 'javascript:1', 'http://', ''])(
    'to nowhere is an error (%j)',
    async (location) => {
      const server = await serve(() => ({ status: 302, headers: { location } }));
      expect((await failureOf(clientOf().getManifest(at(server.host), 'latest'))).code).toBe('RESPONSE_INVALID');
    },
  );

  it('shows no query, which may be a signature that gives access', async () => {
    const other = await serve(() => ({ status: 403 }));
    const home = await serve(() => ({ status: 307, headers: { location: `http://u:p@${other.host}/x?sig=SECRET` } }));
    const failure = await failureOf(clientOf().getManifest(at(home.host), 'latest'));
    expect(JSON.stringify({ ...failure, message: failure.message, stack: failure.stack })).not.toMatch(/SECRET|u:p/);
  });

  it('of something that is sent is an error', async () => {
    const other = await serve(() => ({ status: 201 }));
    const home = await serve(() => ({ status: 307, headers: { location: `http://${other.host}/x` } }));
    const manifest = { bytes: Buffer.from('{}'), mediaType: MANIFEST };
    expect((await failureOf(clientOf().putManifest(at(home.host), 'latest', manifest))).code).toBe('RESPONSE_INVALID');
    expect(other.requests).toHaveLength(0);
  });

  it.each(['http://127.0.0.1:1/x', 'http://[::1]:1/', 'http://10.0.0.1/', 'http://169.254.169.254/latest/meta-data/'])(
    'from a public registry to a private address is refused (%s)',
    async (location) => {
      // Behind a proxy every registry is as public as its name.
      const proxy = await serve(() => ({ status: 307, headers: { location } }));
      const client = clientOf({ plainHttp: true, environment: { HTTP_PROXY: `http://${proxy.host}` } });
      const failure = await failureOf(client.getManifest(at('registry.example'), 'latest'));
      expect(failure).toMatchObject({ code: 'REDIRECT_REFUSED', expected: expect.stringContaining('public') });
      expect(proxy.requests).toHaveLength(1);
    },
  );
});
