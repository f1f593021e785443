import { expect, test } from 'vitest';
import { revision, wellDone } from '../testing/observation.ts';
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
