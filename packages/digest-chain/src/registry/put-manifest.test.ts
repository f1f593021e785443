import type { Handler, TestServer } from '@multi-image/testing/http-server';
import { ONES, ZERO } from '@multi-image/testing/image';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../digest.ts';
import { codeOf, useServers } from '../testing/served.ts';
import type { Registry, Repository } from './registry.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const BYTES = Buffer.from('{"schemaVersion":2}');
const DIGEST = digestOf(BYTES);

const headers = { 'content-type': MANIFEST };

const { serve, clientOf } = useServers();
let server: TestServer;

/** A client, and a registry that answers so. */
async function asking(handler: Handler): Promise<{ registry: Registry; repository: Repository }> {
  server = await serve(handler);
  return { registry: clientOf({ retries: 1 }), repository: { registry: server.host, repository: 'a' } };
}

describe('what a tag is', () => {
  it('comes without its bytes', async () => {
    const { registry, repository } = await asking(() => ({
      headers: { ...headers, 'docker-content-digest': DIGEST },
      body: BYTES,
    }));
    const expected = { digest: DIGEST, size: BYTES.length, mediaType: MANIFEST };
    expect(await registry.headManifest(repository, 'latest')).toEqual(expected);
    expect(server.requests[0]?.method).toBe('HEAD');
    expect(await codeOf(registry.headManifest(repository, ZERO))).toBe('DIGEST_MISMATCH');
  });

  it('is nothing where there is nothing', async () => {
    const { registry, repository } = await asking(() => ({ status: 404 }));
    expect(await registry.headManifest(repository, 'latest')).toBeUndefined();
  });

  it.each([200, 405])('is read from its bytes where a HEAD does not say it (%i)', async (status) => {
    const { registry, repository } = await asking(({ method }) =>
      method === 'HEAD' ? { status, headers, body: BYTES } : { headers, body: BYTES },
    );
    const there = { digest: DIGEST, size: BYTES.length, mediaType: MANIFEST };
    expect(await registry.headManifest(repository, 'latest')).toEqual(there);
  });
});

describe('pushing a manifest', () => {
  const manifest = { bytes: BYTES, mediaType: MANIFEST };

  it('says whether its subject was indexed', async () => {
    const { registry, repository } = await asking(({ path }) => ({
      status: 201,
      ...(path.endsWith('/new') ? { headers: { 'oci-subject': ZERO } } : {}),
    }));
    expect(await registry.putManifest(repository, 'new', manifest)).toEqual({ digest: DIGEST, subjectIndexed: true });
    expect(await registry.putManifest(repository, 'old', manifest)).toEqual({ digest: DIGEST, subjectIndexed: false });
    expect(server.requests[0]).toMatchObject({ method: 'PUT', body: BYTES, headers: { 'content-type': MANIFEST } });
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
    expect(server.requests).toHaveLength(0);
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
    const put = registry.putManifest(repository, 'latest', manifest);
    expect(
      await put.then(
        () => 'no failure',
        (error) => error.code,
      ),
    ).toBe(code);
  });

  it('waits for blobs that the registry does not see yet, and not for ever', async () => {
    const unknown = { status: 400, body: '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown"}]}' };
    let left = 1;
    const { registry, repository } = await asking(() => (left-- > 0 ? unknown : { status: 201 }));
    await registry.putManifest(repository, 'latest', manifest);
    left = 100;
    expect(await codeOf(registry.putManifest(repository, 'latest', manifest))).toBe('REGISTRY_ERROR');
    expect(server.requests).toHaveLength(4);
  });
});
