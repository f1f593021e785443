import { pipelineRun, scriptTask } from '@multi-image/testing/checkout';
import { describe, expect, it } from 'vitest';
import type { TektonLocalError } from '../errors.ts';
import { planOf, problemsOf } from '../testing/plan.ts';

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
      'capabilities that containers do not have by themselves',
      {
        tasks: [
          scriptTask('a', '', { step: { securityContext: { capabilities: { add: ['SETFCAP', 'SYS_ADMIN'] } } } }),
        ],
      },
      `${pipeline}.tasks[0].taskSpec.steps[0].securityContext.capabilities.add: a step gets no capabilities beyond the default ones: "SYS_ADMIN"`,
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
      'a cycle',
      {
        tasks: [scriptTask('a', '', { task: { runAfter: ['b'] } }), scriptTask('b', '', { task: { runAfter: ['a'] } })],
      },
      `${pipeline}.tasks: tasks wait for each other: a → b → a`,
    ],
    [
      'an unknown bundle',
      { tasks: [bundle('secret-scan')] },
      `${pipeline}.tasks[0].taskRef: no Task was given for the task "secret-scan" of quay.io/x/task-secret-scan:1@sha256:00, and bundles are not fetched; given: build`,
    ],
    [
      'an unknown param of a Task that is given',
      {
        tasks: [
          bundle('build', [
            { name: 'IMAGE', value: 'x' },
            { name: 'NEW', value: 'x' },
          ]),
        ],
      },
      `${pipeline}.tasks[0].params[1]: the Task given for build has no param NEW`,
    ],
    [
      'a missing param of a Task that is given',
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
    expect(problemsOf(() => planOf(pipelineRun(spec)))).toEqual([expected]);
  });

  it('tells all problems at once, with their lines', () => {
    const files = pipelineRun({ tasks: [scriptTask('a', '', { spec: { sidecars: [], x: 1 } })] });
    const line = (files['run.yaml'] ?? '').split('\n').findIndex((text) => text.includes('sidecars')) + 1;
    try {
      planOf(files);
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
    expect(() => planOf(files, { params: { q: 'x' } })).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(() => planOf(files, { params: { p: ['x'] } })).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(planOf(files, { params: { p: 'y' } }).params).toEqual({ p: 'y' });
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
    expect(() => planOf({ 'run.yaml': text })).toThrow(expect.objectContaining({ code: 'YAML_INVALID' }));
  });
});
