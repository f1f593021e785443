import { gatherResults, type TaskOutcome } from '../outcome.ts';

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

/** `tasks.<name>.matrix.length` and `tasks.<name>.matrix.<result>.length` of what has ended. */
export function matrixLengths(outcomes: Iterable<TaskOutcome>): Record<string, string> {
  const lengths: Record<string, string> = {};
  for (const { name, runs, results } of outcomes) {
    if (runs === undefined) continue;
    lengths[`tasks.${name}.matrix.length`] = String(runs.length);
    for (const [result, value] of Object.entries(results)) {
      lengths[`tasks.${name}.matrix.${result}.length`] = String(value.length);
    }
  }
  return lengths;
}
