import { buildArgsOf, tasksOf } from '@multi-image/testing/attested-chain';
import { REVISION } from '@multi-image/testing/chain';
import { type MemoryChain, memoryChain, signChain } from '@multi-image/testing/memory-chain';
import { memoryRegistry } from '@multi-image/testing/memory-registry';
import { provenanceV02, SOURCE } from '@multi-image/testing/provenance';
import { createSigner } from '@multi-image/testing/signer';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../testing/cli.ts';
import { type JudgeOptions, judgeSnapshot, type TestedSnapshot } from './judge.ts';
import { parseSnapshotSpec } from './read.ts';

const OTHER = 'f'.repeat(40);
const ZERO = `sha256:${'0'.repeat(64)}`;

interface Named {
  readonly image: string;
  readonly url?: string;
  readonly revision?: string;
}

const specOf = (components: Readonly<Record<string, Named>>): unknown => ({
  application: 'my-app',
  components: Object.entries(components).map(([name, { image, url = SOURCE, revision = REVISION }]) => ({
    name,
    containerImage: image,
    source: { git: { url, revision } },
  })),
});

describe('a Snapshot', () => {
  const registry = memoryRegistry();
  let chain: MemoryChain;
  let second: MemoryChain;
  let app: Named;
  let scanner: Named;
  let sidecar: Named;
  const components = new Map([
    ['primary', 'app'],
    ['metadata', 'scanner'],
    ['sidecar', 'sidecar'],
  ]);

  beforeAll(async () => {
    chain = await memoryChain(registry, 'app', { third: 'sidecar' });
    second = await memoryChain(registry, 'second', { third: 'sidecar' });
    app = { image: `${chain.image1}@${chain.sealed}` };
    scanner = { image: `${chain.image2}@${chain.metadata}` };
    sidecar = { image: `${chain.third?.image}@${chain.third?.digest}` };
  });

  const judge = (
    named: Readonly<Record<string, Named>>,
    labels: Partial<TestedSnapshot> = {},
    options: Partial<JudgeOptions> = {},
  ) =>
    judgeSnapshot(
      registry,
      { spec: specOf(named), ...labels },
      { components, starts: ['primary'], gitUrl: SOURCE, release: 'chain', ...options },
    );

  it('with the images of one build passes, and says how far it is proved', async () => {
    expect(await judge({ app, scanner, sidecar })).toMatchObject({
      result: 'SUCCESS',
      successes: 1,
      warnings: 1,
      note: expect.stringContaining(`3 images of ${REVISION} is linked`),
    });
    // Of no chain: it is not what this test is about.
    const other = { image: 'registry.example/other:1' };
    expect(await judge({ app, scanner, sidecar, other })).toMatchObject({ result: 'SUCCESS' });
  });

  it.each<[string, () => Record<string, Named>, string]>([
    ['another build of one image', () => ({ app, scanner: named(second.image2, second.metadata), sidecar }), 'MIXED'],
    ['an image of another chain', () => ({ app, scanner, sidecar: { image: scanner.image } }), 'MIXED'],
    ['two commits', () => ({ app, scanner: { ...scanner, revision: OTHER }, sidecar }), 'MIXED'],
    ['another repository', () => ({ app, scanner: { ...scanner, url: `${SOURCE}2` }, sidecar }), 'MIXED'],
    ['a part of the chain', () => ({ app, sidecar }), 'INCOMPLETE'],
    ['a tag', () => ({ app, scanner: { image: 'registry.example/app/image2:1' }, sidecar }), 'INVALID'],
    ['no commit', () => ({ app, scanner: { ...scanner, revision: 'main' }, sidecar }), 'INVALID'],
  ])('with %s fails, and says what is wrong', async (_, snapshot, code) => {
    const { result, note } = await judge(snapshot());
    expect([result, note]).toEqual([
      'FAILURE',
      expect.stringMatching(new RegExp(`^SNAPSHOT_${code}: .*(?:scanner|sidecar)`)),
    ]);
  });

  const named = (image: string, digest: string): Named => ({ image: `${image}@${digest}` });

  it('with a chain that is broken fails by the check that says why', async () => {
    const gone = named(chain.image1, chain.origin);
    expect(await judge({ app: gone, scanner, sidecar })).toMatchObject({
      result: 'FAILURE',
      note: expect.stringContaining('VERIFICATION_FAILED'),
    });
    await expect(judge({ app: named(chain.image1, ZERO), scanner, sidecar })).resolves.toMatchObject({
      result: 'FAILURE',
      note: expect.stringContaining('NOT_FOUND'),
    });
  });

  it('of a component by itself is judged by the image that was built alone: it is not released', async () => {
    const promoted = named(second.image2, second.metadata);
    const labels = { type: 'component', built: 'app', event: 'push', chain: 'app' };
    expect(await judge({ app, scanner: { ...promoted, revision: OTHER } }, labels)).toMatchObject({
      result: 'SUCCESS',
      note: expect.stringContaining('is not released'),
    });
    // Where components are released by themselves, it goes out as it is.
    expect(await judge({ app, scanner: promoted, sidecar }, labels, { release: 'components' })).toMatchObject({
      result: 'FAILURE',
    });
    // That of a component beside the chain is released, with what is promoted of the chain.
    const other = { type: 'component', built: 'other', event: 'push' };
    expect(await judge({ app, scanner: promoted, sidecar }, other)).toMatchObject({ result: 'FAILURE' });
    expect(await judge({ app, scanner, sidecar }, other)).toMatchObject({ result: 'SUCCESS' });
    // Those of another chain are held back as ours are.
    expect(await judge({ app, scanner: promoted }, { ...other, chain: 'theirs' })).toMatchObject({ result: 'SKIPPED' });
    expect(await judge({ other: app }, other)).toMatchObject({ result: 'SKIPPED' });
  });

  it('of a pull request may come from a fork, and an override is judged as what is released', async () => {
    const fork = { url: 'https://git.example/stranger/app' };
    const labels = { type: 'component', built: 'app', event: 'pull_request', pullRequest: '7' };
    expect(await judge({ app: { ...app, ...fork }, scanner: { image: 'x:1' } }, labels)).toMatchObject({
      result: 'SUCCESS',
    });
    expect(await judge({ app }, { type: 'override' })).toMatchObject({ result: 'FAILURE' });
  });

  it('of a group is of pull requests, by whatever event it was built', async () => {
    const fork = { url: 'https://git.example/stranger/app' };
    const all = { app: { ...app, ...fork }, scanner: { ...scanner, ...fork }, sidecar: { ...sidecar, ...fork } };
    expect(await judge(all, { type: 'group', event: 'retest-all-comment' })).toMatchObject({ result: 'SUCCESS' });
    // It holds a whole chain.
    const { sidecar: _, ...part } = all;
    expect(await judge(part, { type: 'group', event: 'pull_request' })).toMatchObject({ result: 'FAILURE' });
  });

  it('of a push that merged a pull request has its number, and is judged as that of any push', async () => {
    const fork = { url: 'https://git.example/stranger/app' };
    const labels = { type: 'component', built: 'app', event: 'push', pullRequest: '7' };
    expect(await judge({ app: { ...app, ...fork }, scanner, sidecar }, labels)).toMatchObject({ result: 'FAILURE' });
    expect(await judge({ app, scanner, sidecar }, labels)).toMatchObject({ result: 'SUCCESS' });
    // A comment starts runs of a pull request and of a commit alike.
    const comment = { ...labels, event: 'retest-all-comment' };
    expect(await judge({ app: { ...app, ...fork }, scanner, sidecar }, comment)).toMatchObject({ result: 'SUCCESS' });
  });

  it('is demanded to be attested where there is a key', async () => {
    const signer = createSigner();
    const [pair, keyed] = [new Map([...components].slice(0, 2)), { keys: signer.keys }];
    const attested = await memoryChain(registry, 'attested');
    const snapshot = {
      app: named(attested.image1, attested.sealed),
      scanner: named(attested.image2, attested.metadata),
    };
    const options = { ...keyed, components: pair };
    expect(await judge(snapshot, {}, options)).toMatchObject({
      result: 'FAILURE',
      note: expect.stringContaining('signature'),
    });
    const tasks = tasksOf(attested, buildArgsOf(attested));
    const images = [attested.sealed, attested.origin, attested.metadata];
    const annotations = { 'pipelinesascode.tekton.dev/branch': 'refs/heads/main' };
    const run = provenanceV02(images, tasks, { annotations });
    await signChain(registry, attested, signer, [
      { image: attested.image2, digest: attested.metadata, statement: run },
    ]);
    expect(await judge(snapshot, {}, options)).toMatchObject({
      result: 'SUCCESS',
      warnings: 0,
      note: expect.stringContaining('attested by the build system'),
    });
    expect(await judge(snapshot, {}, { ...options, gitUrl: 'https://git.example/other/app' })).toMatchObject({
      result: 'FAILURE',
    });
    expect(await judge(snapshot, {}, { ...options, branch: 'main' })).toMatchObject({ result: 'SUCCESS' });
    expect(await judge(snapshot, {}, { ...options, branch: 'other' })).toMatchObject({
      result: 'FAILURE',
      note: expect.stringContaining('expected other; found refs/heads/main'),
    });
    // A pull request is to any branch, and not released.
    const request = { type: 'component', built: 'app', event: 'pull_request', pullRequest: '7' };
    expect(await judge(snapshot, request, { ...options, branch: 'other' })).toMatchObject({ result: 'SUCCESS' });
  });
});

