import { TestClock } from '@multi-image/testing/clock';
import type { TestResponse } from '@multi-image/testing/http-server';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../digest.ts';
import { readImageManifest } from '../seal/manifest.ts';
import { referrer } from '../testing/referrers.ts';
import { useServers } from '../testing/served.ts';
import { createRegistry } from './client.ts';
import { fallbackTag, readReferrers } from './referrers.ts';
import { Throttle } from './throttle.ts';
import { parseWarnings } from './warnings.ts';

const { serve } = useServers();
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

describe('what is said by other names', () => {
  it('is a list of referrers by the name of Docker', () => {
    const list = { schemaVersion: 2, mediaType: DOCKER_LIST, manifests: [referrer('one')] };
    expect(readReferrers(Buffer.from(JSON.stringify(list)))).toEqual([referrer('one')]);
  });

  it('is an image whose layers are null: it has none', () => {
    const config = {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(Buffer.from('{}')),
      size: 2,
    };
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: null };
    const read = (value: object): unknown => readImageManifest(Buffer.from(JSON.stringify(value)), OCI_MANIFEST);
    expect(read(manifest)).toMatchObject({ config: { digest: config.digest } });
    expect(() => read({ ...manifest, layers: undefined })).toThrow(expect.objectContaining({ code: 'NOT_AN_IMAGE' }));
  });
});

describe('several challenges', () => {
  const bytes = Buffer.from('blob');
  const blob = { digest: digestOf(bytes), size: bytes.length };
  const credentials = async () => ({ type: 'basic', username: 'user', password: 'open sesame' }) as const;

  it.each([
    ['in one header', ['Negotiate, Basic realm="x", Bearer realm="http://HOST/token",service="s"'], 'Bearer strong'],
    ['in several headers', ['Basic realm="x"', 'Bearer realm="http://HOST/token"'], 'Bearer strong'],
    [
      'of which the first can not be followed',
      ['Bearer service="s"', 'Bearer realm="http://HOST/token"'],
      'Bearer strong',
    ],
    ['of which only Basic can be followed', ['Bearer realm="ftp://x"', 'Basic realm="x"'], 'Basic '],
  ])('%s: one that can be met is', async (_, challenges, wanted) => {
    const server = await serve(({ path, headers }) => {
      if (path.startsWith('/token')) return { body: '{"token":"strong"}' };
      if (headers.authorization?.startsWith(wanted)) return { body: bytes };
      return {
        status: 401,
        headers: { 'www-authenticate': challenges.map((each) => each.replace('HOST', headers.host ?? '')) },
      };
    });
    const registry = createRegistry({ credentials, retries: 0 });
    expect(await registry.getBlob({ registry: server.host, repository: 'some/image' }, blob)).toHaveLength(4);
  });

  it('a token that ends in the middle of a copy is renewed, and the copy begins again', async () => {
    let tokens = 0;
    let puts = 0;
    const server = await serve(({ method, path, headers }): TestResponse => {
      if (path.startsWith('/token')) return { body: JSON.stringify({ token: `token-${tokens++}` }) };
      const ended = method === 'PUT' && puts++ === 0;
      if (headers.authorization === undefined || ended) {
        return { status: 401, headers: { 'www-authenticate': `Bearer realm="http://${headers.host}/token"` } };
      }
      if (method === 'GET') return { body: bytes };
      return method === 'PUT' ? { status: 201 } : { status: 202, headers: { location: '/upload/1' } };
    });
    const registry = createRegistry({ credentials, clock: new TestClock() });
    const at = (repository: string) => ({ registry: server.host, repository });
    expect(await registry.copyBlob(blob, at('from'), at('to'))).toEqual({ mounted: false });
    const sent = server.requests.filter(({ method }) => method === 'PUT');
    expect(sent).toHaveLength(2);
    expect(sent[1]?.headers.authorization).not.toBe(sent[0]?.headers.authorization);
  });
});

