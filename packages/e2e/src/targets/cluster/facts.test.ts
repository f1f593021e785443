import { expect, test } from 'vitest';
import { KINDS } from './api/resource.ts';
import { readTask } from './facts.ts';

type Step = readonly [name: string, exitCode: number, terminationReason?: string];

const failedOf = (message: string, ...steps: readonly Step[]): string | undefined =>
  readTask({
    ...KINDS.taskRun,
    metadata: { name: 'task' },
    status: {
      podName: 'task-pod',
      conditions: [{ type: 'Succeeded', status: 'False', reason: 'Failed', message }],
      steps: steps.map(([name, exitCode, terminationReason]) => ({
        name,
        container: `step-${name}`,
        terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' },
        ...(terminationReason === undefined ? {} : { terminationReason }),
      })),
    },
  }).failed?.container;

test('the step that made a task fail is not one that may, nor one that was left out after it', () => {
  const steps: Step[] = [
    ['scan', 3, 'Continued'],
    ['push', 1, 'Error'],
    ['sign', 1, 'Skipped'],
  ];
  expect(failedOf('"step-push" exited with code 1', ...steps)).toBe('step-push');
  expect(failedOf('TaskRun "task" failed', ...steps)).toBe('step-push');
});

test('where steps do not say why they ended, the message names it', () => {
  expect(failedOf('"step-push" exited with code 1 (image: "x")', ['scan', 3], ['push', 1])).toBe('step-push');
  expect(failedOf('no word of it', ['prepare', 0], ['scan', 3], ['push', 1])).toBe('step-scan');
});

test('there is none where all ended well, or none ever ran', () => {
  expect(failedOf('evicted', ['scan', 3, 'Continued'])).toBeUndefined();
  expect(failedOf('evicted')).toBeUndefined();
});

test('a task tells where its time went: until it was taken up, until its first step began, and in its steps', () => {
  const at = (second: number): string => `2026-01-02T03:04:${String(second).padStart(2, '0')}Z`;
  const ended = {
    ...KINDS.taskRun,
    metadata: { name: 'task', creationTimestamp: at(1) },
    status: {
      podName: 'task-pod',
      startTime: at(3),
      completionTime: at(40),
      steps: [
        { name: 'one', terminated: { exitCode: 0, startedAt: at(13), finishedAt: at(20) } },
        { name: 'two', terminated: { exitCode: 0, startedAt: at(20), finishedAt: at(38) } },
      ],
    },
  };
  const phases = { queued: 2000, starting: 10_000, running: 25_000 };
  expect(readTask(ended).phases).toEqual(phases);
  expect(readTask(ended, new Map([['task-pod', 4000]])).phases).toEqual({ ...phases, pulling: 4000 });
  // Of clocks that differ, no part is more than the whole.
  expect(readTask(ended, new Map([['task-pod', 11_000]])).phases).toEqual({ ...phases, pulling: 10_000 });
  const running = {
    ...KINDS.taskRun,
    metadata: { name: 'task', creationTimestamp: at(1) },
    status: { startTime: at(3) },
  };
  expect(readTask(running).phases).toBeUndefined();
});
