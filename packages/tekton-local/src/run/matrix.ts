import { gatherResults, type TaskOutcome } from '../outcome.ts';
import { countOf } from '../plan/combinations.ts';
import type { PipelineTask } from '../plan/model.ts';
import { expressionsIn } from '../plan/replace/expressions.ts';
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
 * `tasks.<name>.matrix.length` and `tasks.<name>.matrix.<result>.length`, as far as a task's params ask for them. Tekton
 * heeds the first of each param, and counts the combinations that are known before any result is.
 */
export function matrixLengths(
  { params }: PipelineTask,
  prepared: ReadonlyMap<string, Prepared>,
  outcomes: ReadonlyMap<string, TaskOutcome>,
): Record<string, string> {
  const lengths: Record<string, string> = {};
  for (const { value } of params) {
    const expressions = (typeof value === 'string' ? [value] : Object.values(value)).flatMap(expressionsIn);
    const parts = expressions.map((expression) => expression.split('.')).find(isLength);
    if (parts === undefined) continue;
    const [, from = '', , result = ''] = parts;
    const known = prepared.get(from);
    if (known !== undefined) lengths[`tasks.${from}.matrix.length`] = String(countOf(known.task));
    if (known === undefined || parts.length === 4) continue;
    const outcome = outcomes.get(from);
    const runs = outcome === undefined ? [] : (outcome.runs ?? [outcome]);
    const count = runs.filter(({ results }) => Object.hasOwn(results, result)).length;
    lengths[`tasks.${from}.matrix.${result}.length`] = String(count);
  }
  return lengths;
}

function isLength(parts: readonly string[]): boolean {
  const isThere = parts.length === 4 || parts.length === 5;
  return isThere && parts[0] === 'tasks' && parts[2] === 'matrix' && parts.at(-1) === 'length';
}
