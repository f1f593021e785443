import { randomBytes } from 'node:crypto';
import { type CountingProxy, startCountingProxy } from '@multi-image/testing/counting-proxy';
import { startFaultProxy } from '@multi-image/testing/fault-proxy';
import type { ReceivedRequest } from '@multi-image/testing/http-server';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../digest.ts';
import { codeOf, useServers } from '../testing/served.ts';
import { createRegistry } from './client.ts';
import type { Repository } from './registry.ts';

let real: TestRegistry;
let proxy: CountingProxy;
const direct = createRegistry({ environment: {} });
const { serve, clientOf } = useServers();

beforeAll(async () => {
  real = await startTestRegistry();
  proxy = await startCountingProxy(real.host);
});
afterAll(async () => {
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

describe('a copy', () => {
  it('is a mount on the same registry: no byte moves', async () => {
    const bytes = newBlob(5_000_000);
    const descriptor = await direct.putBlob(at(real.host), bytes);
    const client = clientOf();
    const target = at(proxy.host, 'copied/image');
    expect(await client.copyBlob(descriptor, at(proxy.host), target)).toEqual({ mounted: true });
    expect(methods(proxy.requests)).toEqual(['POST']);
    expect(Buffer.compare(await direct.getBlob(at(real.host, 'copied/image'), descriptor), bytes)).toBe(0);
    await client.copyBlob(descriptor, at(proxy.host), target);
    expect(proxy.requests).toHaveLength(1);
  });

  it('is a stream between registries, of any size', async () => {
    const other = await startTestRegistry();
    try {
      const bytes = newBlob(20_000_000);
      const descriptor = await direct.putBlob(at(real.host), bytes);
      expect(await clientOf().copyBlob(descriptor, at(real.host), at(other.host))).toEqual({ mounted: false });
      const copied = await direct.getBlob(at(other.host), descriptor, { limit: bytes.length });
      expect(Buffer.compare(copied, bytes)).toBe(0);
    } finally {
      await other.stop();
    }
  });

  it('is a stream where the registry does not mount, also when many are copied at once', async () => {
    const blobs = Array.from({ length: 10 }, () => newBlob(1000));
    const stored = new Map<string, Buffer>();
    const server = await serve((request) => answerWithoutMount(request, stored, blobs));
    const client = clientOf({ concurrency: 2 });
    const copies = blobs.map((bytes) => {
      const descriptor = { digest: digestOf(bytes), size: bytes.length };
      return client.copyBlob(descriptor, at(server.host), at(server.host, 'copied'));
    });
    expect(await Promise.all(copies)).toEqual(blobs.map(() => ({ mounted: false })));
    for (const bytes of blobs) expect(stored.get(digestOf(bytes))).toEqual(bytes);
  });

  it('may take longer than a request, but not pause for longer', async () => {
    const bytes = newBlob(3000);
    const stored = new Map<string, Buffer>();
    const server = await serve(async (request, response) => {
      if (request.method !== 'GET') return answerWithoutMount(request, stored, []);
      for (let at = 0; at < bytes.length; at += 100) {
        response.write(bytes.subarray(at, at + 100));
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
      return void response.end();
    });
    const descriptor = { digest: digestOf(bytes), size: bytes.length };
    const copy = (timeout: number): Promise<{ mounted: boolean }> =>
      clientOf({ timeout, retries: 0 }).copyBlob(descriptor, at(server.host), at(server.host, 'copied'));
    expect(await codeOf(copy(30))).toBe('REGISTRY_TIMEOUT');
    expect(await copy(1500)).toEqual({ mounted: false });
    expect(stored.get(descriptor.digest)).toEqual(bytes);
  });

  it('begins again where the registry asks who is there in the middle of it', async () => {
    const bytes = newBlob(300_000);
    const stored = new Map<string, Buffer>();
    const server = await serve((request) => {
      const isKnown = request.headers.authorization !== undefined;
      if (request.method !== 'PUT' || isKnown) return answerWithoutMount(request, stored, [bytes]);
      return { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } };
    });
    const credentials = async () => ({ type: 'basic', username: 'me', password: 'hunter22' }) as const;
    const descriptor = { digest: digestOf(bytes), size: bytes.length };
    await clientOf({ credentials }).copyBlob(descriptor, at(server.host), at(server.host, 'copied'));
    expect(stored.get(descriptor.digest)).toEqual(bytes);
  });

  it.each([
    [
      'another digest',
      (bytes: Buffer) => Buffer.concat([Buffer.of((bytes[0] ?? 0) ^ 1), bytes.subarray(1)]),
      'DIGEST_MISMATCH',
    ],
    ['too few bytes', (bytes: Buffer) => bytes.subarray(1), 'SIZE_MISMATCH'],
    ['too many bytes', (bytes: Buffer) => Buffer.concat([bytes, bytes]), 'TOO_LARGE'],
  ])('with %s is never completed', async (_, damage, code) => {
    const bytes = newBlob(300_000);
    const stored = new Map<string, Buffer>();
    const server = await serve((request, response) => {
      if (request.method !== 'GET') return answerWithoutMount(request, stored, []);
      return void response.writeHead(200).end(damage(bytes));
    });
    const descriptor = { digest: digestOf(bytes), size: bytes.length };
    const copy = clientOf().copyBlob(descriptor, at(server.host), at(server.host, 'copied'));
    expect(await codeOf(copy)).toBe(code);
    expect(stored.size).toBe(0);
  });
});

function answerWithoutMount(request: ReceivedRequest, stored: Map<string, Buffer>, blobs: readonly Buffer[]) {
  const digest = decodeURIComponent(/(?:digest=|blobs\/)(sha256.*)$/.exec(request.path)?.[1] ?? '');
  if (request.method === 'POST') return OPENED;
  if (request.method === 'GET') return { body: blobs.find((bytes) => digestOf(bytes) === digest) ?? '' };
  stored.set(digest, request.body);
  return { status: 201 };
}

describe('a stream', () => {
  it('is uploaded and read again, at the second try where the first one fails in passing', async () => {
    const bytes = newBlob(3_000_000);
    const descriptor = { digest: digestOf(bytes), size: bytes.length };
    const faulty = await startFaultProxy(real.host);
    try {
      const client = clientOf({ retryPause: 1 });
      let opened = 0;
      const open = async function* () {
        opened++;
        for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
      };
      faulty.inject({ fault: '500', at: 1, forever: false });
      await client.pushBlob(at(faulty.host, 'streamed'), descriptor, open);
      expect(opened).toBe(2);
      expect(await client.headBlob(at(faulty.host, 'streamed'), descriptor.digest)).toEqual(descriptor);
      faulty.inject({ fault: 'cut in the response', at: 0, forever: false });
      const read = await client.readBlob(at(faulty.host, 'streamed'), descriptor, async (content) => {
        const pieces: Uint8Array[] = [];
        for await (const piece of content) pieces.push(piece);
        return Buffer.concat(pieces);
      });
      expect(faulty.requests).toHaveLength(2);
      expect(Buffer.compare(read, bytes)).toBe(0);
    } finally {
      await faulty.stop();
    }
  });

  it('that is not what its descriptor says is not uploaded', async () => {
    const bytes = newBlob();
    const client = clientOf();
    const push = (digest = digestOf(bytes), size = bytes.length) =>
      client.pushBlob(at(real.host, 'wrong'), { digest, size }, async function* () {
        yield bytes;
      });
    expect(await codeOf(push(digestOf(newBlob())))).toBe('DIGEST_MISMATCH');
    expect(await codeOf(push(undefined, 99))).toBe('SIZE_MISMATCH');
    expect(await codeOf(push(undefined, 101))).toBe('SIZE_MISMATCH');
    expect(await client.headBlob(at(real.host, 'wrong'), digestOf(bytes))).toBeUndefined();
  });

  it('whose source or reader fails, fails with that', async () => {
    const bytes = newBlob();
    const descriptor = { digest: digestOf(bytes), size: bytes.length };
    const client = clientOf();
    const gone = new Error('the disk is gone');
    const push = client.pushBlob(at(real.host, 'failing'), descriptor, async function* () {
      yield bytes.subarray(0, 50);
      throw gone;
    });
    await expect(push).rejects.toBe(gone);
    await direct.putBlob(at(real.host, 'failing'), bytes);
    const read = client.readBlob(at(real.host, 'failing'), descriptor, async () => {
      throw gone;
    });
    await expect(read).rejects.toBe(gone);
  });
});

describe('what crosses two registries', () => {
  it.each([
    ['source', 'GET', 'a registry that has nothing', 'NOT_FOUND'],
    ['destination', 'POST', 'a registry that refuses', 'UNAUTHORIZED'],
  ] as const)('fails with the side: %s', async (side, method, _, code) => {
    const bytes = newBlob();
    const descriptor = await direct.putBlob(at(real.host), bytes);
    const errors = JSON.stringify({ errors: [{ code: 'NO', message: 'no' }] });
    const failing = await serve(() => ({ status: code === 'NOT_FOUND' ? 404 : 403, body: errors }));
    const [from, to] = side === 'source' ? [failing.host, real.host] : [real.host, failing.host];
    const copy = clientOf().copyBlob(descriptor, at(from), at(to, 'crossed/image'));
    await expect(copy).rejects.toMatchObject({
      code,
      operation: 'copy',
      side,
      http: {
        method,
        status: code === 'NOT_FOUND' ? 404 : 403,
        codes: ['NO'],
        url: expect.stringContaining(failing.host),
      },
    });
  });
});