describe('credentials that do not hold for ever', () => {
  const bytes = Buffer.from('blob');
  const blob = { digest: digestOf(bytes), size: bytes.length };

  /** A registry with a token service that says yes to one secret at a time, and names the next identity token. */
  async function changing(accepted: () => string, next?: () => string) {
    return serve(({ path, headers, body }) => {
      if (path.startsWith('/token')) {
        const shown = new URLSearchParams(body.toString()).get('refresh_token');
        const basic = Buffer.from(headers.authorization?.slice('Basic '.length) ?? '', 'base64').toString();
        if (shown !== accepted() && basic !== `user:${accepted()}`) return { status: 401 };
        return { body: JSON.stringify({ token: `for-${accepted()}`, expires_in: 60, refresh_token: next?.() }) };
      }
      if (headers.authorization?.startsWith('Bearer for-')) return { body: bytes };
      return { status: 401, headers: { 'www-authenticate': `Bearer realm="http://${headers.host}/token"` } };
    });
  }

  it('are looked up again where they are refused, and not for ever', async () => {
    let accepted = 'first';
    let helper = 'first';
    let asked = 0;
    const server = await changing(() => accepted);
    const clock = new TestClock();
    const registry = createRegistry({
      clock,
      retries: 0,
      credentials: async () => {
        asked++;
        return { type: 'basic', username: 'user', password: helper };
      },
    });
    const at = { registry: server.host, repository: 'some/image' };
    expect(await registry.getBlob(at, blob)).toHaveLength(4);
    clock.pass(60_000);
    [accepted, helper] = ['second', 'second'];
    expect(await registry.getBlob(at, blob)).toHaveLength(4);
    expect(asked).toBe(2);
    clock.pass(60_000);
    accepted = 'third';
    await expect(registry.getBlob(at, blob)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    // Shown unasked, and shown again when the registry asks.
    expect(asked).toBe(4);
  });

  it('are the identity token that the service gave last (RFC 6749, section 6)', async () => {
    let generation = 0;
    const server = await changing(
      () => `identity-${generation}`,
      () => `identity-${++generation}`,
    );
    const credentials = async () => ({ type: 'identity', token: 'identity-0' }) as const;
    const registry = createRegistry({ retries: 0, credentials });
    for (const repository of ['one', 'two', 'three']) {
      expect(await registry.getBlob({ registry: server.host, repository }, blob)).toHaveLength(4);
    }
    expect(generation).toBe(3);
  });

  it('are asked for again when the service says, which is in the message where that is too late', async () => {
    const server = await serve(
      ({ path, headers }): TestResponse =>
        path.startsWith('/token')
          ? { status: 429, headers: { 'retry-after': '7200' } }
          : { status: 401, headers: { 'www-authenticate': `Bearer realm="http://${headers.host}/token"` } },
    );
    const asked = createRegistry().getBlob({ registry: server.host, repository: 'some/image' }, blob);
    await expect(asked).rejects.toMatchObject({ found: expect.stringContaining('come back in 7200 s') });
  });
});

describe('a tag that is refused', () => {
  const subject = digestOf(Buffer.from('subject'));
  const tag = fallbackTag(subject);
  const artifact = {
    mediaType: OCI_MANIFEST,
    bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, subject: { digest: subject } })),
  };

  async function refusing(tags: TestResponse) {
    const written: string[] = [];
    const server = await serve(({ method, path, body }): TestResponse => {
      if (path.endsWith('/tags/list')) return tags;
      if (path.includes('/referrers/')) return { status: 404 };
      if (method === 'PUT') {
        if (path.endsWith(tag)) written.push(body.toString());
        return { status: 201 };
      }
      if (written.length === 0) return { status: 403 };
      return { headers: { 'content-type': OCI_INDEX }, body: written.at(-1) ?? '' };
    });
    return {
      written,
      registry: createRegistry({ retries: 0 }),
      at: { registry: server.host, repository: 'some/image' },
    };
  }

  it('is there where the list of tags has it: then it is not overwritten, and what it lists is unknown', async () => {
    const { registry, at, written } = await refusing({ body: JSON.stringify({ tags: ['v1', tag] }) });
    const unknown = { code: 'UNAUTHORIZED', message: expect.stringContaining('is unknown') };
    await expect(registry.putReferrer(at, artifact)).rejects.toMatchObject(unknown);
    await expect(registry.listReferrers(at, subject)).rejects.toMatchObject(unknown);
    await expect(registry.getManifest(at, tag)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(written).toEqual([]);
  });

  it('is read again where the list of tags has it: another may have written it in between', async () => {
    const others = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [referrer('other')] });
    const written: string[] = [];
    const server = await serve(({ method, path, body }): TestResponse => {
      if (path.includes('/referrers/')) return { status: 404 };
      if (path.endsWith('/tags/list')) {
        written.push(others);
        return { body: JSON.stringify({ tags: [tag] }) };
      }
      if (method === 'PUT') {
        if (path.endsWith(tag)) written.push(body.toString());
        return { status: 201 };
      }
      const there = written.at(-1);
      return there === undefined ? { status: 403 } : { headers: { 'content-type': OCI_INDEX }, body: there };
    });
    const at = { registry: server.host, repository: 'some/image' };
    const registry = createRegistry({ retries: 0 });
    const { digest } = await registry.putReferrer(at, artifact);
    const listed = (await registry.listReferrers(at, subject)).map((each) => each.digest);
    expect(listed).toEqual([referrer('other').digest, digest]);
  });

  it.each([
    ['has others', { body: '{"tags":["v1"]}' }],
    ['is null', { body: '{"tags":null}' }],
    ['is of an unknown repository', { status: 404, body: '{"errors":[{"code":"NAME_UNKNOWN"}]}' }],
  ])('is not there where the list of tags %s', async (_, tags) => {
    const { registry, at, written } = await refusing(tags);
    await expect(registry.getManifest(at, 'v2')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await registry.headManifest(at, 'v2')).toBeUndefined();
    expect(await registry.listReferrers(at, subject)).toEqual([]);
    await registry.putReferrer(at, artifact);
    expect(written).toHaveLength(1);
  });

  it.each([
    ['is refused', { status: 403 }],
    ['is a page', { body: '<p>hello' }],
    ['leads elsewhere', { headers: { link: '</v2/other/tags/list>; rel="next"' }, body: '{"tags":[]}' }],
    ['has no end', { headers: { link: '<?>; rel="next"' }, body: '{"tags":[]}' }],
  ])('may be there where the list of tags %s: nothing is lost', async (_, tags) => {
    const { registry, at, written } = await refusing(tags);
    await expect(registry.getManifest(at, 'v2')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await expect(registry.putReferrer(at, artifact)).rejects.toMatchObject({
      message: expect.stringContaining('nor can it be told'),
    });
    expect(written).toEqual([]);
  });
});

