import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { TektonLocalError } from './errors.ts';
import { makePlan, type Plan } from './plan.ts';
import { resolveRun } from './resolve.ts';
import type { ParamValue, StandIn } from './stand-in.ts';
import { standIns } from './stand-ins/index.ts';
import { makeCheckout, pipelineRun, scriptTask } from './testing/checkout.ts';

let checkout: ReturnType<typeof makeCheckout> | undefined;
afterEach(() => checkout?.remove());

const build: StandIn = {
  task: 'build',
  params: { IMAGE: { type: 'string' }, ARGS: { type: 'array', default: [] } },
  results: ['IMAGE_URL'],
  run: async () => ({}),
};

function plan(
  files: Record<string, string>,
  options: { variables?: Record<string, string>; params?: Record<string, ParamValue>; file?: string } = {},
): Plan {
  checkout?.remove();
  checkout = makeCheckout(files);
  const { variables = {}, file = 'run.yaml' } = options;
  const resolved = resolveRun({ root: checkout.root, file, variables, authSecret: 'auth', standIns: [build] });
  return makePlan(resolved, options.params ?? {});
}

/** `path: message` of each problem. */
function problemsOf(action: () => unknown): string[] {
  try {
    action();
  } catch (error) {
    if (error instanceof TektonLocalError) return error.problems.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

const ok = scriptTask('ok', 'true');
const bundle = (name: string, params: object[] = [], more: object = {}): object => ({
  name: 'bundled',
  taskRef: {
    resolver: 'bundles',
    params: [
      { name: 'name', value: name },
      { name: 'bundle', value: `quay.io/x/task-${name}:1@sha256:00` },
      { name: 'kind', value: 'task' },
    ],
  },
  params,
  ...more,
});

describe('refuses before the run, by name and path', () => {
  const pipeline = 'spec.pipelineSpec';
  const cases: [string, object, string][] = [
    [
      'an unknown field',
      { tasks: [ok], surprise: 1 },
      `${pipeline}.surprise: this field is not supported by tekton-local`,
    ],
    [
      'sidecars',
      { tasks: [scriptTask('a', '', { spec: { sidecars: [] } })] },
      `${pipeline}.tasks[0].taskSpec.sidecars: sidecars are not supported`,
    ],
    [
      'CEL',
      { tasks: [scriptTask('a', '', { task: { when: [{ cel: 'true' }] } })] },
      `${pipeline}.tasks[0].when[0].cel: when expressions in CEL are not supported`,
    ],
    [
      'host folders',
      { tasks: [scriptTask('a', '', { spec: { volumes: [{ name: 'v', hostPath: { path: '/' } }] } })] },
      `${pipeline}.tasks[0].taskSpec.volumes[0].hostPath: a step sees no folder of this machine`,
    ],
    [
      'a secret that is not optional',
      { tasks: [scriptTask('a', '', { spec: { volumes: [{ name: 'v', secret: { secretName: 's' } }] } })] },
      `${pipeline}.tasks[0].taskSpec.volumes[0].secret: there is no secret on this machine, and it is not optional`,
    ],
    [
      'privileged steps',
      { tasks: [scriptTask('a', '', { step: { securityContext: { privileged: true } } })] },
      `${pipeline}.tasks[0].taskSpec.steps[0].securityContext.privileged: no step runs with the rights of this machine`,
    ],
    [
      'mounts over the system',
      {
        tasks: [
          scriptTask('a', '', {
            spec: { volumes: [{ name: 'v', emptyDir: {} }] },
            step: { volumeMounts: [{ name: 'v', mountPath: '/a:/b' }] },
          }),
        ],
      },
      `${pipeline}.tasks[0].taskSpec.steps[0].volumeMounts: "/a:/b" is no absolute path`,
    ],
    [
      'a sub path that leads out',
      {
        tasks: [
          scriptTask('a', '', {
            spec: { volumes: [{ name: 'v', emptyDir: {} }] },
            step: { volumeMounts: [{ name: 'v', mountPath: '/a', subPath: '../..' }] },
          }),
        ],
      },
      `${pipeline}.tasks[0].taskSpec.steps[0].volumeMounts: "../.." leads out of the volume`,
    ],
    [
      'a task that needs a finally task',
      {
        tasks: [
          scriptTask('a', '', { task: { when: [{ input: '$(tasks.z.results.r)', operator: 'in', values: [] }] } }),
        ],
        finally: [scriptTask('z', '', { spec: { results: [{ name: 'r' }] } })],
      },
      `${pipeline}.tasks[0].when[0].input: $(tasks.z.results.r) refers to a task that is not in the pipeline`,
    ],
    [
      'matrix.include',
      { tasks: [scriptTask('a', '', { task: { matrix: { include: [] } } })] },
      `${pipeline}.tasks[0].matrix.include: matrix.include is not supported`,
    ],
    [
      'a matrix over a string',
      {
        tasks: [
          scriptTask('a', '', {
            task: { matrix: { params: [{ name: 'p', value: 'x' }] } },
            spec: { params: [{ name: 'p' }] },
          }),
        ],
      },
      `${pipeline}.tasks[0].matrix.params[0].value: a matrix goes over arrays`,
    ],
    [
      'an unknown param',
      { tasks: [scriptTask('a', 'echo $(params.no)')] },
      `${pipeline}.tasks[0].taskSpec.steps[0].script: $(params.no) refers to a param that is not declared`,
    ],
    [
      'an unknown task',
      {
        tasks: [
          scriptTask('a', '', { task: { when: [{ input: '$(tasks.no.results.x)', operator: 'in', values: [] }] } }),
        ],
      },
      `${pipeline}.tasks[0].when[0].input: $(tasks.no.results.x) refers to a task that is not in the pipeline`,
    ],
    [
      'an unknown result',
      { tasks: [ok], results: [{ name: 'r', value: '$(tasks.ok.results.x)' }] },
      `${pipeline}.results[0].value: $(tasks.ok.results.x) refers to a result that the task does not declare`,
    ],
    [
      'a whole array in a text',
      { params: [{ name: 'l', type: 'array', default: [] }], tasks: [scriptTask('a', 'echo $(params.l[*])')] },
      `${pipeline}.tasks[0].taskSpec.steps[0].script: $(params.l[*]) has to stand alone, since it is not a string`,
    ],
    [
      'a wrong default',
      { params: [{ name: 'l', type: 'array', default: 'x' }], tasks: [ok] },
      `${pipeline}.params[0].default: expected an array, found a string`,
    ],
    ['a param without a value', { params: [{ name: 'p' }], tasks: [ok] }, 'spec.params: the param p has no value'],
    ['two tasks of one name', { tasks: [ok, ok] }, `${pipeline}.tasks[1].name: there are two tasks named "ok"`],
    [
      'an unknown runAfter',
      { tasks: [scriptTask('a', '', { task: { runAfter: ['b'] } })] },
      `${pipeline}.tasks[0].runAfter: there is no task "b"`,
    ],
    [
      'a circle',
      {
        tasks: [scriptTask('a', '', { task: { runAfter: ['b'] } }), scriptTask('b', '', { task: { runAfter: ['a'] } })],
      },
      `${pipeline}.tasks: tasks wait for each other: a → b → a`,
    ],
    [
      'an unknown bundle',
      { tasks: [bundle('secret-scan')] },
      `${pipeline}.tasks[0].taskRef: there is no stand-in for the task "secret-scan" of quay.io/x/task-secret-scan:1@sha256:00; there is one for build`,
    ],
    [
      'an unknown param of a stand-in',
      {
        tasks: [
          bundle('build', [
            { name: 'IMAGE', value: 'x' },
            { name: 'NEW', value: 'x' },
          ]),
        ],
      },
      `${pipeline}.tasks[0].params[1]: the stand-in for build has no param NEW`,
    ],
    [
      'a missing param of a stand-in',
      { tasks: [bundle('build')] },
      `${pipeline}.tasks[0].params: the param IMAGE is required`,
    ],
    [
      'a param of the wrong type',
      { tasks: [bundle('build', [{ name: 'IMAGE', value: ['x'] }])] },
      `${pipeline}.tasks[0].params[0].value: expected a string, found an array`,
    ],
    [
      'a workspace that is required',
      { tasks: [scriptTask('a', '', { spec: { workspaces: [{ name: 'w' }] } })] },
      `${pipeline}.tasks[0].workspaces: the workspace w is required`,
    ],
  ];
  it.each(cases)('%s', (_name, spec, expected) => {
    expect(problemsOf(() => plan(pipelineRun(spec)))).toEqual([expected]);
  });

  it('tells all problems at once, with their lines', () => {
    const files = pipelineRun({ tasks: [scriptTask('a', '', { spec: { sidecars: [], x: 1 } })] });
    const line = (files['run.yaml'] ?? '').split('\n').findIndex((text) => text.includes('sidecars')) + 1;
    try {
      plan(files);
      expect.unreachable();
    } catch (error) {
      const { problems, code } = error as TektonLocalError;
      expect(code).toBe('UNSUPPORTED');
      expect(problems.map(({ file, line }) => [file, line])).toEqual([
        ['run.yaml', line],
        ['run.yaml', line + 1],
      ]);
    }
  });

  it('overrides that the pipeline does not declare', () => {
    const files = pipelineRun({ params: [{ name: 'p', default: 'x' }], tasks: [ok] });
    expect(() => plan(files, { params: { q: 'x' } })).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(() => plan(files, { params: { p: ['x'] } })).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(plan(files, { params: { p: 'y' } }).params).toEqual({ p: 'y' });
  });

  it.each([
    [
      'aliases that explode',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join()}]`)
        .join('\n')}`,
    ],
    ['two keys of one name', 'kind: PipelineRun\nkind: Pipeline'],
    ['no YAML', 'kind: [PipelineRun'],
  ])('%s', (_name, text) => {
    expect(() => plan({ 'run.yaml': text })).toThrow(expect.objectContaining({ code: 'YAML_INVALID' }));
  });
});

