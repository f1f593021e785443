import { describe, expect, it } from 'vitest';
import { TektonLocalError } from '../errors.ts';
import { resolvePipelineRun, resolveRun } from '../plan/resolve.ts';
import { judgedOutcome, ownOutcome } from '../testing/pac-compare.ts';
import { webhooks } from '../testing/pac-events.ts';
import type { PacJudgement } from '../testing/pac-judge.ts';
import { whereJudged } from '../testing/pac-judged.ts';

// Folders that are written by hand, and what Pipelines as Code makes of them.

const push = webhooks['GitHub push'] ?? { headers: {}, body: {} };
const RUN = `apiVersion: tekton.dev/v1
kind: PipelineRun
metadata:
  name: NAME
  annotations:
    pipelinesascode.tekton.dev/on-event: "[push]"
    pipelinesascode.tekton.dev/on-target-branch: "[main]"
`;
const SPEC = `spec:
  pipelineSpec:
    tasks: [{ name: a, taskSpec: { steps: [{ image: x }] } }]
`;
const run = (name: string, more = ''): string => `${RUN.replace('NAME', name)}${more}${SPEC}`;

/** Folders of `.tekton`, and the runs that a push to main starts. */
const folders: Record<string, { files: string[]; starts: string[] }> = {
  'two documents': { files: [`${run('a')}---\n${run('b')}`], starts: ['a', 'b'] },
  'a document before': { files: [`---\n# nothing\n---\n${run('a')}`], starts: ['a'] },
  'another kind': { files: [`kind: ConfigMap\napiVersion: v1\n---\n${run('a')}`, run('b')], starts: ['a', 'b'] },
  'one name twice': { files: [run('a'), run('a')], starts: [] },
  'braces without quotes': { files: [run('a'), run('b', '  labels: { x: {{ revision }} }\n')], starts: [] },
  'braces without quotes in a second document': {
    files: [`${run('a')}---\n${run('b', '  labels: { x: {{ revision }} }\n')}`],
    starts: ['a', 'b'],
  },
  'braces beside text': { files: [run('a', '    x: v-{{ revision }}\n')], starts: ['a'] },
  'no YAML': { files: [run('a'), 'a: [b'], starts: [] },
  'an annotation in the words of an expression': {
    files: [
      run(
        'a',
        '    pipelinesascode.tekton.dev/on-cel-expression: |\n      event == "push" &&\n      target_branch == "main"\n',
      ),
    ],
    starts: ['a'],
  },
  'a branch that is shortened for those behind': {
    files: [
      run('a', "    pipelinesascode.tekton.dev/on-cel-expression: target_branch == 'refs/heads/main'\n"),
      run('b', "    pipelinesascode.tekton.dev/on-cel-expression: target_branch == 'main'\n"),
      run('c', "    pipelinesascode.tekton.dev/on-cel-expression: source_branch.startsWith('refs/heads/')\n"),
    ],
    starts: ['b', 'c'],
  },
  'a malformed annotation behind': {
    files: [run('a'), run('b', '    pipelinesascode.tekton.dev/on-label: "[x"\n')],
    starts: [],
  },
  'a malformed annotation that is not reached': {
    files: [run('a'), run('b').replace('[push]', '[pull_request]').replace('[main]', '[main')],
    starts: ['a'],
  },
  'a wrong expression': {
    files: [run('a'), run('b', '    pipelinesascode.tekton.dev/on-cel-expression: event ==\n')],
    starts: ['a'],
  },
  'an empty comment that somebody waits for': {
    files: [run('a'), run('b', '    pipelinesascode.tekton.dev/on-comment: ".*"\n')],
    starts: ['b'],
  },
  'one whose types Tekton does not read': {
    files: [
      run('a'),
      run('b').replace('tasks: [{ name: a,', 'tasks: { name: a,').replace('] } }]', '] } }'),
      run('c', '    pipelinesascode.tekton.dev/max-keep-runs: 3\n'),
      run('d', '    x: "1"\n  labels: { x: true }\n'),
      run('e').replace('spec:\n', 'spec:\n  timeouts: { pipeline: long }\n'),
      run('f').replace('image: x', 'image: x, script: 1'),
      run('a').replace('tekton.dev/v1', 'tekton.dev/v2'),
    ],
    starts: ['a'],
  },
  'one with what Tekton does not know': {
    files: [
      run('a').replace('spec:\n', 'spec:\n  surprise: 1\n'),
      run('b').replace('image: x', 'image: x, y: { z: 1 }'),
    ],
    starts: ['a', 'b'],
  },
  'of v1beta1': { files: [run('a').replace('tekton.dev/v1', 'tekton.dev/v1beta1')], starts: ['a'] },
  'with quotes that a value has': { files: [run('a'), run('b', '    y: "{{ cel: \'x\\"\' }}"\n')], starts: ['a'] },
};

