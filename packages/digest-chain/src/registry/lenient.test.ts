import { makeClock } from '@multi-image/testing/clock';
import type { TestResponse } from '@multi-image/testing/http-server';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../digest.ts';
import { readImageManifest } from '../seal/manifest.ts';
import { referrer } from '../testing/referrers.ts';
import { useServers } from '../testing/served.ts';
import { createRegistry } from './client.ts';
import { readReferrers } from './referrers.ts';
import { Throttle } from './throttle.ts';
import { parseWarnings } from './warnings.ts';

const { serve } = useServers();
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
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
    const registry = createRegistry({ credentials, clock: makeClock() });
    const at = (repository: string) => ({ registry: server.host, repository });
    expect(await registry.copyBlob(blob, at('from'), at('to'))).toEqual({ mounted: false });
    const sent = server.requests.filter(({ method }) => method === 'PUT');
    expect(sent).toHaveLength(2);
    expect(sent[1]?.headers.authorization).not.toBe(sent[0]?.headers.authorization);
  });
});

describe('limits', () => {
  it('of a registry hold for all calls, and there is an end to trying again', async () => {
    const clock = makeClock();
    const throttle = new Throttle(clock);
    const before = clock.now();
    expect(throttle.limited('one', 5000)).toBe(true);
    await throttle.pass('other', new AbortController().signal);
    expect(clock.now()).toBeLessThan(before + 5000);
    await throttle.pass('one', new AbortController().signal);
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
