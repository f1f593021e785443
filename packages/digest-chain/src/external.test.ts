import { REVISION } from '@multi-image/testing/chain';
import { type EmbeddingImage as Built, pushEmbedding } from '@multi-image/testing/embedding-image';
import { ONES } from '@multi-image/testing/image';
import { type MemoryRegistry, memoryRegistry } from '@multi-image/testing/memory-registry';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Check } from './check.ts';
import { extract } from './extract.ts';
import { link } from './link.ts';
import { parseDigestReference, parseReference, parseTagReference } from './reference.ts';
import { resolve } from './resolve.ts';
import { seal } from './seal.ts';
import { snapshotOf } from './snapshot/document.ts';
import { attachStatement } from './statement/artifact.ts';
import type { Chain } from './statement/chain.ts';
import { discoverStatements } from './statement/discover.ts';
import { type Verification, verify } from './verify.ts';

let registry: MemoryRegistry;
let operator: Built;
let bundle: Built;
let daemon: Built;

/** Of another team, in another registry. */
const DAEMON = 'elsewhere.example/team/daemon';
const imageOf = (role: string): string => `registry.example/chain/${role}`;
const at = ({ image, digest }: Built, tag = REVISION) => parseDigestReference(`${image}:${tag}@${digest}`);
const linked = (...images: readonly Built[]) => images.map((image) => ({ role: image.role, image: at(image) }));
const external = (image: Built, role = 'daemon') => [{ role, image: at(image, '1.0') }];
const tag = parseTagReference(`${imageOf('operator')}:${REVISION}`);
const prove = ({ image, digest }: Built): Promise<Verification> =>
  verify(registry, parseReference(`${image}@${digest}`));
const failed = ({ checks }: Verification): readonly Check[] => checks.filter(({ status }) => status === 'failed');

async function statementAt({ image, digest }: Built): Promise<Chain | undefined> {
  const { statements } = await discoverStatements(registry, parseReference(image), digest);
  return statements[0]?.chain;
}

beforeEach(async () => {
  registry = memoryRegistry();
  daemon = await pushEmbedding(registry, DAEMON, 'daemon', [], { tag: '1.0', revision: 'd'.repeat(40) });
  operator = await pushEmbedding(registry, imageOf('operator'), 'operator', []);
  bundle = await pushEmbedding(registry, imageOf('bundle'), 'bundle', [operator, daemon]);
});

describe('an image that was built elsewhere', () => {
  it('is named by the statement with the digest that was embedded, and gets nothing attached', async () => {
    const result = await link(registry, at(operator), linked(bundle), { tag, external: external(daemon) });
    expect(result.links.map(({ role, digest }) => [role, digest])).toEqual([
      ['bundle', bundle.digest],
      ['daemon', daemon.digest],
    ]);
    const statement = await statementAt(bundle);
    expect(statement?.images.find(({ role }) => role === 'daemon')).toEqual({
      role: 'daemon',
      url: `${DAEMON}:1.0`,
      digest: daemon.digest,
      origin: undefined,
      external: true,
    });
    expect(statement?.embeds).toEqual([
      { image: 'bundle', embedded: 'daemon' },
      { image: 'bundle', embedded: 'operator' },
    ]);
    expect(await statementAt(daemon)).toBeUndefined();
  });

  it('is proved to be there from any image of the chain, whatever commit it was built from', async () => {
    await link(registry, at(operator), linked(bundle), { tag, external: external(daemon) });
    for (const image of [operator, bundle]) {
      const proof = await prove(image);
      expect(failed(proof)).toEqual([]);
      expect(proof.level).toBe('linked');
      expect(proof.revision).toBe(REVISION);
      expect(proof.images.find(({ role }) => role === 'daemon')).toEqual({
        role: 'daemon',
        place: DAEMON,
        digest: daemon.digest,
        external: true,
      });
    }
    const found = await extract(registry, parseReference(`${operator.image}:${REVISION}`), { role: 'daemon' });
    expect(found).toMatchObject({ url: `${DAEMON}:1.0`, digest: daemon.digest });
  });

  it('may be embedded by the image that carries the statement, too, and may itself be sealed', async () => {
    const inner = await pushEmbedding(registry, 'elsewhere.example/team/inner', 'inner', [daemon], { tag: '1.0' });
    const { digest } = await seal(registry, at(daemon, '1.0'), [{ role: 'inner', image: at(inner, '1.0') }], {
      tag: parseTagReference(`${DAEMON}:1.0`),
    });
    const sealed = { ...daemon, digest, url: `${DAEMON}@${digest}` };
    operator = await pushEmbedding(registry, imageOf('operator'), 'operator', [sealed]);
    bundle = await pushEmbedding(registry, imageOf('bundle'), 'bundle', [operator, sealed]);
    await link(registry, at(operator), linked(bundle), { tag, external: external(sealed) });
    expect((await prove(bundle)).level).toBe('linked');
    expect((await statementAt(operator))?.images.find(({ role }) => role === 'daemon')?.digest).toBe(digest);
  });

  it('costs a proof one request', async () => {
    await link(registry, at(operator), linked(bundle), { tag, external: external(daemon) });
    registry.asked.length = 0;
    await prove(operator);
    expect(registry.asked.filter((request) => request.includes('daemon'))).toHaveLength(1);
  });
});