describe('as Pipelines as Code resolves', () => {
  const document = (kind: string, name: string, spec: object, annotations: object = {}): string =>
    JSON.stringify({ apiVersion: 'tekton.dev/v1', kind, metadata: { name, annotations }, spec });
  const task = (image: string): object => ({ steps: [{ name: 's', image }] });
  const images = ({ implementations }: Plan): string[] =>
    [...implementations.values()].flatMap((item) =>
      item.kind === 'task' ? item.task.steps.map((step) => step.image) : [],
    );
  const run = (annotations: object): string =>
    document('PipelineRun', 'r', { pipelineRef: { name: 'p' } }, annotations);
  const pipeline = (names: string[], annotations: object = {}): string =>
    document('Pipeline', 'p', { tasks: names.map((name) => ({ name, taskRef: { name } })) }, annotations);

  it('the annotations of the PipelineRun, of the Pipeline, then .tekton', () => {
    const found = plan(
      {
        '.tekton/run.yaml': run({
          'pipelinesascode.tekton.dev/pipeline': 'ci/p.yaml',
          'pipelinesascode.tekton.dev/task': '[ci/a.yaml]',
        }),
        'ci/p.yaml': pipeline(['a', 'b', 'c'], { 'pipelinesascode.tekton.dev/task': '[ci/b.yaml, ci/other-a.yaml]' }),
        'ci/a.yaml': document('Task', 'a', task('image-a')),
        'ci/other-a.yaml': document('Task', 'a', task('not-this')),
        'ci/b.yaml': document('Task', 'b', task('image-b')),
        '.tekton/tasks/c.yaml': document('Task', 'c', task('image-c')),
        '.tekton/other.yaml': 'kind: PipelineRun\nmetadata: {name: "{{ unknown }}"}',
      },
      { file: '.tekton/run.yaml' },
    );
    expect(images(found)).toEqual(['image-a', 'image-b', 'image-c']);
  });

  it('variables in .tekton only, whatever characters their values have', () => {
    const files = {
      '.tekton/run.yaml':
        'apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {name: r}\nspec:\n  params:\n    - name: p\n      value: {{ branch }}\n    - {name: q, value: "{{branch}}/{{ rev }}"}\n' +
        '  pipelineSpec:\n    params: [{name: p}, {name: q}]\n    tasks: [{name: a, taskRef: {name: a}}]\n',
      '.tekton/a.yaml': document('Task', 'a', task('{{ rev }}')),
    };
    const branch = 'x", evil: "\n  y: z # \\ {{ rev }}';
    const found = plan(files, { file: '.tekton/run.yaml', variables: { branch, rev: '1e3' } });
    expect(found.params).toEqual({ p: branch, q: `${branch}/1e3` });
    expect(images(found)).toEqual(['1e3']);
  });

  it('no variable that nobody knows, no other host, nothing outside the folder', () => {
    const only = (annotation: string, extra: object = {}): Record<string, string> => ({
      'run.yaml': run({ 'pipelinesascode.tekton.dev/pipeline': annotation, ...extra }),
    });
    expect(problemsOf(() => plan({ 'run.yaml': 'kind: "{{ headers }}"' }))).toEqual([': {{ headers }} has no value']);
    expect(problemsOf(() => plan(only('https://example.com/p.yaml')))[0]).toContain('nothing is fetched');
    expect(problemsOf(() => plan(only('some-hub-pipeline')))[0]).toContain('nothing is fetched');
    expect(() => plan(only('../p.yaml'))).toThrow(expect.objectContaining({ code: 'FILE_NOT_READABLE' }));
    expect(() => plan(only('/etc/passwd'))).toThrow(expect.objectContaining({ code: 'FILE_NOT_READABLE' }));
  });

  it('every PipelineRun that this repository renders', () => {
    const root = fileURLToPath(new URL('../../../', import.meta.url));
    const files = readdirSync(join(root, '.tekton'));
    expect(files.length).toBeGreaterThan(0);
    const variables = Object.fromEntries(
      ['revision', 'source_url', 'target_branch', 'pull_request_number', 'git_auth_secret'].map((name) => [
        name,
        'auth',
      ]),
    );
    for (const file of files) {
      const resolved = resolveRun({ root, file: `.tekton/${file}`, variables, authSecret: 'auth', standIns });
      expect(makePlan(resolved, {}).dependencies.size).toBeGreaterThan(3);
    }
  });
});
