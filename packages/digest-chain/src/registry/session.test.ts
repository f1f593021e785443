import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { TestClock } from '@multi-image/testing/clock';
import { describe, expect, it } from 'vitest';
import { failureOf, useServers } from '../testing/served.ts';
import type { Repository } from './registry.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const FOUND = { headers: { 'content-type': MANIFEST }, body: '{}' };

const { serve, clientOf } = useServers();

function at(registry: string): Repository {
  return { registry, repository: 'a/b' };
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
      if (request.path.endsWith('/large'))
        return { ...FOUND, body: ' '.repeat(request.method === 'HEAD' ? 100_000 : 1) };
      // A body of unknown length.
      if (request.path.endsWith('/chunked')) return void response.writeHead(404).end('x'.repeat(2000));
      return FOUND;
    });
    const client = clientOf();
    for (const tag of ['one', 'missing', 'large', 'chunked', 'three']) {
      await client.getManifest(at(server.host), tag).catch(() => undefined);
      // What Node's server says to a HEAD without a length ends the connection.
      if (tag !== 'chunked') await client.headManifest(at(server.host), tag).catch(() => undefined);
    }
    // Three of the HEADs were answered without a digest, and followed by a GET.
    expect(server.requests).toHaveLength(12);
    expect(sockets.size).toBe(1);
  });

  it('leaves nothing behind that keeps a process from ending', async () => {
    const server = await serve(() => FOUND);
    const client = JSON.stringify(new URL('./client.ts', import.meta.url).href);
    const [registry] = server.host.split(' ');
    const program = `const { createRegistry } = await import(${client});
      await createRegistry({ deadline: 2 ** 31 - 1 }).getManifest({ registry: '${registry}', repository: 'a' }, 'latest');`;
    // Neither an idle connection, which the server keeps open, nor a timer holds it: else it would never end.
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
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
    expect(server.requests.filter(({ path }) => path.includes('/manifests/'))).toHaveLength(1);
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
    const clock = new TestClock();
    await clientOf({ clock }).getManifest(at(server.host), 'latest');
    expect(clock.waits).toEqual([1000]);
  });

  it('does not begin a wait that the deadline has no room for', async () => {
    const server = await serve(() => ({ status: 503, headers: { 'retry-after': '3600' } }));
    const clock = new TestClock();
    const failure = await failureOf(clientOf({ clock }).getManifest(at(server.host), 'latest'));
    expect(failure.code).toBe('REGISTRY_ERROR');
    expect(clock.waits).toEqual([]);
  });
});

describe('time', () => {
  it('is limited for one request', async () => {
    const server = await serve(() => new Promise(() => undefined));
    const failure = await failureOf(clientOf({ timeout: 500, retries: 1 }).getManifest(at(server.host), 'latest'));
    expect(failure).toMatchObject({ code: 'REGISTRY_TIMEOUT', expected: expect.stringContaining('0.5 s') });
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
    await expect.poll(() => server.requests).toHaveLength(1);
    own.abort();
    expect((await failureOf(call)).code).toBe('ABORTED');
    const all = new AbortController();
    const client = clientOf({ signal: all.signal });
    const other = client.getManifest(at(server.host), 'latest');
    await expect.poll(() => server.requests).toHaveLength(2);
    all.abort();
    expect((await failureOf(other)).code).toBe('ABORTED');
    expect((await failureOf(client.getManifest(at(server.host), 'latest'))).code).toBe('ABORTED');
    expect(server.requests).toHaveLength(2);
  });
});
