import type { Pipeline } from './model.ts';
import { type Prepared, resultsNeeded } from './task-runs.ts';

/** What a task waits for. */
export interface Dependencies {
  /** By its results: without them the task cannot run. */
  results: readonly string[];
  /** These, and those of `runAfter`, of which only the order matters. */
  all: readonly string[];
}

/**
 * Tasks whose matrix is an empty array from the start, and which wait for others: Tekton skips them at once, finds that what
 * they wait for has not ended, and never goes on.
 */
export function skippedTooEarly(
  { tasks }: Pipeline,
  dependencies: ReadonlyMap<string, Dependencies>,
  prepared: ReadonlyMap<string, Prepared>,
): string[] {
  const isEmpty = (name: string): boolean =>
    prepared.get(name)?.task.matrix.some(({ value }) => Array.isArray(value) && value.length === 0) === true;
  const isFalse = (name: string): boolean =>
    prepared.get(name)?.task.when.some(({ input, operator, values }) => {
      const isKnown = ![input, ...values].some((text) => text.includes('$('));
      return isKnown && values.includes(input) !== (operator === 'in');
    }) === true;
  const known = new Map<string, boolean>();
  const isSkippedAtOnce = (name: string): boolean => {
    const found = known.get(name);
    if (found !== undefined) return found;
    known.set(name, false);
    const { all, results } = dependencies.get(name) ?? { all: [], results: [] };
    const isSkipped =
      isEmpty(name) || (all.every(isSkippedAtOnce) && (isFalse(name) || results.length > 0 || all.some(isEmpty)));
    known.set(name, isSkipped);
    return isSkipped;
  };
  return tasks
    .map(({ name }) => name)
    .filter((name) => isEmpty(name) && dependencies.get(name)?.all.every(isSkippedAtOnce) === false);
}

/** The dependencies of all tasks. */
export function dependenciesOf(pipeline: Pipeline, prepared: ReadonlyMap<string, Prepared>): Map<string, Dependencies> {
  return new Map(
    [...pipeline.tasks, ...pipeline.finally].map(({ name, runAfter }) => {
      const known = prepared.get(name);
      const results = [...new Set(known === undefined ? [] : resultsNeeded(known).map(({ task }) => task))];
      return [name, { results, all: [...new Set([...runAfter, ...results])] }];
    }),
  );
}
