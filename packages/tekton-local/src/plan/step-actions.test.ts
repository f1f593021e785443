import { pipelineRun } from '@multi-image/testing/checkout';
import { describe, expect, it } from 'vitest';
import { planOf, problemsOf } from '../testing/plan.ts';
import type { Step } from './model.ts';
import { replaceInTask } from './replace/replace.ts';
import { taskRunPasses } from './task-runs.ts';

const action = (spec: object, apiVersion = 'tekton.dev/v1beta1'): Record<string, string> => ({
  '.tekton/say.yaml': JSON.stringify({ apiVersion, kind: 'StepAction', metadata: { name: 'say' }, spec }),
});
const withStep = (step: object, spec: object = {}): Record<string, string> =>
  pipelineRun({ tasks: [{ name: 'a', taskSpec: { ...spec, steps: [{ name: 's', ref: { name: 'say' }, ...step }] } }] });

/** The steps of the task `a` as its TaskRun has them. */
function stepsOf(files: Record<string, string>): Step[] {
  const implementation = planOf(files).implementations.get('a');
  if (implementation === undefined) throw new Error('there is no task a');
  const context = { name: 'run', namespace: 'default', uid: '', task: 'a', retry: 0 };
  const { task, passes } = taskRunPasses(implementation.task, {}, context);
  return passes.reduce(replaceInTask, task).steps;
}

describe('a step that is a StepAction', () => {
  it('is what that says, with the params that it gives', () => {
    const spec = {
      params: [{ name: 'who' }, { name: 'word', default: 'hi' }, { name: 'list', type: 'array' }],
      image: 'image-$(params.word)',
      command: ['say'],
      args: ['$(params.list[*])', '$(params["who"])'],
      env: [{ name: 'A', value: '$(params.list[1])' }],
    };
    const params = [
      { name: 'who', value: '$(context.taskRun.name)' },
      { name: 'list', value: ['x', 'y'] },
    ];
    const [step] = stepsOf({ ...action(spec), ...withStep({ params, onError: 'continue' }) });
    expect(step).toMatchObject({
      name: 's',
      image: 'image-hi',
      args: ['x', 'y', 'run'],
      env: [{ name: 'A', value: 'y' }],
      onError: 'continue',
    });
  });

  it("gets parts of the Task's params, and leaves alone what is called like them", () => {
    const spec = {
      params: [
        { name: 'list', type: 'array' },
        { name: 'map', type: 'object', properties: { one: {}, two: {} }, default: { one: '1', two: '2' } },
        { name: 'text', default: 'own' },
      ],
      image: 'image',
      args: ['$(params.list[1])', '$(params.map.one)', '$(params.map.two)', '$(params.text)'],
    };
    const params = [
      { name: 'list', value: '$(params.names[*])' },
      { name: 'map', value: '$(params.given[*])' },
    ];
    const task = {
      params: [
        { name: 'names', type: 'array', default: ['a', 'b'] },
        { name: 'given', type: 'object', properties: { one: {} }, default: { one: 'i' } },
        { name: 'text', default: "the Task's" },
      ],
      stepTemplate: { env: [{ name: 'T', value: '$(params.text)' }] },
    };
    const [step] = stepsOf({ ...action(spec), ...withStep({ params }, task) });
    expect(step?.args).toEqual(['b', 'i', '2', 'own']);
    expect(step?.env).toMatchObject([{ name: 'T', value: "the Task's" }]);
  });

  it('hands on parts of results of the steps before it', () => {
    const spec = {
      params: [
        { name: 'list', type: 'array' },
        { name: 'map', type: 'object', properties: { one: {} } },
      ],
      image: 'image',
      args: ['$(params.list[*])', '$(params.list[1])', '$(params.map.one)'],
    };
    const params = [
      { name: 'list', value: '$(steps.first.results.list[*])' },
      { name: 'map', value: '$(steps.first.results.map[*])' },
    ];
    expect(stepsOf({ ...action(spec), ...withStep({ params }) })[0]?.args).toEqual([
      '$(steps.first.results.list[*])',
      '$(steps.first.results.list[1])',
      '$(steps.first.results.map.one)',
    ]);
  });

  it.each<[string, Record<string, string>, string]>([
    ['that is not there', withStep({}), 'there is no StepAction "say"'],
    [
      'that gets no param',
      { ...action({ params: [{ name: 'p' }], image: 'i' }), ...withStep({}) },
      'needs the param p',
    ],
    [
      'that gets a param too many',
      { ...action({ image: 'i' }), ...withStep({ params: [{ name: 'q', value: 'x' }] }) },
      'has no param q',
    ],
    [
      'with params in its script',
      { ...action({ image: 'i', params: [{ name: 'p', default: 'd' }], script: 'echo $(params.p)' }), ...withStep({}) },
      'use env',
    ],
    ['without an image', { ...action({}), ...withStep({}) }, 'is required'],
    [
      'of another version',
      { ...action({ image: 'i' }, 'tekton.dev/v1'), ...withStep({}) },
      'expected tekton.dev/v1beta1 or tekton.dev/v1alpha1',
    ],
  ])('is refused: one %s', (_what, files, message) => {
    expect(problemsOf(() => planOf(files)).join('\n')).toContain(message);
  });
});
