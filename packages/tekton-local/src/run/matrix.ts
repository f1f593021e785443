import { gatherResults, type TaskOutcome } from '../outcome.ts';
import type { Param } from '../plan/model.ts';

/** More TaskRuns of one task are refused, as Tekton does by default. */
const MAX_COMBINATIONS = 256;

/** Every combination of the matrix' values, in Tekton's order: the first param changes fastest. */
export function combinationsOf(matrix: readonly Param[]): Record<string, string>[] {
  let all: Record<string, string>[] = [{}];
  for (const { name, value } of matrix) {
    const items = Array.isArray(value) ? value : [];
    if (all.length * items.length > MAX_COMBINATIONS) {
      throw new Error(`the matrix has more than ${MAX_COMBINATIONS} combinations`);
    }
    all = items.flatMap((item) => all.map((combination) => ({ ...combination, [name]: item })));
  }
  return all;
}

/** The outcome of a task that ran once for each combination: each of its results is the array of theirs. */
export function combine(name: string, runs: TaskOutcome[]): TaskOutcome {
  const worst = runs.find(({ status }) => status === 'Failed') ?? runs.find(({ status }) => status !== 'Succeeded');
  return {
    name,
    status: worst?.status ?? 'Succeeded',
    reason: worst === undefined ? 'Succeeded' : worst.reason,
    message: worst?.message,
    results: gatherResults(runs.map(({ results }) => results)),
    startedAt: Math.min(...runs.map((run) => run.startedAt ?? Number.POSITIVE_INFINITY)),
    finishedAt: Date.now(),
    steps: runs.flatMap((run) => run.steps),
    runs,
  };
}
