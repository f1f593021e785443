import { join } from 'node:path';
import { makeCheckout } from '@multi-image/testing/checkout';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TektonLocalError } from '../errors.ts';
import { planRun } from '../plan-run.ts';
import { planOf } from '../testing/compare.ts';

const task = (name: string, image: string): string =>
  `apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: ${name}}\nspec: {params: [{name: p, default: x}], steps: [{name: s, image: ${image}}]}\n`;

const FOLDER = {
  'place/lint.yaml': task('lint', 'by-path'),
  'place/tasks/deep/lint.yaml': task('lint', 'deep'),
  'place/task/git-clone/0.9/git-clone.yaml': task('git-clone', 'hub-0.9'),
  'place/broken.yaml': '{{- if .Values.build }}\nkind: [Task\nname: build',
  'place/odd-name.yaml': `${task('other', 'no')}---\n${task('build', 'by-name')}`,
  'versions/init/0.3/init.yaml': task('init', 'old').replace(
    'name: init',
    'name: init, labels: {app.kubernetes.io/version: "0.3"}',
  ),
  'versions/init/0.4/init.yaml': task('init', 'new').replace(
    'name: init',
    'name: init, labels: {app.kubernetes.io/version: "0.4"}',
  ),
  'place/pipeline.yaml':
    'apiVersion: tekton.dev/v1\nkind: Pipeline\nmetadata: {name: ci}\nspec: {tasks: [{name: a, taskSpec: {steps: [{name: s, image: of-pipeline}]}}]}\n',
  secret: 'hush',
};

const ref = (resolver: string, params: Record<string, string>): object => ({
  resolver,
  params: Object.entries(params).map(([name, value]) => ({ name, value })),
});

async function plan(
  spec: object,
  options: { replacements?: Record<string, string>; skip?: Record<string, Record<string, string>> },
  annotations: object = {},
): Promise<string[]> {
  const run = { apiVersion: 'tekton.dev/v1', kind: 'PipelineRun', metadata: { name: 'r', annotations }, spec };
  const { root, remove } = makeCheckout({ ...FOLDER, 'run.yaml': JSON.stringify(run) });
  onTestFinished(remove);
  const replacements = Object.entries(options.replacements ?? {}).map(([from, path]) => [from, join(root, path)]);
  try {
    const { implementations } = await planRun({
      root,
      file: 'run.yaml',
      skip: options.skip,
      replacements: Object.fromEntries(replacements),
    });
    return [...implementations.values()].flatMap((each) => each.task.steps.map((step) => step.image));
  } catch (error) {
    if (error instanceof TektonLocalError) return error.problems.map(({ code, message }) => `${code}: ${message}`);
    throw error;
  }
}

const oneTask = (taskRef: object): object => ({ pipelineSpec: { tasks: [{ name: 'a', taskRef }] } });

