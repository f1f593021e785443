import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GIVEN_TEXT, RUN_TEXT, USAGE } from './commands/run.ts';
import { TektonLocalError } from './errors.ts';
import { planOf } from './testing/compare.ts';

// The table of docs/tekton-local.md, Features: each row's first column is a key here, its second what is said of it.

const DOC = readFileSync(new URL('../../../docs/tekton-local.md', import.meta.url), 'utf8');
const section = DOC.slice(DOC.indexOf('## Features'), DOC.indexOf('\n## ', DOC.indexOf('## Features') + 1));
const rows = new Map(
  section.split('\n').flatMap((line) => {
    const [, feature = '', here = ''] = /^\| ([^|]+?) \| ([^|]+?) \|/.exec(line) ?? [];
    return feature === '' || feature === 'feature' || feature.startsWith('-') ? [] : [[feature, here] as const];
  }),
);

const STEP = { image: 'i', script: 'echo' };
const taskRun = (taskSpec: object, spec: object = {}): object[] => [
  {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: { name: 'run' },
    spec: { ...spec, taskSpec: { steps: [STEP], ...taskSpec } },
  },
];
const pipelineRun = (task: object, more: object = {}, spec: object = {}): object[] => [
  {
    apiVersion: 'tekton.dev/v1',
    kind: 'PipelineRun',
    metadata: { name: 'run' },
    spec: { ...spec, pipelineSpec: { tasks: [{ name: 'a', taskSpec: { steps: [STEP] }, ...task }], ...more } },
  },
];
const word = { results: [{ name: 'r' }], steps: [STEP] };

/** A file for each feature, which is taken or refused as the table says. */
const SAMPLES: Readonly<Record<string, readonly object[]>> = {
  'PipelineRun files as they are': pipelineRun({}),
  'TaskRun files as they are': taskRun({}),
  'API v1beta1': [
    {
      apiVersion: 'tekton.dev/v1beta1',
      kind: 'TaskRun',
      metadata: { name: 'run' },
      spec: { taskSpec: { steps: [{ ...STEP, resources: { limits: { cpu: '1' } } }] } },
    },
  ],
  'params: arrays and objects': taskRun({
    params: [{ name: 'o', type: 'object', properties: { a: {} }, default: { a: '1' } }],
    steps: [{ image: 'i', args: ['$(params.o.a)'] }],
  }),
  'results of tasks and steps': taskRun({
    results: [{ name: 'r', value: '$(steps.s.results.r)' }],
    steps: [{ ...STEP, name: 's', results: [{ name: 'r' }] }],
  }),
  'finally, when, retries, timeouts, onError': pipelineRun(
    { when: [{ input: 'a', operator: 'in', values: ['a'] }], retries: 1, timeout: '1m' },
    { finally: [{ name: 'z', onError: 'continue', taskSpec: { steps: [STEP] } }] },
  ),
  'matrix, with include': pipelineRun({
    matrix: {
      params: [{ name: 'p', value: ['a', 'b'] }],
      include: [{ name: 'i', params: [{ name: 'p', value: 'c' }] }],
    },
    taskSpec: { params: [{ name: 'p' }], steps: [STEP] },
  }),
  'propagated params, results and workspaces': pipelineRun(
    { taskSpec: { steps: [{ image: 'i', script: 'echo $(params.p) $(workspaces.w.path)' }] } },
    {},
    { params: [{ name: 'p', value: 'x' }], workspaces: [{ name: 'w', emptyDir: {} }] },
  ),
  StepActions: [
    { apiVersion: 'tekton.dev/v1beta1', kind: 'StepAction', metadata: { name: 's' }, spec: { image: 'i' } },
    ...taskRun({ steps: [{ ref: { name: 's' } }] }),
  ],
  sidecars: taskRun({ sidecars: [{ name: 's', image: 'i', readinessProbe: { exec: { command: ['true'] } } }] }),
  'conditions of steps': taskRun({ steps: [{ ...STEP, when: [{ input: 'a', operator: 'in', values: ['a'] }] }] }),
  'isolated workspaces': taskRun(
    { workspaces: [{ name: 'w' }], steps: [{ ...STEP, workspaces: [{ name: 'w' }] }] },
    { workspaces: [{ name: 'w', emptyDir: {} }] },
  ),
  'ConfigMaps and Secrets of the files': [
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { k: 'v' } },
    ...taskRun({ steps: [{ ...STEP, envFrom: [{ secretRef: { name: 's' } }] }] }),
  ],
  'podTemplate, taskRunSpecs': pipelineRun(
    {},
    {},
    {
      taskRunTemplate: { podTemplate: { securityContext: { runAsUser: 1 } } },
      taskRunSpecs: [{ pipelineTaskName: 'a', timeout: '1m' }],
    },
  ),
  'the length and order of results in a matrix': pipelineRun(
    { matrix: { params: [{ name: 'p', value: ['a'] }] }, taskSpec: { ...word, params: [{ name: 'p' }] } },
    {
      finally: [
        {
          name: 'z',
          params: [{ name: 'n', value: '$(tasks.a.matrix.length)' }],
          taskSpec: { params: [{ name: 'n' }], steps: [STEP] },
        },
      ],
    },
  ),
  'privileged steps': taskRun({ steps: [{ ...STEP, securityContext: { privileged: true } }] }),
  'hostPath volumes': taskRun({ volumes: [{ name: 'v', hostPath: { path: '/' } }] }),
  'custom tasks': pipelineRun({
    taskSpec: { apiVersion: 'example.com/v1', kind: 'Other', spec: {} },
  }),
  'pipelines in pipelines': pipelineRun({
    taskSpec: undefined,
    pipelineSpec: { tasks: [{ name: 'b', taskSpec: { steps: [STEP] } }] },
  }),
  'CEL in when': pipelineRun({ when: [{ cel: 'true' }] }),
  'enums of params': taskRun({ params: [{ name: 'p', enum: ['a'], default: 'a' }] }),
};

/** Options, by the features that they are. */
const OPTIONS: Readonly<Record<string, string>> = {
  'bundles, git, http, hub, cluster: files of this machine': '--resolve',
  'steps of a run again, in part': '--rerun-failed',
  'signatures like Chains': '--sign',
  'events of Pipelines as Code': '--event',
  'status as a cluster writes it': '--status',
  'report for CI systems (JUnit)': '--junit',
  'run again on changes': '--watch',
  'outcome as JSON': '--json',
};

describe('the features that docs/tekton-local.md names', () => {
  it('are all tested here', () => {
    expect([...rows.keys()].sort()).toEqual([...Object.keys(SAMPLES), ...Object.keys(OPTIONS)].sort());
  });

  it.each(Object.entries(SAMPLES))('%s', (feature, documents) => {
    const text = documents.map((document) => JSON.stringify(document)).join('\n---\n');
    let here = 'yes';
    try {
      planOf(text, 'run');
    } catch (error) {
      if (!(error instanceof TektonLocalError)) throw error;
      here = error.problems.every(({ code }) => code === 'UNSUPPORTED') ? 'refused' : `wrong: ${error.message}`;
    }
    expect(rows.get(feature)).toBe(here);
  });

  it.each(Object.entries(OPTIONS))('%s', (feature, option) => {
    expect(rows.get(feature)).toBe('yes');
    expect(`${USAGE}${GIVEN_TEXT}${RUN_TEXT}`).toMatch(new RegExp(`${option}[ ,]`));
  });
});
