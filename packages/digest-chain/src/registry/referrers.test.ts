import { TestClock } from '@multi-image/testing/clock';
import { type Handler, startTestServer, type TestResponse, type TestServer } from '@multi-image/testing/http-server';
import { afterEach, describe, expect, it } from 'vitest';
import { digestOf } from '../digest.ts';
import { decodeJson, items, member } from '../json/decode.ts';
import { artifactOf, EMPTY, indexOf, OCI_INDEX, OCI_MANIFEST, referrer, SUBJECT } from '../testing/referrers.ts';
import { createRegistry } from './client.ts';
import { fallbackTag } from './referrers.ts';
import type { Repository } from './registry.ts';

describe('other registries', () => {
  let server: TestServer | undefined;
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });

  async function at(handler: Handler): Promise<Repository> {
    server = await startTestServer(handler);
    return { registry: server.host, repository: 'org/image' };
  }

  const registry = createRegistry({ retries: 0, clock: new TestClock() });
  const API = `/v2/org/image/referrers/${SUBJECT}`;
  const page = (manifests: readonly unknown[], headers: Record<string, string> = {}): TestResponse => ({
    headers: { 'content-type': OCI_INDEX, ...headers },
    body: indexOf(manifests),
  });
  const link = (target: string): Record<string, string> => ({ link: `<${target}>; rel="next"` });
  const codeIs = (code: string): unknown => expect.objectContaining({ code });

  it('reads all pages of the API', async () => {
    const pages: Record<string, TestResponse> = {
      [API]: page([referrer('a'), referrer('b')], link(`${API}?page=2`)),
      [`${API}?page=2`]: page([referrer('b'), referrer('c')], link('?page=3')),
      [`${API}?page=3`]: page([referrer('d')]),
    };
    const repository = await at((request) => pages[request.path] ?? { status: 404 });
    const found = await registry.listReferrers(repository, SUBJECT);
    expect(found).toEqual(['a', 'b', 'c', 'd'].map((name) => referrer(name)));
    expect(server?.requests).toHaveLength(3);
  });

  it('filters by itself unless the registry did', async () => {
    const listed = [referrer('a'), referrer('b', { artifactType: 'application/vnd.other' })];
    let applied: Record<string, string> = {};
    const repository = await at(() => page(listed, applied));
    const options = { artifactType: 'application/vnd.other' };
    await expect(registry.listReferrers(repository, SUBJECT, options)).resolves.toEqual(listed.slice(1));
    expect(server?.requests[0]?.path).toBe(`${API}?artifactType=${encodeURIComponent(options.artifactType)}`);
    applied = { 'oci-filters-applied': 'other, artifactType' };
    await expect(registry.listReferrers(repository, SUBJECT, options)).resolves.toEqual(listed);
  });

  it.each([
    ['a page that was there before', 'RESPONSE_INVALID', (path: string) => (path === API ? `${API}?page=2` : API)],
    ['itself', 'RESPONSE_INVALID', () => API],
    ['ever new pages', 'RESPONSE_INVALID', () => `${API}?page=${Math.random()}`],
    ['another host', 'REDIRECT_REFUSED', () => 'https://evil.example/v2/org/image/referrers/x'],
    ['another path', 'REDIRECT_REFUSED', () => '/v2/other/secrets'],
    ['a user', 'REDIRECT_REFUSED', (_: string, host: string) => `http://user@${host}${API}?page=2`],
    ['no URL', 'REDIRECT_REFUSED', () => 'http://['],
  ])('does not follow a Link to %s', async (_, code, target) => {
    const repository = await at((request) => page([referrer('a')], link(target(request.path, server?.host ?? ''))));
    await expect(registry.listReferrers(repository, SUBJECT)).rejects.toEqual(codeIs(code));
    expect(server?.requests.length).toBeLessThanOrEqual(100);
  });

  it('reads no more referrers than it can use', async () => {
    const many = Array.from({ length: 5001 }, (_, index) => index);
    const repository = await at(({ path }) => {
      const number = Number(new URLSearchParams(path.split('?')[1]).get('page') ?? 0);
      return page(
        many.map((index) => referrer(`${number}-${index}`)),
        link(`${API}?page=${number + 1}`),
      );
    });
    await expect(registry.listReferrers(repository, SUBJECT)).rejects.toEqual(codeIs('RESPONSE_INVALID'));
    expect(server?.requests).toHaveLength(2);
  });

  it('reads no more of what is said about them than it can hold', async () => {
    const annotations = { a: 'x'.repeat(3 * 1024 * 1024) };
    const repository = await at(({ path }) => {
      const number = Number(new URLSearchParams(path.split('?')[1]).get('page') ?? 0);
      return page([{ ...referrer(`${number}`), annotations }], link(`${API}?page=${number + 1}`));
    });
    const error = { code: 'RESPONSE_INVALID', expected: expect.stringContaining('bytes') };
    await expect(registry.listReferrers(repository, SUBJECT)).rejects.toMatchObject(error);
    expect(server?.requests).toHaveLength(11);
  });

  it('asks for the fallback tag where there is no API, and from then on only for that', async () => {
    const repository = await at(({ path }) => (path.includes('/referrers/') ? { status: 404 } : page([referrer('a')])));
    const registry = createRegistry({ retries: 0 });
    for (let time = 0; time < 2; time++) {
      await expect(registry.listReferrers(repository, SUBJECT)).resolves.toEqual([referrer('a')]);
    }
    const tag = `/v2/org/image/manifests/${fallbackTag(SUBJECT)}`;
    expect(server?.requests.map(({ path }) => path)).toEqual([API, tag, tag]);
  });

  it('takes 400 about an unknown subject, as Quay answers, for "none by the API" just this time', async () => {
    const repository = await at(({ path }) => ({ status: path.includes('/referrers/') ? 400 : 404 }));
    for (let time = 0; time < 2; time++) {
      await expect(registry.listReferrers(repository, SUBJECT)).resolves.toEqual([]);
    }
    expect(server?.requests.filter(({ path }) => path === API)).toHaveLength(2);
  });

  it('is not misled by a registry that resolves the fallback tag to the subject itself', async () => {
    const body = indexOf([referrer('a child, no referrer')]);
    const repository = await at(({ path }) =>
      path.includes('/referrers/') ? { status: 404 } : { headers: { 'content-type': OCI_INDEX }, body },
    );
    await expect(registry.listReferrers(repository, digestOf(Buffer.from(body)))).resolves.toEqual([]);
  });

  it('leaves the fallback tag alone where the registry says that it indexed the subject', async () => {
    const repository = await at(() => ({ status: 201, headers: { 'oci-subject': SUBJECT } }));
    await expect(registry.putReferrer(repository, artifactOf('one'))).resolves.toMatchObject({ subjectIndexed: true });
    expect(server?.requests.map(({ method }) => method)).toEqual(['PUT']);
  });

  it('puts itself back when it was overwritten, and gives up when that goes on', async () => {
    const lost = { rounds: 3 };
    let tag: Buffer | undefined;
    const repository = await at(({ method, path, body }) => {
      if (!path.includes('/manifests/sha256-')) return { status: 201 };
      if (method === 'GET') return tag === undefined ? { status: 404 } : { ...page([]), body: tag };
      tag = lost.rounds-- > 0 ? Buffer.from(indexOf([referrer('theirs')])) : body;
      return { status: 201 };
    });
    const { digest } = await registry.putReferrer(repository, artifactOf('one'));
    expect(items(member(decodeJson(tag ?? EMPTY), 'manifests')).map((entry) => member(entry, 'digest'))).toEqual([
      referrer('theirs').digest,
      digest,
    ]);
    lost.rounds = 1000;
    await expect(registry.putReferrer(repository, artifactOf('two'))).rejects.toEqual(codeIs('CONFLICT'));
  });

  it.each([
    ['another media type', { headers: { 'content-type': 'text/html' }, body: '<html>' }, 'MEDIA_TYPE_UNSUPPORTED'],
    ['what is no JSON', page([]) && { headers: { 'content-type': OCI_INDEX }, body: '<html>' }, 'JSON_INVALID'],
    ['no list', { headers: { 'content-type': OCI_INDEX }, body: '{"manifests":{}}' }, 'RESPONSE_INVALID'],
    [
      'another document',
      { headers: { 'content-type': OCI_INDEX }, body: `{"mediaType":"${OCI_MANIFEST}","manifests":[]}` },
      'RESPONSE_INVALID',
    ],
    ['too much', { headers: { 'content-type': OCI_INDEX }, body: Buffer.alloc(5 * 1024 * 1024, ' ') }, 'TOO_LARGE'],
    ['deep nesting', { headers: { 'content-type': OCI_INDEX }, body: '['.repeat(100_000) }, 'JSON_INVALID'],
    ['a refusal', { status: 403 }, 'UNAUTHORIZED'],
  ])('refuses %s', async (_, answer, code) => {
    const repository = await at(() => answer);
    await expect(registry.listReferrers(repository, SUBJECT)).rejects.toEqual(codeIs(code));
  });
});