describe('the Snapshot of a chain', () => {
  const components = new Map([
    ['operator', 'my-operator'],
    ['bundle', 'my-bundle'],
    ['daemon', 'their-daemon'],
  ]);
  const make = (of: ReadonlyMap<string, string | undefined> = components) =>
    snapshotOf(registry, tag, { application: 'app', components: of, gitUrl: 'https://git.example/org/operator' });

  it('has an image that was built elsewhere by the digest that is embedded, with its own source', async () => {
    const source = 'https://git.example/team/daemon';
    const revision = 'd'.repeat(40);
    daemon = await pushEmbedding(registry, DAEMON, 'daemon', [], { tag: '1.0', revision, source });
    bundle = await pushEmbedding(registry, imageOf('bundle'), 'bundle', [operator, daemon]);
    await link(registry, at(operator), linked(bundle), { tag, external: external(daemon) });
    expect((await make()).spec.components.find(({ name }) => name === 'their-daemon')).toEqual({
      name: 'their-daemon',
      containerImage: daemon.url,
      source: { git: { url: source, revision } },
    });
    const without = await make(new Map([...components, ['daemon', undefined]]));
    expect(without.spec.components.map(({ name }) => name)).toEqual(['my-bundle', 'my-operator']);
  });

  it('is refused where nobody knows what a component was built from', async () => {
    await link(registry, at(operator), linked(bundle), { tag, external: external(daemon) });
    await expect(make()).rejects.toMatchObject({ code: 'SNAPSHOT_INVALID', hint: expect.stringContaining('daemon=-') });
  });
});

describe('linking refuses, before anything is written, an external image that', () => {
  it.each<[string, () => Promise<Built>, string]>([
    ['is gone', () => Promise.resolve({ ...daemon, digest: ONES }), 'LINK_MISSING'],
    ['nobody embeds', () => pushEmbedding(registry, DAEMON, 'other', [], { tag: '1.0' }), 'LINK_MISMATCH'],
    [
      'is embedded from another place',
      async () => ({
        ...(await pushEmbedding(registry, 'copy.example/daemon', 'daemon', [], {
          tag: '1.0',
          revision: 'd'.repeat(40),
        })),
      }),
      'LINK_MISMATCH',
    ],
  ])('%s', async (_, other, code) => {
    const image = await other();
    await expect(
      link(registry, at(operator), linked(bundle), { tag, external: external(image) }),
    ).rejects.toMatchObject({
      code,
    });
    expect(await statementAt(operator)).toBeUndefined();
  });

  it('has a tag that moved since it was embedded', async () => {
    await pushEmbedding(registry, DAEMON, 'daemon', [], { tag: '1.0', revision: 'e'.repeat(40) });
    const linking = link(registry, at(operator), linked(bundle), { tag, external: external(daemon) });
    await expect(linking).rejects.toMatchObject({ code: 'TAG_MOVED' });
    expect(await statementAt(operator)).toBeUndefined();
  });

  it('has the role of another', async () => {
    const images = external(daemon, 'bundle');
    await expect(link(registry, at(operator), linked(bundle), { tag, external: images })).rejects.toMatchObject({
      code: 'LINK_INVALID',
    });
  });
});

