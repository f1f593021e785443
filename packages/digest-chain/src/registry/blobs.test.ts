import type { Handler, TestServer } from '@multi-image/testing/http-server';
import { ZERO } from '@multi-image/testing/image';
import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../digest.ts';
import { codeOf, useServers } from '../testing/served.ts';
import type { Registry, Repository } from './registry.ts';

const BYTES = Buffer.from('{"schemaVersion":2}');
const DIGEST = digestOf(BYTES);

const { serve, clientOf } = useServers();
let server: TestServer;

/** A client, and a registry that answers so. */
async function asking(handler: Handler): Promise<{ registry: Registry; repository: Repository }> {
  server = await serve(handler);
  return { registry: clientOf({ retries: 1 }), repository: { registry: server.host, repository: 'a' } };
}

describe('a blob', () => {
  const descriptor = { digest: DIGEST, size: BYTES.length };

  it('comes as the bytes that it is', async () => {
    const { registry, repository } = await asking(() => ({ body: BYTES }));
    expect(Buffer.compare(await registry.getBlob(repository, descriptor), BYTES)).toBe(0);
    expect(server.requests[0]?.path).toBe(`/v2/a/blobs/${DIGEST}`);
  });

  it('of another digest is refused', async () => {
    const { registry, repository } = await asking(() => ({ body: BYTES }));
    expect(await codeOf(registry.getBlob(repository, { ...descriptor, digest: ZERO }))).toBe('DIGEST_MISMATCH');
  });

  it('of another size is refused, said or not', async () => {
    const { registry, repository } = await asking(({ path }, response) => {
      if (!path.includes('0000')) return { body: BYTES };
      return void response.writeHead(200).end(BYTES);
    });
    for (const digest of [DIGEST, ZERO]) {
      expect(await codeOf(registry.getBlob(repository, { digest, size: BYTES.length + 1 }))).toBe('SIZE_MISMATCH');
      expect(await codeOf(registry.getBlob(repository, { digest, size: BYTES.length - 1 }))).toMatch(/SIZE|TOO_LARGE/);
    }
  });

  it('that is too large, or impossibly described, is not asked for', async () => {
    const { registry, repository } = await asking(() => ({ body: BYTES }));
    expect(await codeOf(registry.getBlob(repository, descriptor, { limit: 10 }))).toBe('TOO_LARGE');
    expect(await codeOf(registry.getBlob(repository, { digest: DIGEST, size: 10 ** 10 }))).toBe('TOO_LARGE');
    for (const size of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(await codeOf(registry.getBlob(repository, { digest: DIGEST, size }))).toBe('SIZE_MISMATCH');
    }
    const digest = 'sha256:../../x' as Digest;
    expect(await codeOf(registry.getBlob(repository, { digest, size: 1 }))).toBe('DIGEST_INVALID');
    expect(server.requests).toHaveLength(0);
  });

  it('that is a gzip bomb is neither unpacked nor taken', async () => {
    const { registry, repository } = await asking(() => ({ headers: { 'content-encoding': 'gzip' }, body: BYTES }));
    expect(await codeOf(registry.getBlob(repository, descriptor))).toBe('RESPONSE_INVALID');
  });
});
