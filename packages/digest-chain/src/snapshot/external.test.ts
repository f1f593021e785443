import { REVISION } from '@multi-image/testing/chain';
import { type EmbeddingImage, pushEmbedding } from '@multi-image/testing/embedding-image';
import { ONES } from '@multi-image/testing/image';
import { memoryRegistry } from '@multi-image/testing/memory-registry';
import { SOURCE } from '@multi-image/testing/provenance';
import { beforeAll, describe, expect, it } from 'vitest';
import { link } from '../link.ts';
import { parseDigestReference, parseTagReference } from '../reference.ts';
import { runCli } from '../testing/cli.ts';
import { judgeSnapshot, type TestedSnapshot } from './judge.ts';

const DAEMON = 'elsewhere.example/team/daemon';
const THEIRS = { url: 'https://git.example/team/daemon', revision: 'd'.repeat(40) };
const at = (image: EmbeddingImage, tag = REVISION) => parseDigestReference(`${image.image}:${tag}@${image.digest}`);

describe('a Snapshot of a chain with an image that was built elsewhere', () => {
  const registry = memoryRegistry();
  let named: Readonly<Record<string, string>>;

  beforeAll(async () => {
    const options = { tag: '1.0', revision: THEIRS.revision };
    const daemon = await pushEmbedding(registry, DAEMON, 'daemon', [], options);
    const operator = await pushEmbedding(registry, 'registry.example/chain/operator', 'operator', []);
    const bundle = await pushEmbedding(registry, 'registry.example/chain/bundle', 'bundle', [operator, daemon]);
    await link(registry, at(operator), [{ role: 'bundle', image: at(bundle) }], {
      tag: parseTagReference(`${operator.image}:${REVISION}`),
      external: [{ role: 'daemon', image: at(daemon, '1.0') }],
    });
    named = { 'my-operator': operator.url, 'my-bundle': bundle.url, 'their-daemon': daemon.url };
  });

  const components = new Map([
    ['operator', 'my-operator'],
    ['bundle', 'my-bundle'],
  ]);
  const external = new Map([['daemon', 'their-daemon']]);
  const judge = (
    images: Readonly<Record<string, string | undefined>>,
    { labels = {}, ...options }: { labels?: Partial<TestedSnapshot>; components?: typeof components } = {},
  ) => {
    const git = { url: SOURCE, revision: REVISION };
    const spec = {
      components: Object.entries({ ...named, ...images }).flatMap(([name, containerImage]) =>
        containerImage === undefined
          ? []
          : [{ name, containerImage, source: { git: name === 'their-daemon' ? THEIRS : git } }],
      ),
    };
    const chain = { components, external, starts: ['operator'], gitUrl: SOURCE, release: 'chain' } as const;
    return judgeSnapshot(registry, { spec, ...labels }, { ...chain, ...options });
  };

  it('passes with the digest that the chain was built with, of whatever commit and repository', async () => {
    expect(await judge({})).toMatchObject({ result: 'SUCCESS', note: expect.stringContaining('3 images') });
  });

  it.each<[string, Readonly<Record<string, string | undefined>>, RegExp]>([
    [
      'another digest of it',
      { 'their-daemon': `${DAEMON}@${ONES}` },
      new RegExp(`^SNAPSHOT_MIXED: their-daemon is not the image that the chain of my-operator.*daemon: .*${ONES}`),
    ],
    ['it by tag', { 'their-daemon': `${DAEMON}:1.0` }, /^SNAPSHOT_INVALID: .*their-daemon by digest/],
    ['none of it', { 'their-daemon': undefined }, /^SNAPSHOT_INCOMPLETE: .*no their-daemon/],
  ])('with %s fails, and says so', async (_, images, note) => {
    expect(await judge(images)).toMatchObject({ result: 'FAILURE', note: expect.stringMatching(note) });
  });

  it('fails where the chain does not say that it was built elsewhere, or says it of one that it should have built', async () => {
    const own = new Map([...components, ['daemon', 'their-daemon']]);
    // As one of the chain it has to be of its repository and commit.
    const mixed = await judge({}, { components: own });
    expect(mixed).toMatchObject({ result: 'FAILURE', note: expect.stringContaining('another repository') });
    const elsewhere = new Map([['operator', 'my-operator']]);
    const spec = { 'my-bundle': undefined, 'their-daemon': undefined };
    const options = { external: new Map([['bundle', 'my-bundle']]), components: elsewhere };
    expect(await judge({ ...spec, 'my-bundle': named['my-bundle'] }, options)).toMatchObject({
      result: 'FAILURE',
      note: expect.stringMatching(/^SNAPSHOT_MIXED: .*my-bundle as one that was built elsewhere/),
    });
  });

  it('is not looked for in Snapshots that are not released; in one of its own build that is, it has to be the chain’s', async () => {
    const held = { type: 'component', built: 'my-operator', event: 'push', chain: 'my-operator' };
    expect(await judge({ 'their-daemon': `${DAEMON}:1.0` }, { labels: held })).toMatchObject({ result: 'SUCCESS' });
    const own = { type: 'component', built: 'their-daemon', event: 'push' };
    expect(await judge({ 'their-daemon': `${DAEMON}@${ONES}` }, { labels: own })).toMatchObject({ result: 'FAILURE' });
    expect(await judge({}, { labels: own })).toMatchObject({ result: 'SUCCESS' });
    const pull = { ...own, event: 'pull_request', pullRequest: '7' };
    expect(await judge({}, { labels: pull })).toMatchObject({ result: 'SKIPPED' });
  });
});

it.each([
  ['daemon=-', 'names no component'],
  ['operator=their-daemon', 'as an image of the chain, and as an external one'],
  ['daemon=my-operator', 'for two roles'],
  ['daemon', 'is not <role>=<name>'],
])('--external-component=%s is refused', async (text, why) => {
  const args = ['judge-snapshot', '--snapshot={}', '--component=operator=my-operator', `--git-url=${SOURCE}`];
  const { status, stderr } = await runCli([...args, `--external-component=${text}`]);
  expect([status, stderr]).toEqual([2, expect.stringContaining(why)]);
});
