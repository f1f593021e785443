import { readFileSync } from 'node:fs';
import { TektonLocalError } from '../errors.ts';
import type { TaskOutcome } from '../outcome.ts';
import { isMap } from './field.ts';
import type { ParamValue } from './model.ts';
import type { Plan } from './plan.ts';

/** A part of a run; what it needs of the rest comes from an earlier run. */
export interface Selection {
  /** Run this task alone. */
  only?: string | undefined;
  /** Run this task, all that come after it, and the finally tasks. */
  from?: string | undefined;
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
  const needs = (task: string): readonly string[] => plan.dependencies.get(task)?.all ?? [];
  const before = closure(name, needs);
  const after = closure(name, (task) => all.filter((other) => needs(other).includes(task)));
  const finals = plan.pipeline.finally.map((task) => task.name);
  const runs = new Set(selection.only === undefined ? [...after, ...finals] : [name]);
  const isReused = (task: string): boolean => selection.only === undefined || before.has(task);
  const earlier = readEarlier(selection.last);
  return new Map(
    all
      .filter((task) => !runs.has(task))
      .map((task) => [task, isReused(task) ? reuse(task, earlier.get(task)) : outcome(task, 'Skipped', 'Left out')]),
  );
}

/** What the status of an earlier run says of one task. */
interface EarlierTask {
  /** Of each of its TaskRuns: a matrix has several. */
  results: Record<string, ParamValue>[];
  /** Why, if it was skipped. */
  skipped?: string;
  succeeded: boolean;
}

function reuse(task: string, earlier: EarlierTask | undefined): TaskOutcome {
  if (earlier?.skipped !== undefined) return outcome(task, 'Skipped', earlier.skipped);
  if (earlier?.succeeded !== true) {
    throw new TektonLocalError('USAGE', `the earlier run has no results of ${task}`, {
      expected: `${task} to have succeeded`,
      found: earlier === undefined ? 'it did not run' : 'it failed',
    });
  }
  const [first = {}, ...more] = earlier.results;
  if (more.length === 0) return { ...outcome(task, 'Succeeded', 'Reused'), results: first };
  // A matrix: each result is the array of its runs' results.
  const results = Object.keys(first).map((key): [string, ParamValue] => [
    key,
    earlier.results.flatMap((run) => (typeof run[key] === 'string' ? [run[key]] : [])),
  ]);
  return { ...outcome(task, 'Succeeded', 'Reused'), results: Object.fromEntries(results) };
}

function outcome(name: string, status: TaskOutcome['status'], reason: string): TaskOutcome {
  return { name, status, reason, message: reason, results: {}, steps: [] };
}

function readEarlier(file: string): ReadonlyMap<string, EarlierTask> {
  const tasks = new Map<string, EarlierTask>();
  try {
    const list: unknown = JSON.parse(readFileSync(file, 'utf8'));
    for (const item of listAt(list, 'items')) {
      const status = at(item, 'status');
      if (at(item, 'kind') === 'PipelineRun') {
        for (const skipped of listAt(status, 'skippedTasks')) {
          const entry = { results: [], skipped: String(at(skipped, 'reason')), succeeded: false };
          tasks.set(String(at(skipped, 'name')), entry);
        }
        continue;
      }
      const name = String(at(at(at(item, 'metadata'), 'labels'), 'tekton.dev/pipelineTask'));
      const entry = tasks.get(name) ?? { results: [], succeeded: true };
      const results = listAt(status, 'results').map((result) => [String(at(result, 'name')), at(result, 'value')]);
      entry.results.push(Object.fromEntries(results));
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

function closure(start: string, next: (name: string) => readonly string[]): Set<string> {
  const found = new Set([start]);
  for (const name of found) for (const other of next(name)) found.add(other);
  return found;
}
