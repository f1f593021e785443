import type { Pipeline } from './model.ts';
import { type Prepared, resultsNeeded } from './task-runs.ts';

/** What a task waits for. */
export interface Dependencies {
  /** By its results: without them the task cannot run. */
  results: readonly string[];
  /** These, and those of `runAfter`, of which only the order matters. */
  all: readonly string[];
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
