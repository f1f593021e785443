import { gatherResults, type TaskOutcome } from '../outcome.ts';
import type { Param, PipelineTask } from '../plan/model.ts';

/** More TaskRuns of one task are refused, as Tekton does by default. */
const MAX_COMBINATIONS = 256;

/** Whether a pipeline task runs once for each combination of something. */
export function isMatrix({ matrix, include }: Pick<PipelineTask, 'matrix' | 'include'>): boolean {
  return matrix.length + include.length > 0;
}

/**
 * Every combination of the matrix' values, in Tekton's order: the first param changes fastest. What is included goes into
 * each combination that it does not contradict, and is one of its own where no value of it is in any.
 */
export function combinationsOf({
  matrix,
  include,
}: Pick<PipelineTask, 'matrix' | 'include'>): Record<string, string>[] {
  const included = include.map((params) => Object.fromEntries(params.map(({ name, value }) => [name, String(value)])));
  const all = matrix.length === 0 ? included : withIncluded(fanOut(matrix), included);
  if (all.length > MAX_COMBINATIONS) throw new Error(`the matrix has more than ${MAX_COMBINATIONS} combinations`);
  return all;
}

function withIncluded(
  combinations: readonly Record<string, string>[],
  included: readonly Record<string, string>[],
): Record<string, string>[] {
  const all: Record<string, string>[] = combinations.map((combination) => ({ ...combination }));
  for (const whole of all) {
    for (const more of included) {
      if (Object.entries(more).every(([name, value]) => (whole[name] ?? value) === value)) Object.assign(whole, more);
    }
  }
  for (const more of included) {
    const isThere = all.some((whole) => Object.entries(more).some(([name, value]) => whole[name] === value));
    if (!isThere && Object.keys(more).length > 0) all.push(more);
  }
  return all;
}

function fanOut(matrix: readonly Param[]): Record<string, string>[] {
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
