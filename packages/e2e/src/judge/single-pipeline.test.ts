import { expect, test } from 'vitest';
import { revision, wellDone } from '../testing/observation.ts';
import { PRUNED } from './chain-view.ts';
import { singlePipeline } from './single-pipeline.ts';

test('an image that is not there by its revision tag is said to be missing', () => {
  const seen = wellDone();
  const { digest: _, ...published } = seen.primary.published;
  seen.primary.published = { ...published, problem: 'no such image' };
  expect(singlePipeline(seen).filter(({ check }) => check === 'published')).toMatchObject([
    { status: 'failed', expected: `registry.example/org/image1:${revision}`, found: 'no such image' },
    { status: 'passed' },
  ]);
});

test('what a TaskRun that is gone could say is not known, and no reproach', () => {
  const seen = wellDone();
  const tasks = seen.build.tasks.map((task) => ({ ...task, status: PRUNED, results: {} }));
  seen.build = { ...seen.build, tasks };
  expect(singlePipeline(seen).filter(({ status }) => status !== 'passed')).toMatchObject([
    { check: 'built', status: 'skipped', text: expect.stringContaining('TaskRun is gone') },
    { check: 'built', status: 'skipped' },
  ]);
  seen.primary.origin = { reference: '', labels: {}, env: {}, problem: 'its TaskRun is gone' };
  expect(singlePipeline(seen).find(({ check }) => check === 'revision')).toMatchObject({ status: 'skipped' });
});
