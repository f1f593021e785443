import { randomBytes } from 'node:crypto';
import { type CountingProxy, startCountingProxy } from '@multi-image/testing/counting-proxy';
import { type FaultProxy, startFaultProxy } from '@multi-image/testing/fault-proxy';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { digestOf } from '../digest.ts';
import { codeOf, useServers } from '../testing/served.ts';
import { createRegistry } from './client.ts';
import type { Repository } from './registry.ts';

let real: TestRegistry;
let proxy: CountingProxy;
let faulty: FaultProxy;
const direct = createRegistry({ environment: {} });
const { serve, clientOf } = useServers();

beforeAll(async () => {
  real = await startTestRegistry();
  proxy = await startCountingProxy(real.host);
  faulty = await startFaultProxy(real.host);
});
afterAll(async () => {
  await faulty.stop();
  await proxy.stop();
  await real.stop();
});
afterEach(async () => {
  proxy.requests.length = 0;
});

const at = (registry: string, repository = 'some/image'): Repository => ({ registry, repository });
const newBlob = (size = 100): Buffer => randomBytes(size);
const methods = (requests: readonly string[]): string[] => requests.map((line) => line.split(' ')[0] ?? '');

const OPENED = { status: 202, headers: { location: '/upload/1?state=a%2Fb&x=1' } };

describe('an upload', () => {
  it('takes two requests, and none where the blob is known to be there', async () => {
    const client = clientOf();
    const bytes = newBlob();
    const descriptor = await client.putBlob(at(proxy.host), bytes);
    expect(descriptor).toEqual({ digest: digestOf(bytes), size: bytes.length });
    expect(methods(proxy.requests)).toEqual(['POST', 'PUT']);
    await client.putBlob(at(proxy.host), bytes);
    expect(proxy.requests).toHaveLength(2);
    expect(Buffer.compare(await direct.getBlob(at(real.host), descriptor), bytes)).toBe(0);
    const reader = clientOf();
    await reader.getBlob(at(proxy.host), descriptor);
    await reader.putBlob(at(proxy.host), bytes);
    expect(proxy.requests).toHaveLength(3);
    // Another repository is another place.
    await reader.putBlob(at(proxy.host, 'other'), bytes);
    expect(proxy.requests).toHaveLength(5);
  });

  it('takes one where the registry takes blobs so, and this is found out and kept in mind', async () => {
    const server = await serve(({ path }) => ({ status: path.includes('digest=') ? 201 : 202 }));
    const client = clientOf();
    const [one, two] = [newBlob(), newBlob()];
    await client.putBlob(at(server.host), one);
    const upload = client.startUpload(at(server.host));
    await upload.finish(two);
    expect(server.requests).toMatchObject([
      { method: 'POST', body: one, path: `/v2/some/image/blobs/uploads/?digest=${encodeURIComponent(digestOf(one))}` },
      { method: 'POST', body: two },
    ]);
  });

  it('does not send a blob twice once the registry is known not to take it so', async () => {
    const server = await serve(({ method }) => (method === 'POST' ? OPENED : { status: 201 }));
    const client = clientOf();
    const blobs = [newBlob(), newBlob()];
    for (const bytes of blobs) await client.putBlob(at(server.host), bytes);
    const [one, two] = blobs;
    const bodies = server.requests.map(({ method, body }) => [method, body.length]);
    expect(bodies).toEqual([
      ['POST', one?.length],
      ['PUT', one?.length],
      ['POST', 0],
      ['PUT', two?.length],
    ]);
  });

  it('goes where the registry says, whose query stays as it is', async () => {
    const server = await serve(({ method }) => (method === 'POST' ? OPENED : { status: 201 }));
    const bytes = newBlob();
    await clientOf({ singlePost: false }).putBlob(at(server.host), bytes);
    expect(server.requests[1]?.path).toBe(`/upload/1?state=a%2Fb&x=1&digest=${encodeURIComponent(digestOf(bytes))}`);
  });

  it.each(['http://127.0.0.1:1/x', 'https://evil.example/x', '//evil.example/x'])(
    'goes to no other host (%s)',
    async (location) => {
      const server = await serve(() => ({ status: 202, headers: { location } }));
      expect(await codeOf(clientOf().putBlob(at(server.host), newBlob()))).toBe('REDIRECT_REFUSED');
    },
  );

  it('begins again where the answer to the bytes was lost', async () => {
    const bytes = newBlob();
    faulty.inject({ fault: 'cut before the response', at: 1, forever: false });
    await clientOf({ singlePost: false }).putBlob(at(faulty.host), bytes);
    expect(methods(faulty.requests)).toEqual(['POST', 'PUT', 'POST', 'PUT']);
    expect(await direct.getBlob(at(real.host), { digest: digestOf(bytes), size: bytes.length })).toHaveLength(100);
  });

  it('begins again where the registry has forgotten it', async () => {
    let forgotten = 1;
    const server = await serve(({ method }) => {
      if (method === 'POST') return OPENED;
      return { status: forgotten-- > 0 ? 404 : 201 };
    });
    await clientOf({ singlePost: false }).startUpload(at(server.host)).finish(newBlob());
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'PUT', 'POST', 'PUT']);
  });

  it('fails where the registry took something else', async () => {
    const headers = { 'docker-content-digest': `sha256:${'0'.repeat(64)}` };
    const server = await serve(({ method }) => (method === 'POST' ? OPENED : { status: 201, headers }));
    expect(await codeOf(clientOf().putBlob(at(server.host), newBlob()))).toBe('DIGEST_MISMATCH');
  });
});

describe('an upload that is opened early', () => {
  it('runs beside what comes before the bytes', async () => {
    const upload = clientOf().startUpload(at(proxy.host));
    await expect.poll(() => methods(proxy.requests)).toEqual(['POST']);
    const bytes = newBlob();
    expect(await upload.finish(bytes)).toEqual({ digest: digestOf(bytes), size: 100 });
    expect(methods(proxy.requests)).toEqual(['POST', 'PUT']);
  });

  it('is given up where it is not needed', async () => {
    const client = clientOf();
    const bytes = newBlob();
    await client.putBlob(at(proxy.host), bytes);
    proxy.requests.length = 0;
    await client.startUpload(at(proxy.host)).finish(bytes);
    await expect.poll(() => methods(proxy.requests)).toEqual(['POST', 'DELETE']);
    await client.startUpload(at(proxy.host)).cancel();
    expect(methods(proxy.requests)).toEqual(['POST', 'DELETE', 'POST', 'DELETE']);
  });

  it('tells whoever finishes it that it could not be opened, and nobody else', async () => {
    const server = await serve(() => ({ status: 403 }));
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const upload = clientOf().startUpload(at(server.host));
    clientOf().startUpload(at(server.host));
    await expect.poll(() => server.requests).toHaveLength(2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await upload.cancel();
    expect(await codeOf(upload.finish(newBlob()))).toBe('UNAUTHORIZED');
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});
