import { createHash } from 'node:crypto';
import type { Handler, TestServer } from '@multi-image/testing/http-server';
import { ZERO } from '@multi-image/testing/image';
import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../digest.ts';
import { codeOf, useServers } from '../testing/served.ts';
import type { Registry, Repository } from './registry.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const BYTES = Buffer.from('{"schemaVersion":2}');
const DIGEST = digestOf(BYTES);
const SHA512: Digest = `sha512:${createHash('sha512').update(BYTES).digest('hex')}`;

const headers = { 'content-type': MANIFEST };

const { serve, clientOf } = useServers();
let server: TestServer;

/** A client, and a registry that answers so. */
async function asking(handler: Handler): Promise<{ registry: Registry; repository: Repository }> {
  server = await serve(handler);
  return { registry: clientOf({ retries: 1 }), repository: { registry: server.host, repository: 'a' } };
}

describe('a manifest', () => {
  it('comes as the bytes that it is, with the digest of them', async () => {
    const { registry, repository } = await asking(() => ({ headers, body: BYTES }));
    for (const reference of ['latest', DIGEST]) {
      const manifest = await registry.getManifest(repository, reference);
      expect(manifest).toMatchObject({ digest: DIGEST, mediaType: MANIFEST });
      expect(Buffer.compare(manifest.bytes, BYTES)).toBe(0);
    }
    expect((await registry.getManifest(repository, SHA512)).digest).toBe(SHA512);
    expect(server.requests[0]?.headers.accept).toContain('application/vnd.docker.distribution.manifest.list.v2+json');
  });

  it('that is not what was asked for is refused', async () => {
    const { registry, repository } = await asking(() => ({ headers, body: BYTES }));
    expect(await codeOf(registry.getManifest(repository, ZERO))).toBe('DIGEST_MISMATCH');
    expect(await codeOf(registry.getManifest(repository, `sha512:${'0'.repeat(128)}`))).toBe('DIGEST_MISMATCH');
    // Nor is it asked for again: it would not become another.
    expect(server.requests).toHaveLength(2);
  });

  it.each([
    [ZERO, 'DIGEST_MISMATCH'],
    [`sha512:${'0'.repeat(128)}`, 'DIGEST_MISMATCH'],
    ['sha256:abc', 'RESPONSE_INVALID'],
    ['md5:d41d8cd98f00b204e9800998ecf8427e', 'RESPONSE_INVALID'],
  ])('of which the registry says that its digest is another is refused (%s)', async (said, code) => {
    const { registry, repository } = await asking(() => ({
      headers: { ...headers, 'docker-content-digest': said },
      body: BYTES,
    }));
    expect(await codeOf(registry.getManifest(repository, 'latest'))).toBe(code);
    expect(await codeOf(registry.getManifest(repository, DIGEST))).toBe(code);
  });

  it.each([
    'application/vnd.docker.distribution.manifest.v1+prettyjws',
    'application/vnd.docker.distribution.manifest.v1+json',
    'text/html',
    'application/json',
    '',
  ])('of another type is refused (%j)', async (type) => {
    const { registry, repository } = await asking(() => ({ headers: { 'content-type': type }, body: BYTES }));
    expect(await codeOf(registry.getManifest(repository, 'latest'))).toBe('MEDIA_TYPE_UNSUPPORTED');
    expect(await codeOf(registry.headManifest(repository, 'latest'))).toBe('MEDIA_TYPE_UNSUPPORTED');
  });

  it('may have a parameter in its type', async () => {
    const { registry, repository } = await asking(() => ({
      headers: { 'content-type': `${MANIFEST}; charset=utf-8` },
      body: BYTES,
    }));
    expect((await registry.getManifest(repository, 'latest')).mediaType).toBe(MANIFEST);
  });

  it('that is compressed though nobody asked for that is refused', async () => {
    const { registry, repository } = await asking(() => ({
      headers: { ...headers, 'content-encoding': 'gzip' },
      body: BYTES,
    }));
    expect(await codeOf(registry.getManifest(repository, 'latest'))).toBe('RESPONSE_INVALID');
  });

  it.each([
    ['with its length', '10737418240'],
    ['without an end', undefined],
  ])('of ten gigabytes is not read (%s)', async (_, length) => {
    let sent = 0;
    const { registry, repository } = await asking((_, response) => {
      response.writeHead(200, { ...headers, ...(length === undefined ? {} : { 'content-length': length }) });
      const piece = Buffer.alloc(64 * 1024, ' ');
      const write = (): void => {
        while (!response.destroyed) {
          sent += piece.length;
          if (!response.write(piece)) break;
        }
      };
      response.on('drain', write);
      write();
      return undefined;
    });
    expect(await codeOf(registry.getManifest(repository, 'latest'))).toBe('TOO_LARGE');
    // The limit, and what was on its way.
    expect(sent).toBeLessThan(32 * 1024 * 1024);
    expect(server.requests).toHaveLength(1);
  });

  it('that answers in something else than HTTP is refused', async () => {
    const { registry, repository } = await asking((_, response) => {
      response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n');
      return undefined;
    });
    expect(await codeOf(registry.getManifest(repository, 'latest'))).toBe('RESPONSE_INVALID');
  });

  it.each(['../../etc', 'a b', 'sha256:abc', '', 'x'.repeat(129), '-flag', 'a/b', 'a?b', '\u001b[31m'])(
    'is asked for by a tag or a digest only (%j)',
    async (reference) => {
      const { registry, repository } = await asking(() => ({ headers, body: BYTES }));
      expect(await codeOf(registry.getManifest(repository, reference))).toBe('REFERENCE_INVALID');
      expect(server.requests).toHaveLength(0);
    },
  );

  it('is asked for in a repository only', async () => {
    const { registry, repository } = await asking(() => ({ headers, body: BYTES }));
    for (const name of ['../x', 'a?b', 'a#b', 'A', '', 'a//b', 'a/..']) {
      expect(await codeOf(registry.getManifest({ ...repository, repository: name }, 'latest'))).toBe(
        'REFERENCE_INVALID',
      );
    }
    for (const host of ['127.0.0.1:1@evil.example', 'evil.example/x', '0x7f.1', 'a b', '']) {
      const place = { registry: host, repository: 'a' };
      expect(await codeOf(registry.getManifest(place, 'latest'))).toBe('REFERENCE_INVALID');
    }
    expect(server.requests).toHaveLength(0);
  });
});
