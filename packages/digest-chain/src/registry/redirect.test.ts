import type { Handler, TestServer } from '@multi-image/testing/http-server';
import { describe, expect, it } from 'vitest';
import { failureOf, useServers } from '../testing/served.ts';
import type { Repository } from './registry.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const FOUND = { headers: { 'content-type': MANIFEST }, body: '{}' };

const { serve, clientOf } = useServers();

function at(registry: string): Repository {
  return { registry, repository: 'a/b' };
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
