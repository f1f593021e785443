import { pipelineRun } from '@multi-image/testing/checkout';
import { describe, expect, it } from 'vitest';
import { planOf, problemsOf } from '../testing/plan.ts';

const action = (spec: object, apiVersion = 'tekton.dev/v1beta1'): Record<string, string> => ({
  '.tekton/say.yaml': JSON.stringify({ apiVersion, kind: 'StepAction', metadata: { name: 'say' }, spec }),
});
const withStep = (step: object, spec: object = {}): Record<string, string> =>
  pipelineRun({ tasks: [{ name: 'a', taskSpec: { ...spec, steps: [{ name: 's', ref: { name: 'say' }, ...step }] } }] });

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
    const { implementations } = planOf({ ...action(spec), ...withStep({ params, onError: 'continue' }) });
    expect(implementations.get('a')?.task.steps[0]).toMatchObject({
      name: 's',
      image: 'image-hi',
      args: ['x', 'y', '$(context.taskRun.name)'],
      env: [{ name: 'A', value: 'y' }],
      onError: 'continue',
    });
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
      { ...action({ image: 'i', script: 'echo $(params.p)' }), ...withStep({}) },
      'use env',
    ],
    ['without an image', { ...action({}), ...withStep({}) }, 'is required'],
    [
      'of another version',
      { ...action({ image: 'i' }, 'tekton.dev/v1'), ...withStep({}) },
      'expected tekton.dev/v1beta1',
    ],
  ])('is refused: one %s', (_what, files, message) => {
    expect(problemsOf(() => planOf(files)).join('\n')).toContain(message);
  });
});