describe('what stands for remote tasks and pipelines', () => {
  it('is asked for by params of the run', async () => {
    const taskRef = ref('git', { url: '$(params.from)', pathInRepo: 'tasks/$(params.kind)/lint.yaml' });
    const spec = {
      params: [{ name: 'from', value: 'https://example.com/o/r.git' }],
      pipelineSpec: { params: [{ name: 'from' }, { name: 'kind', default: 'deep' }], tasks: [{ name: 'a', taskRef }] },
    };
    expect(await plan(spec, { replacements: { git: 'place' } })).toEqual(['deep']);
    expect((await plan(spec, {})).join()).toContain('--resolve https://example.com/o/r=FOLDER');
  });

  it('is named once where an annotation names it and it is not there', async () => {
    const annotations = { 'pipelinesascode.tekton.dev/task': 'git-clone' };
    const said = await plan(oneTask({ name: 'git-clone' }), {}, annotations);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('--resolve hub:git-clone=FOLDER');
  });

  const git = ref('git', { url: 'https://example.com/o/r.git', revision: 'main', pathInRepo: 'tasks/deep/lint.yaml' });
  it.each<[string, object, Record<string, string>, string[]]>([
    ['git, by the path in the repository', git, { 'https://example.com/o/r': 'place' }, ['deep']],
    ['git, by the resolver', git, { git: 'place' }, ['deep']],
    ['the longest address', git, { git: 'place', 'https://example.com/o/r.git': 'place/lint.yaml' }, ['by-path']],
    ['http', ref('http', { url: 'https://example.com/x/lint.yaml' }), { 'https://example.com/': 'place' }, ['by-path']],
    ['hub', ref('hub', { name: 'git-clone', version: '0.9' }), { hub: 'place' }, ['hub-0.9']],
    ['cluster', ref('cluster', { kind: 'task', name: 'lint', namespace: 'n' }), { cluster: 'place' }, ['by-path']],
    [
      'bundles, by what files say themselves',
      ref('bundles', { name: 'build', bundle: 'quay.io/x/task-build:1@sha256:0' }),
      { 'quay.io/x/': 'place' },
      ['by-name'],
    ],
  ])('%s', async (_what, taskRef, replacements, expected) => {
    expect(await plan(oneTask(taskRef), { replacements })).toEqual(expected);
  });

  it('are refused where nothing is given, by name and with what to do', async () => {
    const missing = (what: string): unknown => [
      expect.stringContaining(`UNSUPPORTED: nothing is fetched, and nothing was given for the ${what}`),
    ];
    expect(await plan(oneTask(git), { replacements: { 'https://example.com/o/rest': 'place' } })).toEqual(
      missing('Task "tasks/deep/lint.yaml" of https://example.com/o/r: --resolve https://example.com/o/r=FOLDER'),
    );
    const bundle = ref('bundles', { name: 'init', bundle: 'quay.io/x/init:1' });
    expect(await plan(oneTask(bundle), {})).toEqual(
      missing('Task "init" of quay.io/x/init:1: --task init=FILE, --skip init, or --resolve quay.io/x/init=FOLDER'),
    );
    expect(await plan({ pipelineRef: git }, {})).toEqual(missing('Pipeline "tasks/deep/lint.yaml"'));
  });

  it('are refused where what is given does not have them, by its name', async () => {
    const bundle = ref('bundles', { name: 'init', bundle: 'quay.io/x/init:1' });
    const replacements = { bundles: 'place' };
    const missing = [
      expect.stringMatching(
        /^NOT_FOUND: .*\/place, which was given for bundles, does not have the Task "init" of quay\.io\/x\/init:1: --task init=FILE, --skip init$/,
      ),
    ];
    expect(await plan(oneTask(bundle), { replacements })).toEqual(missing);
    // Of another name.
    expect(await plan(oneTask(bundle), { replacements: { bundles: 'place/lint.yaml' } })).toHaveLength(1);
  });

  it('are of the version that is asked for, where there are several', async () => {
    const init = (tag: string): object =>
      oneTask(ref('bundles', { name: 'init', bundle: `quay.io/x/task-init:${tag}@sha256:0` }));
    const replacements = { 'quay.io/x/': 'versions' };
    expect(await plan(init('0.4.3'), { replacements })).toEqual(['new']);
    expect(await plan(init('0.3'), { replacements })).toEqual(['old']);
    expect(await plan(init('0.5'), { replacements })).toEqual([
      expect.stringMatching(
        /^NOT_FOUND: .* does not have the Task "init" of quay.io\/x\/task-init:0\.5@sha256:0, but 0\.\d, 0\.\d of it: --task init=FILE, --skip init$/,
      ),
    ]);
  });

  it('stay in the folder that is given', async () => {
    const out = ref('git', { url: 'https://example.com/o/r', pathInRepo: '../secret.yaml' });
    expect(await plan(oneTask(out), { replacements: { git: 'place' } })).toEqual([
      expect.stringMatching(/^NOT_FOUND: .*does not have the Task "\.\.\/secret\.yaml"/),
    ]);
  });

  it('are Pipelines as well, and what annotations name', async () => {
    const pipelineRef = ref('git', { url: 'https://example.com/o/r', pathInRepo: 'pipeline.yaml' });
    expect(await plan({ pipelineRef }, { replacements: { git: 'place' } })).toEqual(['of-pipeline']);
    const annotations = {
      'pipelinesascode.tekton.dev/task': '[git-clone:0.9]',
      'pipelinesascode.tekton.dev/pipeline': 'https://example.com/pipeline.yaml',
    };
    const spec = oneTask({ name: 'git-clone' });
    expect(await plan(spec, { replacements: { hub: 'place', http: 'place' } }, annotations)).toEqual(['hub-0.9']);
  });
});