const TASK = (name: string, image: string): string =>
  `apiVersion: tekton.dev/v1\nkind: Task\nmetadata: { name: ${name} }\nspec: { steps: [{ name: s, image: ${image} }] }\n`;
const PIPELINE = (name: string, tasks: string, annotation = ''): string =>
  `apiVersion: tekton.dev/v1\nkind: Pipeline\nmetadata:\n  name: ${name}\n${annotation}spec: { tasks: ${tasks} }\n`;
const refers = (annotations: string, spec: string): string =>
  `${RUN.replace('NAME', 'a')}${annotations}spec: ${spec}\n`;
const REF = '{ pipelineRef: { name: p } }';
const A = '[{ name: one, taskRef: { name: a } }]';
const task = (value: string, number = ''): string => `    pipelinesascode.tekton.dev/task${number}: "${value}"\n`;
const pipeline = (value: string): string => `    pipelinesascode.tekton.dev/pipeline: "${value}"\n`;

/** Files of a repository, and of which images the tasks of the run are then made. */
const resolutions: Record<string, { files: Record<string, string>; images?: string[] }> = {
  'a task by annotation': {
    files: {
      '.tekton/r.yaml': refers(task('[t/a.yaml]'), `{ pipelineSpec: { tasks: ${A} } }`),
      't/a.yaml': TASK('a', 'x'),
    },
    images: ['x'],
  },
  'tasks by numbered annotations': {
    files: {
      '.tekton/r.yaml': refers(
        `${task('t/a.yaml')}${task('t/b.yaml', '-1')}`,
        '{ pipelineSpec: { tasks: [{ name: one, taskRef: { name: a } }], finally: [{ name: two, taskRef: { name: b } }] } }',
      ),
      't/a.yaml': TASK('a', 'x'),
      't/b.yaml': TASK('b', 'z'),
    },
    images: ['x', 'z'],
  },
  'the annotation before the folder': {
    files: {
      '.tekton/r.yaml': refers(task('[t/a.yaml]'), `{ pipelineSpec: { tasks: ${A} } }`),
      '.tekton/a.yaml': TASK('a', 'folder'),
      't/a.yaml': TASK('a', 'annotation'),
    },
    images: ['annotation'],
  },
  'a pipeline of the folder': {
    files: { '.tekton/r.yaml': refers('', REF), '.tekton/p.yaml': PIPELINE('p', A), '.tekton/a.yaml': TASK('a', 'x') },
    images: ['x'],
  },
  'a pipeline by annotation with a task beside it': {
    files: {
      '.tekton/r.yaml': refers(pipeline('p/p.yaml'), REF),
      'p/p.yaml': PIPELINE('p', A, `  annotations:\n${task('./t/a.yaml')}`),
      'p/t/a.yaml': TASK('a', 'beside'),
      't/a.yaml': TASK('a', 'root'),
    },
    images: ['beside'],
  },
  "the run's annotation before the pipeline's": {
    files: {
      '.tekton/r.yaml': refers(`${pipeline('p/p.yaml')}${task('t/a.yaml')}`, REF),
      'p/p.yaml': PIPELINE('p', A, `  annotations:\n${task('a.yaml')}`),
      'p/a.yaml': TASK('a', 'pipeline'),
      't/a.yaml': TASK('a', 'run'),
    },
    images: ['run'],
  },
  'a pipeline by annotation that has another name': {
    files: {
      '.tekton/r.yaml': refers(pipeline('p/p.yaml'), REF),
      'p/p.yaml': PIPELINE('other', A),
      '.tekton/p.yaml': PIPELINE('p', A),
      '.tekton/a.yaml': TASK('a', 'folder'),
    },
    images: ['folder'],
  },
  'variables in a task': {
    files: {
      '.tekton/r.yaml': refers(task('t/a.yaml'), `{ pipelineSpec: { tasks: ${A} } }`),
      't/a.yaml': TASK('a', '"x:{{ target_branch }}"'),
    },
    images: ['x:main'],
  },
  'a task of v1beta1': {
    files: {
      '.tekton/r.yaml': refers(task('t/a.yaml'), `{ pipelineSpec: { tasks: ${A} } }`),
      't/a.yaml': TASK('a', 'x').replace('tekton.dev/v1', 'tekton.dev/v1beta1'),
    },
    images: ['x'],
  },
  'a task that is nowhere': { files: { '.tekton/r.yaml': refers('', `{ pipelineSpec: { tasks: ${A} } }`) } },
  'a file that is nowhere': {
    files: {
      '.tekton/r.yaml': refers(task('t/b.yaml'), `{ pipelineSpec: { tasks: ${A} } }`),
      '.tekton/a.yaml': TASK('a', 'x'),
    },
  },
  'two pipelines by annotation': {
    files: {
      '.tekton/r.yaml': refers(pipeline('[p/p.yaml, p/q.yaml]'), REF),
      'p/p.yaml': PIPELINE('p', '[{ name: x, taskSpec: { steps: [{ image: x }] } }]'),
      'p/q.yaml': PIPELINE('q', '[{ name: x, taskSpec: { steps: [{ image: y }] } }]'),
    },
  },
  'an annotation that is malformed': {
    files: {
      '.tekton/r.yaml': refers(task('[t/a.yaml'), `{ pipelineSpec: { tasks: ${A} } }`),
      't/a.yaml': TASK('a', 'x'),
    },
  },
};