describe('a parameter SNAPSHOT', () => {
  it.each(['', '{', '[]', '{"components": {}}', '$(touch pwned)'])('that is %j is none', (text) => {
    expect(() => parseSnapshotSpec(text)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_INVALID' }));
  });

  it('is read from the environment, and what is wrong with it is the outcome of the test', async () => {
    const args = [
      'judge-snapshot',
      '--snapshot',
      'env://SNAPSHOT',
      '--built',
      'env://BUILT',
      '--component',
      'primary=app',
    ];
    const options = ['--git-url', SOURCE, '--test-output', '/dev/null'];
    const spec = JSON.stringify(specOf({ app: { image: 'registry.example/app:1' } }));
    const outcome = await runCli([...args, ...options], {}, { SNAPSHOT: spec, BUILT: '' });
    expect(outcome).toMatchObject({ status: 1, stderr: '' });
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      result: 'FAILURE',
      note: expect.stringMatching(/^SNAPSHOT_INVALID: the Snapshot does not name the image of app by digest/),
    });
    const none = await runCli([...args, ...options], {}, { SNAPSHOT: '{' });
    expect(JSON.parse(none.stdout)).toMatchObject({ result: 'FAILURE' });
    const unreachable = JSON.stringify(specOf({ app: { image: `127.0.0.1:1/app@${ZERO}` } }));
    const away = await runCli([...args, ...options], {}, { SNAPSHOT: unreachable });
    expect(JSON.parse(away.stdout)).toMatchObject({ result: 'ERROR', failures: 1 });
    expect(await runCli(['judge-snapshot', ...options])).toMatchObject({ status: 2 });
  });
});
