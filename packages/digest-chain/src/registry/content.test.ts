import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { type Handler, startTestServer, type TestServer } from '../testing/http-server.ts';
import { ONES, ZERO } from '../testing/image.ts';
import { createRegistry } from './client.ts';
import type { Registry, Repository } from './registry.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const BYTES = Buffer.from('{"schemaVersion":2}');
const DIGEST = digestOf(BYTES);
const SHA512: Digest = `sha512:${createHash('sha512').update(BYTES).digest('hex')}`;

let server: TestServer | undefined;
let client: Registry | undefined;

afterEach(async () => {
  client?.close();
  await server?.stop();
});

/** A client, and a registry that answers so. */
async function asking(handler: Handler): Promise<{ registry: Registry; repository: Repository }> {
  server = await startTestServer(handler);
  client = createRegistry({ environment: {}, retryPause: 1, retries: 1, timeout: 5000 });
  return { registry: client, repository: { registry: server.host, repository: 'a' } };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => 'no failure',
    (reason: unknown) => reason,
  );
  return error instanceof DigestChainError ? error.code : String(error);
}

const headers = { 'content-type': MANIFEST };

describe('a manifest', () => {
  it('comes as the bytes that it is, with the digest of them', async () => {
    const { registry, repository } = await asking(() => ({ headers, body: BYTES }));
    for (const reference of ['latest', DIGEST]) {
      const manifest = await registry.getManifest(repository, reference);
      expect(manifest).toMatchObject({ digest: DIGEST, mediaType: MANIFEST });
      expect(Buffer.compare(manifest.bytes, BYTES)).toBe(0);
    }
    expect((await registry.getManifest(repository, SHA512)).digest).toBe(SHA512);
    expect(server?.requests[0]?.headers.accept).toContain('application/vnd.docker.distribution.manifest.list.v2+json');
  });

  it('that is not what was asked for is refused', async () => {
    const { registry, repository } = await asking(() => ({ headers, body: BYTES }));
    expect(await codeOf(registry.getManifest(repository, ZERO))).toBe('DIGEST_MISMATCH');
    expect(await codeOf(registry.getManifest(repository, `sha512:${'0'.repeat(128)}`))).toBe('DIGEST_MISMATCH');
    // Nor is it asked for again: it would not become another.
    expect(server?.requests).toHaveLength(2);
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
    expect(server?.requests).toHaveLength(1);
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
      expect(server?.requests).toHaveLength(0);
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
    expect(server?.requests).toHaveLength(0);
  });
});

describe('what a tag is', () => {
  it('comes without its bytes', async () => {
    const { registry, repository } = await asking(() => ({
      headers: { ...headers, 'docker-content-digest': DIGEST },
      body: BYTES,
    }));
    const expected = { digest: DIGEST, size: BYTES.length, mediaType: MANIFEST };
    expect(await registry.headManifest(repository, 'latest')).toEqual(expected);
    expect(server?.requests[0]?.method).toBe('HEAD');
    expect(await codeOf(registry.headManifest(repository, ZERO))).toBe('DIGEST_MISMATCH');
  });

  it('is nothing where there is nothing', async () => {
    const { registry, repository } = await asking(() => ({ status: 404 }));
    expect(await registry.headManifest(repository, 'latest')).toBeUndefined();
  });

  it('must be said by the registry', async () => {
    const { registry, repository } = await asking(() => ({ headers, body: BYTES }));
    expect(await codeOf(registry.headManifest(repository, 'latest'))).toBe('RESPONSE_INVALID');
  });
});

describe('pushing a manifest', () => {
  const manifest = { bytes: BYTES, mediaType: MANIFEST };

  it('says whether its subject was indexed', async () => {
    const { registry, repository } = await asking(({ path }) => ({
      status: 201,
      headers: path.endsWith('/new') ? { 'oci-subject': ZERO } : {},
    }));
    expect(await registry.putManifest(repository, 'new', manifest)).toEqual({ digest: DIGEST, subjectIndexed: true });
    expect(await registry.putManifest(repository, 'old', manifest)).toEqual({ digest: DIGEST, subjectIndexed: false });
    expect(server?.requests[0]).toMatchObject({ method: 'PUT', body: BYTES, headers: { 'content-type': MANIFEST } });
  });

  it('fails where the registry understood something else', async () => {
    const { registry, repository } = await asking(() => ({ status: 201, headers: { 'docker-content-digest': ONES } }));
    expect(await codeOf(registry.putManifest(repository, 'latest', manifest))).toBe('DIGEST_MISMATCH');
  });

  it('under a digest that is not its own is not even tried', async () => {
    const { registry, repository } = await asking(() => ({ status: 201 }));
    expect(await codeOf(registry.putManifest(repository, ZERO, manifest))).toBe('DIGEST_MISMATCH');
    const large = { bytes: Buffer.alloc(4 * 1024 * 1024 + 1, ' '), mediaType: MANIFEST };
    expect(await codeOf(registry.putManifest(repository, 'latest', large))).toBe('TOO_LARGE');
    expect(server?.requests).toHaveLength(0);
  });

  it.each([
    [DIGEST, 'no failure'],
    [ONES, 'CONFLICT'],
  ])('under an immutable tag is done where that names it already (%s)', async (there, code) => {
    const { registry, repository } = await asking(({ method }) =>
      method === 'PUT'
        ? { status: 409, body: '{"errors":[{"code":"TAG_IMMUTABLE","message":"no"}]}' }
        : { headers: { ...headers, 'docker-content-digest': there }, body: BYTES },
    );
    expect(await codeOf(registry.putManifest(repository, 'latest', manifest))).toBe(code);
  });

  it('waits for blobs that the registry does not see yet, and not for ever', async () => {
    const unknown = { status: 400, body: '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown"}]}' };
    let left = 1;
    const { registry, repository } = await asking(() => (left-- > 0 ? unknown : { status: 201 }));
    await registry.putManifest(repository, 'latest', manifest);
    left = 100;
    expect(await codeOf(registry.putManifest(repository, 'latest', manifest))).toBe('REGISTRY_ERROR');
    expect(server?.requests).toHaveLength(4);
  });
});

describe('a blob', () => {
  const descriptor = { digest: DIGEST, size: BYTES.length };

  it('comes as the bytes that it is', async () => {
    const { registry, repository } = await asking(() => ({ body: BYTES }));
    expect(Buffer.compare(await registry.getBlob(repository, descriptor), BYTES)).toBe(0);
    expect(server?.requests[0]?.path).toBe(`/v2/a/blobs/${DIGEST}`);
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
    expect(server?.requests).toHaveLength(0);
  });

  it('that is a gzip bomb is neither unpacked nor taken', async () => {
    const { registry, repository } = await asking(() => ({ headers: { 'content-encoding': 'gzip' }, body: BYTES }));
    expect(await codeOf(registry.getBlob(repository, descriptor))).toBe('RESPONSE_INVALID');
  });
});
