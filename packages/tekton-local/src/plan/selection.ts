import { readFileSync } from 'node:fs';
import { TektonLocalError } from '../errors.ts';
import { gatherResults, type TaskOutcome, withoutSteps } from '../outcome.ts';
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
      .map((task) => [
        task,
        isReused(task) ? reuse(task, earlier.get(task)) : withoutSteps(task, 'Skipped', 'Left out'),
      ]),
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
  if (earlier?.skipped !== undefined) return withoutSteps(task, 'Skipped', earlier.skipped);
  if (earlier?.succeeded !== true) {
    throw new TektonLocalError('USAGE', `the earlier run has no results of ${task}`, {
      expected: `${task} to have succeeded`,
      found: earlier === undefined ? 'it did not run' : 'it failed',
    });
  }
  const [first = {}, ...more] = earlier.results;
  const results = more.length === 0 ? first : gatherResults(earlier.results);
  return { ...withoutSteps(task, 'Succeeded', 'Reused'), results };
}

function readEarlier(file: string): ReadonlyMap<string, EarlierTask> {
  const tasks = new Map<string, EarlierTask>();
  try {
    const { items } = JSON.parse(readFileSync(file, 'utf8')) as { items: StatusItem[] };
    for (const { kind, metadata, status } of items) {
      for (const { name, reason } of status.skippedTasks ?? []) {
        tasks.set(name, { results: [], skipped: reason, succeeded: false });
      }
      if (kind === 'PipelineRun') continue;
      const name = metadata.labels['tekton.dev/pipelineTask'] ?? '';
      const { results, succeeded } = tasks.get(name) ?? { results: [], succeeded: true };
      results.push(Object.fromEntries(status.results?.map((result) => [result.name, result.value]) ?? []));
      tasks.set(name, { results, succeeded: succeeded && status.conditions[0]?.status === 'True' });
    }
    return tasks;
  } catch (error) {
    throw new TektonLocalError('FILE_NOT_READABLE', `cannot read the earlier run from ${file}`, {
      expected: 'what --status wrote',
      cause: error,
    });
  }
}

/** What is read of a PipelineRun or a TaskRun in the file. */
interface StatusItem {
  kind: string;
  metadata: { labels: Record<string, string> };
  status: {
    conditions: { status: string }[];
    skippedTasks?: { name: string; reason: string }[];
    results?: { name: string; value: ParamValue }[];
  };
}

function closure(start: string, next: (name: string) => readonly string[]): Set<string> {
  const found = new Set([start]);
  for (const name of found) for (const other of next(name)) found.add(other);
  return found;
}
