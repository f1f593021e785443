import { gatherResults, type TaskOutcome } from '../outcome.ts';
import { combinationsOf, isMatrix } from '../plan/combinations.ts';
import type { Prepared } from '../plan/task-runs.ts';

/** The outcome of a task that ran once for each combination: each of its results is the array of theirs. */
export function combine(name: string, runs: TaskOutcome[]): TaskOutcome {
  const worst = runs.find(({ status }) => status === 'Failed') ?? runs.find(({ status }) => status !== 'Succeeded');
  return {
    name,
    status: worst?.status ?? 'Succeeded',
    reason: worst === undefined ? 'Succeeded' : worst.reason,
    message: worst?.message,
    results: gatherResults(inOrderOfNames(runs).map(({ results }) => results)),
    startedAt: Math.min(...runs.map((run) => run.startedAt ?? Number.POSITIVE_INFINITY)),
    finishedAt: Date.now(),
    steps: runs.flatMap((run) => run.steps),
    runs,
  };
}

/** Tekton gathers results in the order of its TaskRuns' names, in which 10 comes before 2. */
function inOrderOfNames(runs: readonly TaskOutcome[]): TaskOutcome[] {
  const order = runs.map((_run, index) => String(index)).sort();
  return order.flatMap((index) => runs[Number(index)] ?? []);
}

/**
 * `tasks.<name>.matrix.length` and `tasks.<name>.matrix.<result>.length`: of what has not ended, how often it is to run, and
 * that there is no result yet.
 */
export function matrixLengths(
  prepared: ReadonlyMap<string, Prepared>,
  outcomes: ReadonlyMap<string, TaskOutcome>,
): Record<string, string> {
  const lengths: Record<string, string> = {};
  for (const [name, { task, spec }] of prepared) {
    if (!isMatrix(task)) continue;
    const { runs, results = {} } = outcomes.get(name) ?? {};
    lengths[`tasks.${name}.matrix.length`] = String(runs?.length ?? combinationsOf(task).length);
    for (const { name: result } of spec.results) {
      lengths[`tasks.${name}.matrix.${result}.length`] = String(results[result]?.length ?? 0);
    }
  }
  return lengths;
}
