import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createRegistry, parsePublicKeys, parseReference, verify } from '@multi-image/digest-chain';
import { PAC } from '@multi-image/kit/tekton';
import { comparable, writtenOf } from '@multi-image/tekton-local/testing';
import { ALL_WELL, statusOf } from '@multi-image/testing/criteria';
import { readCommands } from '@multi-image/testing/document-commands';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chainsConfigOf, KONFLUX, publicKeyOf } from './chains.ts';
import type { RunningCluster } from './cluster.ts';
import type { KubeApi, KubeObject } from './kube-api.ts';
import { inState, REGISTRY, type Setup } from './place.ts';
import { startE2e } from './testing/e2e.ts';
import { makeNamespace } from './testing/namespace.ts';
import { repository, type ServedChain, serveChain } from './testing/served-chain.ts';
import { CHAINS_CONFIG, recordedRuns, signAgain } from './testing/signed-runs.ts';
import { thisCluster } from './testing/this-cluster.ts';

let cluster: RunningCluster;
let api: KubeApi;
let setup: Setup;
let chain: ServedChain;

beforeAll(async () => {
  ({ cluster, api, setup } = thisCluster());
  chain = await serveChain(cluster);
  // Chains as it is installed, and then what the document says; what it knows of keys is the cluster's.
  await api.ask('PATCH', CHAINS_CONFIG, { data: null }, 'application/merge-patch+json');
  const [recipe] = readCommands(join(repository, 'docs/tekton-run.md')).filter(({ text }) =>
    /chains-config/.test(text),
  );
  execFileSync('bash', ['-ec', recipe?.text ?? 'false'], { stdio: 'pipe' });
});
afterAll(() => api?.close());

/** Another run of these tests may have been on this cluster. */
const namespace = `whole-${randomBytes(3).toString('hex')}`;

/** `REPETITIONS=20 pnpm test:cluster src/tekton-run.test.ts` looks for what happens only now and then. */
const repetitions = Array.from({ length: Number(process.env.REPETITIONS ?? 1) }, (_, index) => `${namespace}-${index}`);

test.each(repetitions)(
  'the chain is built, sealed, extracted, signed by Chains, and proved attested by its key: %s',
  async (name) => {
    await makeNamespace(api, name);
    const key = ['--key', inState.publicKey(cluster.state)];
    const { exitCode, output, report } = await startE2e(cluster.state, chain, name, ...key).ended;
    expect(statusOf(report), output).toEqual(ALL_WELL);
    expect(report?.level, output).toBe('attested');
    expect(exitCode).toBe(0);
    const time = report?.criteria.flatMap(({ evidence }) => evidence).filter(({ check }) => check === 'time');
    // Everything was on the node, where events tell: they come late on a cluster that has just run a hundred other pods.
    for (const { text } of time ?? []) {
      expect(text, output).toMatch(
        / until taken up, .* until their steps began \(node, images, pod\)(, of which 0\.0 s pulling images)?, /,
      );
    }
    expect(time).toHaveLength(2);
  },
);

/** One that ran. */
const [whole = ''] = repetitions;

test('of the same runs, a local one writes field by field what this Chains wrote', async () => {
  const recorded = await recordedRuns(api, whole);
  expect(recorded.map(({ tasks }) => Object.keys(tasks).length).sort()).toEqual([1, 3]);
  for (const one of recorded) {
    const { statement, tasks } = one;
    expect(comparable(await writtenOf(one))).toEqual(comparable({ statement, tasks }));
  }
});

const TEKTON_BUILD = 'https://tekton.dev/chains/v2/slsa-tekton';
const PLAIN_BUILD = 'https://tekton.dev/chains/v2/slsa';

// The runs of the test before, signed again: what was removed is not in the way.
test.each([
  { build: TEKTON_BUILD, level: 'attested', open: [] },
  // Chains' own default for that format says of no task what it was called with.
  { build: PLAIN_BUILD, level: 'linked', open: ['built-by', 'built-by', 'build-args'] },
])('written as slsa/v2alpha4 with the build type $build: $level', async ({ build, level, open }) => {
  const config = { ...KONFLUX, ...chainsConfigOf({ provenance: 'slsa/v2alpha4' }, setup.chains) };
  expect(config['builddefinition.buildtype']).toBe(TEKTON_BUILD);
  await signAgain(api, whole, {
    config: { ...config, 'builddefinition.buildtype': build },
    isAsAsked: ({ predicate }) => (predicate.buildDefinition as { buildType?: string })?.buildType === build,
    signal: AbortSignal.timeout(120_000),
  });
  const proof = await verify(
    createRegistry({ plainHttp: true }),
    parseReference(`${REGISTRY}/${whole}/multi-image-poc-image1:${chain.revision}`),
    { keys: parsePublicKeys(publicKeyOf(cluster.state)), source: chain.gitUrl, revision: chain.revision },
  );
  const notMade = `the provenance does not say how tasks were called (${build})`;
  expect(proof.checks.filter(({ status }) => status !== 'passed')).toEqual(
    open.map((id) => expect.objectContaining({ id, status: 'skipped', evidence: notMade })),
  );
  expect(proof.level).toBe(level);
});

test('the branch that Pipelines as Code annotates is signed with the run, whichever was asked for', async () => {
  const runs = `/apis/tekton.dev/v1/namespaces/${whole}/pipelineruns`;
  const { items } = (await api.ask('GET', runs)) as { items: readonly KubeObject[] };
  const pushed = { metadata: { annotations: { [`${PAC}event-type`]: 'push', [`${PAC}branch`]: 'refs/heads/main' } } };
  for (const { metadata } of items) {
    await api.ask('PATCH', `${runs}/${metadata.name}`, pushed, 'application/merge-patch+json');
  }
  await signAgain(api, whole, {
    config: KONFLUX,
    isAsAsked: ({ predicate }) => String(predicate.buildType).startsWith('tekton.dev/v1/'),
    signal: AbortSignal.timeout(120_000),
  });
  const image = parseReference(`${REGISTRY}/${whole}/multi-image-poc-image1:${chain.revision}`);
  const demands = { keys: parsePublicKeys(publicKeyOf(cluster.state)), source: chain.gitUrl, revision: chain.revision };
  const proofOf = (branch: string) => verify(createRegistry({ plainHttp: true }), image, { ...demands, branch });
  expect(await proofOf('main')).toMatchObject({ level: 'attested' });
  const other = await proofOf('other');
  expect(other.level).toBe('none');
  expect(other.checks.filter(({ status }) => status === 'failed')).toEqual([
    expect.objectContaining({ id: 'source', expected: 'other', found: 'refs/heads/main' }),
  ]);
});