const LONG = 'operator-controller-for-the-newest-release-branch-on-pull-request';
/** What a run is called in its file, and here: Pipelines as Code has it be a beginning, so more of them are names. */
const names: Record<string, { name: string; generated: boolean } | undefined> = {
  a: { name: 'a', generated: false },
  [LONG]: { name: `${LONG}-`, generated: true },
  [`${LONG}_1`]: undefined,
  'a-': { name: 'a--', generated: true },
  a_b: undefined,
};

function ownName(text: string): { name: string; generated: boolean } | undefined {
  const root = new Map([['.tekton/r.yaml', text]]);
  const resolved = resolveRun({ root, file: '.tekton/r.yaml', variables: {}, authSecret: '', tasks: {} });
  const { name, generated } = resolved.run;
  return resolved.problems.length > 0 ? undefined : { name, generated };
}

interface Spec {
  pipelineSpec?: Record<'tasks' | 'finally', { taskSpec?: { steps: { image: string }[] } }[] | undefined>;
}

function imagesOf(spec: unknown): string[] {
  const { tasks = [], finally: last = [] } = (spec as Spec).pipelineSpec ?? {};
  return [...tasks, ...last].flatMap(({ taskSpec }) => taskSpec?.steps.map(({ image }) => image) ?? ['?']);
}

function ownImages(files: Readonly<Record<string, string>>): string[] | undefined {
  try {
    const [root, file, variables] = [new Map(Object.entries(files)), '.tekton/r.yaml', { target_branch: 'main' }];
    const { problems } = resolveRun({ root, file, variables, authSecret: '', tasks: {} });
    return problems.length > 0 ? undefined : imagesOf(resolvePipelineRun(root, file, variables).spec);
  } catch (error) {
    if (error instanceof TektonLocalError) return undefined;
    throw error;
  }
}

describe('a folder', () => {
  it.each(Object.entries(folders))('%s', (_what, { files, starts }) => {
    const folder = files.map((text, index) => ({ name: `${index}.yaml`, text }));
    expect(ownOutcome({ ...push, folder })).toMatchObject({ starts: starts.map(saysNothing) });
  });

  it.each(Object.entries(resolutions))('%s', (_what, { files, images }) => {
    expect(ownImages(files)).toEqual(images);
  });

  it.each(Object.entries(names))('with a run that is called %s', (name, expected) => {
    expect(ownName(run(name))).toEqual(expected);
  });
});

whereJudged((judge) => {
  it.each(Object.entries(folders))('%s', async (_what, { files, starts }) => {
    const question = { ...push, folder: files.map((text, index) => ({ name: `${index}.yaml`, text })) };
    const said = await judge.ask(question);
    expect({ ...judgedOutcome(question, said), said: said.said }).toMatchObject({ starts: starts.map(saysNothing) });
  });

  it.each(Object.entries(resolutions))('%s', async (_what, { files, images }) => {
    const folder = Object.entries(files).flatMap(([name, text]) =>
      name.startsWith('.tekton/') ? [{ name, text }] : [],
    );
    const said: PacJudgement = await judge.ask({ ...push, folder, checkout: files });
    const [run] = said.runs ?? [];
    expect({ images: run && imagesOf(run.spec), said: said.said }).toMatchObject({ images });
  });

  it.each(Object.keys(names))('with a run that is called %s', async (name) => {
    const said: PacJudgement = await judge.ask({ ...push, folder: [{ name: 'r.yaml', text: run(name) }] });
    expect(said.runs?.map(({ metadata }) => metadata.generateName)).toEqual([`${name}-`]);
  });
});

/** These runs have no params. */
function saysNothing(name: string): string {
  return `${name} undefined`;
}
