import { readFileSync } from 'node:fs';
import { TektonLocalError } from '../errors.ts';
import type { TaskOutcome } from '../outcome.ts';
import type { ParamValue } from '../stand-in.ts';
import { isMap } from './field.ts';
import type { Plan } from './plan.ts';

/** A part of a run; what it needs of the rest comes from an earlier run. */
export interface Selection {
  /** Run this task alone. */
  only?: string;
  /** Run this task, all that come after it, and the finally tasks. */
  from?: string;
  /** The `statusFile` of the earlier run. */
  last: string;
}

/**
 * The outcomes of the tasks that are not run: those of the earlier run where something needs them, else left out.
 * Throws `USAGE` for a task that is not there, or was not successful then.
 */
export function reusedOutcomes(plan: Plan, selection: Selection): Map<string, TaskOutcome> {
  const name = selection.only ?? selection.from ?? '';
  const all = [...plan.pipeline.tasks, ...plan.pipeline.finally].map((task) => task.name);
  if (!all.includes(name)) {
    throw new TektonLocalError('USAGE', `the pipeline has no task ${JSON.stringify(name)}`, {
      expected: all.join(', '),
    });
  }
  const needs = (task: string): string[] => {
    const { order, results } = plan.dependencies.get(task) ?? { order: [], results: [] };
    return [...new Set([...order, ...results])];
  };
  const before = closure([name], needs);
  const after = closure([name], (task) => all.filter((other) => needs(other).includes(task)));
  const finals = plan.pipeline.finally.map((task) => task.name);
  const runs = new Set(selection.only === undefined ? [...after, ...finals] : [name]);
  const reused = selection.only === undefined ? all.filter((task) => !runs.has(task)) : [...before];
  const earlier = readEarlier(selection.last);
  return new Map(
    all
      .filter((task) => !runs.has(task))
      .map((task) => [task, reused.includes(task) ? reuse(task, earlier) : outcome(task, 'Skipped', 'Left out')]),
  );
}

type Earlier = ReadonlyMap<string, { results: Record<string, ParamValue>[]; skipped?: string; succeeded: boolean }>;

function reuse(task: string, earlier: Earlier): TaskOutcome {
  const found = earlier.get(task);
  if (found?.skipped !== undefined) return outcome(task, 'Skipped', found.skipped);
  if (found?.succeeded !== true) {
    throw new TektonLocalError('USAGE', `the earlier run has no results of ${task}`, {
      expected: `${task} to have succeeded`,
      found: found === undefined ? 'it did not run' : 'it failed',
    });
  }
  const [first = {}, ...more] = found.results;
  if (more.length === 0) return { ...outcome(task, 'Succeeded', 'Reused'), results: first };
  // A matrix: each result is the array of its runs' results.
  const results: Record<string, ParamValue> = {};
  for (const key of Object.keys(first)) {
    results[key] = found.results.flatMap((run) => (typeof run[key] === 'string' ? [run[key]] : []));
  }
  return { ...outcome(task, 'Succeeded', 'Reused'), results };
}

function outcome(name: string, status: TaskOutcome['status'], reason: string): TaskOutcome {
  return { name, status, reason, message: reason, results: {}, steps: [] };
}

function readEarlier(file: string): Earlier {
  const tasks = new Map<string, { results: Record<string, ParamValue>[]; skipped?: string; succeeded: boolean }>();
  try {
    const list: unknown = JSON.parse(readFileSync(file, 'utf8'));
    for (const item of listAt(list, 'items')) {
      const status = at(item, 'status');
      if (at(item, 'kind') === 'PipelineRun') {
        for (const skipped of listAt(status, 'skippedTasks')) {
          tasks.set(String(at(skipped, 'name')), {
            results: [],
            skipped: String(at(skipped, 'reason')),
            succeeded: false,
          });
        }
        continue;
      }
      const name = String(at(at(at(item, 'metadata'), 'labels'), 'tekton.dev/pipelineTask'));
      const entry = tasks.get(name) ?? { results: [], succeeded: true };
      const pairs = listAt(status, 'results').map((result) => [String(at(result, 'name')), at(result, 'value')]);
      entry.results.push(Object.fromEntries(pairs));
      entry.succeeded &&= at(listAt(status, 'conditions')[0], 'status') === 'True';
      tasks.set(name, entry);
    }
    return tasks;
  } catch (error) {
    throw new TektonLocalError('FILE_NOT_READABLE', `cannot read the earlier run from ${file}`, {
      expected: 'what --status wrote',
      cause: error,
    });
  }
}

function at(value: unknown, key: string): unknown {
  return isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function listAt(value: unknown, key: string): unknown[] {
  const list = at(value, key);
  return Array.isArray(list) ? list : [];
}

function closure(start: readonly string[], next: (name: string) => string[]): Set<string> {
  const found = new Set(start);
  for (const name of found) for (const other of next(name)) found.add(other);
  return found;
}