describe('a proof fails where the external image', () => {
  it('is gone', async () => {
    await link(registry, at(operator), linked(bundle), { tag, external: external(daemon) });
    registry.manifests.delete(`${DAEMON}@${daemon.digest}`);
    const proof = await prove(operator);
    expect(proof.level).toBe('none');
    expect(failed(proof)[0]).toMatchObject({ id: 'linked-image-exists', role: 'daemon' });
  });

  it.each<[string, (chain: Chain) => Partial<Chain>, string]>([
    [
      'is not the one that is embedded',
      ({ images }) => ({
        images: images.map((image) =>
          image.external ? { ...image, url: operator.image, digest: operator.digest } : image,
        ),
      }),
      'embeds-origin',
    ],
    [
      'is said to be embedded by none',
      ({ embeds }) => ({ embeds: embeds.filter((edge) => edge.embedded !== 'daemon') }),
      'link-present',
    ],
    [
      'of another commit is not called external',
      ({ images }) => ({ images: images.map((image) => ({ ...image, external: undefined })) }),
      'same-revision',
    ],
  ])('%s, in a statement that somebody attached', async (_, change, id) => {
    const place = (image: Built) => ({ role: image.role, url: image.image, digest: image.digest });
    const chain: Chain = {
      images: [place(operator), place(bundle), { ...place(daemon), external: true }],
      embeds: ['operator', 'daemon'].map((embedded) => ({ image: 'bundle', embedded })),
    };
    const subject = {
      repository: parseReference(bundle.image),
      manifest: await registry.getManifest(at(bundle), REVISION),
    };
    await attachStatement(registry, { ...chain, ...change(chain) }, [subject]);
    const proof = await prove(bundle);
    expect(proof.level).toBe('none');
    expect(failed(proof).map((check) => check.id)).toContain(id);
  });

  it.each<[string, Partial<Chain['images'][number]>[], Chain['embeds']]>([
    ['an external image that embeds another', [{}, { external: true }], [{ image: 'bundle', embedded: 'operator' }]],
    [
      'an external image with an origin',
      [{ external: true, origin: ONES }, {}],
      [{ image: 'bundle', embedded: 'operator' }],
    ],
    ['external images alone', [{ external: true }, { external: true }], []],
  ])('no statement can name %s', async (_, changes, embeds) => {
    const images = [operator, bundle].map(({ role, image, digest }, index) => {
      return { role, url: image, digest, ...changes[index] };
    });
    const subject = {
      repository: parseReference(bundle.image),
      manifest: await registry.getManifest(at(bundle), REVISION),
    };
    await expect(attachStatement(registry, { images, embeds }, [subject])).rejects.toMatchObject({
      code: 'STATEMENT_INVALID',
    });
  });
});

describe('resolve', () => {
  it.each([
    ['a tag', `${DAEMON}:1.0`, ':1.0'],
    ['a digest', `${DAEMON}@{}`, ''],
    ['a tag that still is that digest', `${DAEMON}:1.0@{}`, ':1.0'],
  ])('finds %s', async (_, text, named) => {
    const image = parseReference(text.replace('{}', daemon.digest));
    const [found] = await resolve(registry, [{ role: 'daemon', image }]);
    expect(found).toEqual({ role: 'daemon', image: parseReference(`${DAEMON}${named}@${daemon.digest}`) });
  });

  it('takes a name alone for latest', async () => {
    await pushEmbedding(registry, DAEMON, 'daemon', [], { tag: 'latest' });
    const [found] = await resolve(registry, [{ role: 'daemon', image: parseReference(DAEMON) }]);
    expect(found?.image.tag).toBe('latest');
  });

  it('refuses a tag that moved, with both digests', async () => {
    const before = await resolve(registry, [{ role: 'daemon', image: parseReference(`${DAEMON}:1.0`) }]);
    const moved = await pushEmbedding(registry, DAEMON, 'daemon', [], { tag: '1.0', revision: 'e'.repeat(40) });
    await expect(resolve(registry, before)).rejects.toMatchObject({
      code: 'TAG_MOVED',
      expected: `${DAEMON}:1.0@${daemon.digest}`,
      found: moved.digest,
    });
  });

  it.each([`${DAEMON}:2.0`, `${DAEMON}@${ONES}`, `${DAEMON}:1.0@${ONES}`])('refuses what is gone: %s', async (text) => {
    await expect(resolve(registry, [{ role: 'daemon', image: parseReference(text) }])).rejects.toMatchObject({
      code: 'LINK_MISSING',
      message: expect.stringContaining('daemon'),
      hint: expect.any(String),
    });
  });
});