describe('a list of referrers', () => {
  it.each([401, 403, 410, 412, 422, 451])('that is refused by %i leaves the tag, or is unknown', async (status) => {
    const server = await serve(({ path }) => ({ status: path.includes('/referrers/') ? status : 404 }));
    const listed = createRegistry().listReferrers(
      { registry: server.host, repository: 'a' },
      digestOf(Buffer.from('x')),
    );
    await expect(listed).rejects.toMatchObject({ message: expect.stringContaining('is unknown') });
  });

  it('for which the token service has no token leaves the tag', async () => {
    const tag = `{"schemaVersion":2,"manifests":[${JSON.stringify(referrer('one'))}]}`;
    const server = await serve(({ path, headers }): TestResponse => {
      if (path.startsWith('/token')) return { status: 403 };
      if (!path.includes('/referrers/')) return { headers: { 'content-type': DOCKER_LIST }, body: tag };
      return { status: 401, headers: { 'www-authenticate': `Bearer realm="http://${headers.host}/token"` } };
    });
    const at = { registry: server.host, repository: 'a' };
    const registry = createRegistry();
    expect(await registry.listReferrers(at, digestOf(Buffer.from('x')))).toEqual([referrer('one')]);
  });
});

describe('a tag that stays as it is', () => {
  it.each([400, 403, 405, 409, 412])('(%i) and names what is to be written is as it should be', async (status) => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST }));
    const headers = { 'content-type': OCI_MANIFEST, 'docker-content-digest': digestOf(bytes) };
    const server = await serve(({ method }) => (method === 'PUT' ? { status } : { headers, body: bytes }));
    const at = { registry: server.host, repository: 'a' };
    const write = (content: Buffer) =>
      createRegistry({ retries: 0 }).putManifest(at, 'v1', { bytes: content, mediaType: OCI_MANIFEST });
    expect(await write(bytes)).toMatchObject({ digest: digestOf(bytes) });
    await expect(write(Buffer.from(`${bytes} `))).rejects.toMatchObject({ http: { status } });
  });
});

describe('limits', () => {
  it('of a registry hold for all calls, and there is an end to trying again', async () => {
    const clock = new TestClock();
    const throttle = new Throttle(clock);
    const before = clock.now();
    expect(throttle.limited('one', 5000)).toBe(true);
    const call = { signal: new AbortController().signal, endsAt: clock.now() + 120_000 };
    await throttle.pass('other', call);
    expect(clock.now()).toBeLessThan(before + 5000);
    await expect(throttle.pass('one', { ...call, endsAt: before + 4000 })).rejects.toThrow(
      expect.objectContaining({ code: 'REGISTRY_ERROR', hint: expect.stringContaining('come back in 5 s') }),
    );
    await throttle.pass('one', call);
    expect(clock.now()).toBeGreaterThanOrEqual(before + 5000);
    const more = Array.from({ length: 64 }, () => throttle.limited('one', 0));
    expect(more.at(-2)).toBe(true);
    expect(more.at(-1)).toBe(false);
    throttle.taken('one');
    expect(throttle.limited('one', 0)).toBe(true);
  });

  it.each([
    ['299 - "one"', ['one']],
    ['299 - "a \\"b\\", c", 299 - "two"', ['a "b", c', 'two']],
    ['199 - "no", 299 host "no", 299 - no', []],
  ])('are warned of: %s', (header, texts) => {
    expect(parseWarnings(header)).toEqual(texts);
  });
});
