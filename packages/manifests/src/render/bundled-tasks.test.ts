import { ONES, ZERO } from '@multi-image/testing/image';
import { type TaskSpec, taskSchema } from '@multi-image/testing/tekton-schema';
import { checkPipeline, checkTask } from '@multi-image/testing/wiring-rules';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { checkConfig } from '../config/check.ts';
import type { ChainConfig } from '../config/schema.ts';
import { readPins } from '../pins.ts';
import { chainOf, image, TWO } from '../testing/chains.ts';
import { checkDocuments, renderConfig } from '../testing/documents.ts';
import { bundledTasks } from './bundled-tasks.ts';

const BUNDLE = `quay.io/org/chain-tasks:abc@${ZERO}`;
const RUNNER = `quay.io/org/chain-runner:abc@${ONES}`;
const OWN_TASKS = { bundle: BUNDLE, runner: RUNNER };

/** One task of each kind: sealed, linked by statement, handed on, and built elsewhere. */
const CHAINS: readonly ChainConfig[] = [
  TWO,
  { ...TWO, seal: 'referrer' },
  chainOf(
    [
      image('primary', ['daemon'], { component: 'app', seal: 'referrer' }),
      image('metadata', ['primary'], { component: 'metadata-scanner' }),
    ],
    { seal: 'referrer', external: { daemon: { image: `quay.io/org/daemon:1@${ONES}` } } },
  ),
];

const bundled = bundledTasks(RUNNER, readPins());
const specs = new Map<string, TaskSpec>(bundled.map((task) => [task.metadata.name, taskSchema.parse(task).spec]));

test('every task of the bundle is whole, and runs digest-chain in the runner image alone', () => {
  for (const [name, spec] of specs) expect(checkTask(name, spec)).toEqual([]);
  for (const { spec } of bundled) {
    const running = spec.steps.filter((step) => JSON.stringify(step).includes('digest-chain.mjs'));
    expect(running.length).toBeGreaterThan(0);
    for (const { image: used } of running) expect(used).toBe(RUNNER);
    expect(JSON.stringify(spec)).not.toMatch(/SOURCE_ARTIFACT|trusted-artifacts|fetch-source/);
  }
});

test('pipelines call them out of the bundle, by digest, with the params that they have', () => {
  for (const config of CHAINS) {
    const files = renderConfig({ ...config, ownTasks: OWN_TASKS });
    expect(files.filter(({ path }) => path.startsWith('pipeline/tasks/'))).toEqual([]);
    const { pipelines, runs, problems } = checkDocuments(files);
    // What is in the bundle is not known from the files.
    expect(problems.filter((problem) => !/not known|there is no task|never used/.test(problem))).toEqual([]);
    for (const run of runs) expect(JSON.stringify(run)).not.toContain('pipelinesascode.tekton.dev/task');
    const called: string[] = [];
    for (const pipeline of pipelines.values()) {
      // As if they were in the run, so that params and results are compared with what is declared.
      const text = JSON.stringify(pipeline, (_, value) => {
        if (value?.resolver !== 'bundles') return value;
        const [name, bundle] = ['name', 'bundle'].map(
          (key) => value.params.find((param: { name: string }) => param.name === key)?.value,
        );
        if (bundle !== BUNDLE) return value;
        called.push(name);
        return { name };
      });
      expect(checkPipeline(parse(text), specs)).toEqual([]);
    }
    expect([...specs.keys()]).toEqual(expect.arrayContaining(called));
    expect(called).toContain('extract-image');
    expect(called).toContain('verify-chain');
  }
});

test.each([
  ['a tag', { bundle: 'quay.io/org/chain-tasks:1', runner: RUNNER }, 'ownTasks'],
  ['a runner by tag', { bundle: BUNDLE, runner: 'quay.io/org/chain-runner:1' }, 'ownTasks'],
  ['no runner', { bundle: BUNDLE }, 'ownTasks'],
  ['a word', 'bundle', 'ownTasks'],
])('%s is no bundle', (_, ownTasks, path) => {
  const { issues } = checkConfig({ ...TWO, ownTasks });
  expect(issues.length).toBeGreaterThan(0);
  for (const issue of issues) expect(issue.path).toContain(path);
  expect(JSON.stringify(issues)).toMatch(/sha256|expected/);
});
