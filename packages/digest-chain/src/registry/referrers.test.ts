import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../digest.ts';
import { decodeJson, items, member } from '../json/decode.ts';
import { startCountingProxy } from '../testing/counting-proxy.ts';
import { type Handler, startTestServer, type TestResponse, type TestServer } from '../testing/http-server.ts';
import { startTestRegistry, type TestRegistry } from '../testing/registry.ts';
import { createRegistry } from './client.ts';
import { appendReferrer, readReferrers } from './referrer-index.ts';
import { fallbackTag } from './referrers.ts';
import type { Referrer, Registry, Repository } from './registry.ts';

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const EMPTY = Buffer.from('{}');
const SUBJECT: Digest = `sha256:${'5'.repeat(64)}`;

/** A manifest that is attached to a subject; each name makes another one. */
function artifactOf(name: string, subject: Digest = SUBJECT, more: object = {}): { bytes: Buffer; mediaType: string } {
  const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(EMPTY), size: EMPTY.length };
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType: 'application/vnd.example',
      config: empty,
      layers: [empty],
      subject: { mediaType: OCI_MANIFEST, digest: subject, size: 7 },
      annotations: { name, 'org.example/x': 'y' },
      ...more,
    }),
  );
  return { bytes, mediaType: OCI_MANIFEST };
}

const referrer = (name: string, more: Partial<Referrer> = {}): Referrer => ({
  mediaType: OCI_MANIFEST,
  digest: digestOf(Buffer.from(name)),
  size: name.length,
  artifactType: 'application/vnd.example',
  ...more,
});

const indexOf = (manifests: readonly unknown[]): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });

