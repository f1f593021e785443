import { makeCheckout, pipelineRun } from '@multi-image/testing/checkout';
import { expect, it, onTestFinished } from 'vitest';
import { type TaskOutcome, taskRunsOf } from '../outcome.ts';
import { runPipeline } from '../run-pipeline.ts';

/** How many TaskRuns there were at the same time, of tasks and of a matrix. */
async function together(parallel: number | undefined, combinations: number): Promise<number> {
  const taskRef = {
    resolver: 'bundles',
    params: [
      { name: 'name', value: 'wait' },
      { name: 'bundle', value: 'quay.io/x/wait:1' },
    ],
  };
  const value = Array.from({ length: combinations }, (_item, index) => String(index));
  const checkout = makeCheckout(
    pipelineRun({
      tasks: [
        { name: 'one', taskRef },
        { name: 'all', taskRef, matrix: { params: [{ name: 'p', value }] } },
        { name: 'two', taskRef },
      ],
    }),
  );
  onTestFinished(() => checkout.remove());
  const steps = [{ name: 's', image: 'none', script: '#!/bin/sh\nsleep 0.5' }];
  const task = {
    apiVersion: 'tekton.dev/v1',
    kind: 'Task',
    metadata: { name: 'wait' },
    spec: { params: [{ name: 'p', default: '' }], steps },
  };
  const outcome = await runPipeline({
    root: checkout.root,
    file: 'run.yaml',
    tasks: { wait: { task, executor: 'host' } },
    parallel,
  });
  expect(outcome.status).toBe('Succeeded');
  const runs = outcome.tasks.flatMap(taskRunsOf);
  expect(runs).toHaveLength(combinations + 2);
  const during = ({ startedAt: at = 0 }: TaskOutcome): number =>
    runs.filter(({ startedAt = 0, finishedAt = 0 }) => startedAt <= at && finishedAt > at).length;
  return Math.max(...runs.map(during));
}

it('runs at most so many TaskRuns at the same time as it is told', async () => {
  expect(await together(2, 3)).toBe(2);
});

it('runs 32 at most where it is told nothing: a pipeline of hundreds of tasks leaves the machine usable', async () => {
  expect(await together(undefined, 40)).toBe(32);
});