it('takes the results of a task that is not run, and whatever params it gets', async () => {
  const bundle = ref('bundles', { name: 'init', bundle: 'quay.io/x/init:1' });
  const echo = { steps: [{ name: 's', image: '$(params.v)' }], params: [{ name: 'v' }] };
  const spec = {
    workspaces: [{ name: 'w', emptyDir: {} }],
    pipelineSpec: {
      workspaces: [{ name: 'w' }],
      tasks: [
        { name: 'a', taskRef: bundle, params: [{ name: 'new', value: 'x' }], workspaces: [{ name: 'w' }] },
        { name: 'b', taskSpec: echo, params: [{ name: 'v', value: '$(tasks.a.results.r)' }] },
      ],
    },
  };
  expect(await plan(spec, { skip: { init: { r: 'x' } } })).toEqual(['$(params.v)']);
  const missing = 'UNSUPPORTED: the task a is skipped, and nothing was given for its result "r": --result';
  expect(await plan(spec, { skip: { a: {} } })).toEqual([`${missing} a.r=VALUE`]);
  expect(await plan(spec, { skip: { init: { q: 'x' } } })).toEqual([`${missing} init.r=VALUE`]);
});

it('says which problem is a limit of this program, beside what a cluster would refuse', () => {
  const taskRef = { name: 'git-clone', kind: 'ClusterTask' };
  const run = {
    apiVersion: 'tekton.dev/v1',
    kind: 'PipelineRun',
    metadata: { name: 'r', annotations: { 'pipelinesascode.tekton.dev/task': 'git-clone' } },
    spec: { pipelineSpec: { tasks: [{ name: 'a', taskRef }] } },
  };
  let said: unknown;
  try {
    planOf(JSON.stringify(run));
  } catch (error) {
    said = error;
  }
  expect(said).toMatchObject({ code: 'INVALID' });
  const lines = String((said as Error).message).split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toContain('metadata.annotations: UNSUPPORTED: nothing is fetched');
  expect(lines[1]).toMatch(/taskRef\.kind: Tekton has no ClusterTasks/);
});

it('does without what a skipped task asks for in the pipeline itself, but not without its mistakes', async () => {
  const spec = (step: object): object => ({
    pipelineSpec: {
      tasks: [
        {
          name: 'build',
          taskSpec: { steps: [{ name: 's', image: 'a', securityContext: { privileged: true }, ...step }] },
        },
        { name: 'build-2', taskSpec: { steps: [{ name: 's', image: 'b', securityContext: { privileged: true } }] } },
        { name: 'c', taskSpec: { steps: [{ name: 's', image: 'c' }] } },
      ],
    },
  });
  const privileged = 'UNSUPPORTED: no step runs with the rights of this machine';
  expect(await plan(spec({}), {})).toEqual([privileged, privileged]);
  expect(await plan(spec({}), { skip: { build: {} } })).toEqual([privileged]);
  expect(await plan(spec({}), { skip: { build: {}, 'build-2': {} } })).toEqual(['c']);
  expect(await plan(spec({ workingDir: 7 }), { skip: { build: {}, 'build-2': {} } })).toEqual([
    expect.stringMatching(/^INVALID: /),
  ]);
});

it('does without a custom task that is skipped', async () => {
  const custom = { apiVersion: 'example.com/v1', kind: 'Approval', name: 'ask' };
  const spec = (by: object): object => ({
    pipelineSpec: {
      tasks: [
        { name: 'approve', ...by },
        {
          name: 'b',
          params: [{ name: 'v', value: '$(tasks.approve.results.who)' }],
          taskSpec: { params: [{ name: 'v' }], steps: [{ name: 's', image: 'of-b' }] },
        },
      ],
    },
  });
  const { name: _, ...embedded } = { ...custom, spec: { steps: 2 } };
  for (const by of [{ taskRef: custom }, { taskSpec: embedded }]) {
    expect(await plan(spec(by), { skip: { approve: { who: 'me' } } })).toEqual(['of-b']);
    expect(await plan(spec(by), {})).toEqual([
      'UNSUPPORTED: custom tasks are not supported: --skip approve does without it',
    ]);
  }
});