describe('the fallback tag, at a real registry', () => {
  let server: TestRegistry;
  let repository: Repository;
  let registry: Registry;
  let repositories = 0;
  beforeAll(async () => {
    server = await startTestRegistry();
  });
  afterAll(() => server?.stop());

  async function fresh(): Promise<void> {
    repository = { registry: server.host, repository: `referrers/${repositories++}` };
    registry = createRegistry();
    await registry.putBlob(repository, EMPTY);
  }

  it('lists nothing where nothing is attached', async () => {
    await fresh();
    await expect(registry.listReferrers(repository, SUBJECT)).resolves.toEqual([]);
  });

  it('lists what was attached, with its artifactType and all annotations, once', async () => {
    await fresh();
    const artifact = artifactOf('one');
    const { digest } = await registry.putReferrer(repository, artifact);
    await registry.putReferrer(repository, artifact);
    await createRegistry().putReferrer(repository, artifact);
    const expected = {
      mediaType: OCI_MANIFEST,
      digest,
      size: artifact.bytes.length,
      artifactType: 'application/vnd.example',
      annotations: { name: 'one', 'org.example/x': 'y' },
    };
    await expect(registry.listReferrers(repository, SUBJECT)).resolves.toEqual([expected]);
    await expect(registry.getManifest(repository, digest)).resolves.toMatchObject({ digest });
    const tag = await registry.getManifest(repository, `sha256-${'5'.repeat(64)}`);
    expect(tag.mediaType).toBe(OCI_INDEX);
    expect(decodeJson(tag.bytes)).toEqual({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [expected] });
  });

  it("takes the config's media type for an artifactType that is missing", async () => {
    await fresh();
    await registry.putReferrer(
      repository,
      artifactOf('one', SUBJECT, { artifactType: undefined, annotations: undefined }),
    );
    const [found] = await registry.listReferrers(repository, SUBJECT);
    expect(found).toMatchObject({ artifactType: 'application/vnd.oci.empty.v1+json' });
    expect(found).not.toHaveProperty('annotations');
  });

  it('filters by artifactType', async () => {
    await fresh();
    await registry.putReferrer(repository, artifactOf('one'));
    await registry.putReferrer(repository, artifactOf('two', SUBJECT, { artifactType: 'application/vnd.other' }));
    const options = { artifactType: 'application/vnd.other' };
    await expect(registry.listReferrers(repository, SUBJECT, options)).resolves.toHaveLength(1);
    await expect(registry.listReferrers(repository, SUBJECT)).resolves.toHaveLength(2);
  });

  it('leaves every byte of what others have listed', async () => {
    await fresh();
    const first = await registry.putManifest(repository, 'one', artifactOf('one'));
    const entry = `{ "size":10 , "digest":"${first.digest}","mediaType":"${OCI_MANIFEST}","x":9007199254740993,"\\u0061":[] }`;
    const index = `{"manifests":[\n${entry}\n],"mediaType":"${OCI_INDEX}","schemaVersion":2,"annotations":{"a":"b"}}\n`;
    await registry.putManifest(repository, fallbackTag(SUBJECT), { bytes: Buffer.from(index), mediaType: OCI_INDEX });
    await registry.putReferrer(repository, artifactOf('two'));
    const { bytes } = await registry.getManifest(repository, fallbackTag(SUBJECT));
    const text = Buffer.from(bytes).toString();
    expect(text.startsWith(index.slice(0, index.indexOf('\n]')))).toBe(true);
    expect(text.endsWith(index.slice(index.indexOf('\n]')))).toBe(true);
    expect(readReferrers(bytes)).toHaveLength(2);
  });

  it('lets nobody be forgotten when many clients attach at the same time', async () => {
    await fresh();
    const names = Array.from({ length: 12 }, (_, index) => `artifact ${index}`);
    await Promise.all(names.map((name) => createRegistry().putReferrer(repository, artifactOf(name))));
    const listed = await registry.listReferrers(repository, SUBJECT);
    expect(listed.map(({ annotations }) => annotations?.name).toSorted()).toEqual(names.toSorted());
  });

  it('makes those of one client wait for each other instead', async () => {
    await fresh();
    const proxy = await startCountingProxy(server.host);
    try {
      const names = Array.from({ length: 6 }, (_, index) => `artifact ${index}`);
      const behind = { ...repository, registry: proxy.host };
      await Promise.all(names.map((name) => registry.putReferrer(behind, artifactOf(name))));
      const listed = await registry.listReferrers(repository, SUBJECT);
      expect(listed.map(({ annotations }) => annotations?.name).toSorted()).toEqual(names);
      const writes = proxy.requests.filter((request) => request.startsWith('PUT') && request.includes('/sha256-'));
      expect(writes).toHaveLength(names.length);
    } finally {
      await proxy.stop();
    }
  });

  it('overwrites nothing that is no list of referrers', async () => {
    await fresh();
    const other = artifactOf('other');
    await registry.putManifest(repository, fallbackTag(SUBJECT), other);
    const refused = expect.objectContaining({ code: 'RESPONSE_INVALID' });
    await expect(registry.putReferrer(repository, artifactOf('one'))).rejects.toEqual(refused);
    await expect(registry.listReferrers(repository, SUBJECT)).rejects.toEqual(refused);
    const there = await registry.getManifest(repository, fallbackTag(SUBJECT));
    expect(there.digest).toBe(digestOf(other.bytes));
  });

  it('attaches only what has a subject', async () => {
    await fresh();
    const code = 'DIGEST_INVALID';
    const without = artifactOf('one', SUBJECT, { subject: undefined });
    await expect(registry.putReferrer(repository, without)).rejects.toEqual(expect.objectContaining({ code }));
  });
});

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

  const registry = createRegistry({ retries: 0 });
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

it('passes over members that are no descriptors', () => {
  const good = referrer('good');
  const bad = [
    null,
    1,
    [],
    {},
    { ...good, digest: 'x' },
    { ...good, size: -1 },
    { ...good, size: '1' },
    { ...good, mediaType: 1 },
  ];
  expect(readReferrers(Buffer.from(indexOf([...bad, good, good])))).toEqual([good]);
  expect(readReferrers(Buffer.from(indexOf([{ ...good, annotations: { a: 'b', c: 1 } }])))).toEqual([
    { ...good, annotations: { a: 'b' } },
  ]);
});

it('appends to an empty list', () => {
  const appended = appendReferrer(Buffer.from('{"manifests":[ ],"schemaVersion":2}'), '{"a":1}');
  expect(Buffer.from(appended).toString()).toBe('{"manifests":[{"a":1} ],"schemaVersion":2}');
});

it('names the fallback tag by at most 64 hex digits', () => {
  expect(fallbackTag(`sha512:${'a'.repeat(64)}${'b'.repeat(64)}`)).toBe(`sha512-${'a'.repeat(64)}`);
});
