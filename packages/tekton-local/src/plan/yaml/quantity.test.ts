import { pipelineRun, scriptTask } from '@multi-image/testing/checkout';
import { expect, it } from 'vitest';
import { planOf, problemsOf } from '../../testing/plan.ts';
import { quantityOf } from './quantity.ts';

it.each([
  ['256Mi', 268_435_456],
  ['1.5Gi', 1_610_612_736],
  ['500m', 0.5],
  ['1e3', 1000],
  ['1E', 1e18],
  ['2M', 2e6],
  [2, 2],
  ['.5', 0.5],
  ['256MB', undefined],
  ['-1', undefined],
  ['', undefined],
  ['Mi', undefined],
  ['$(params.memory)', undefined],
])('%j is %j', (text, quantity) => {
  expect(quantityOf(text)).toBe(quantity);
});

it('is refused before anything starts where it is none', () => {
  const step = { computeResources: { limits: { memory: 'much', cpu: '500m' } } };
  expect(problemsOf(() => planOf(pipelineRun({ tasks: [scriptTask('one', 'echo', { step })] })))).toEqual([
    'spec.pipelineSpec.tasks[0].taskSpec.steps[0].computeResources.limits.memory: expected a quantity such as "64Mi", found "much"',
  ]);
});
