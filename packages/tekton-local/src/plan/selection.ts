import { readFileSync } from 'node:fs';
import { TEKTON } from '@multi-image/kit/tekton';
import { TektonLocalError } from '../errors.ts';
import { gatherResults, SKIPPED_FOR, type TaskOutcome, withoutSteps } from '../outcome.ts';
import type { ParamValue } from './model.ts';
import type { Plan } from './plan.ts';
import { isMap } from './yaml/field.ts';

/** A part of a run; what it needs of the rest comes from an earlier run. */
export interface Selection {
  /** Run this task alone. */
  only?: string | undefined;
  /** Run this task, all that come after it, and the finally tasks. */
  from?: string | undefined;
  /** Run those that did not succeed, all that come after them, and the finally tasks. */
  failed?: boolean | undefined;
  /** The `statusFile` of the earlier run. */
  last: string;
}

/**
 * The outcomes of the tasks that are not run: those of the earlier run where something needs them, else left out.
 * Throws `USAGE` for a task that is not there, or was not successful then.
 */
export function reusedOutcomes(plan: Plan, selection: Selection): Map<string, TaskOutcome> {
  const all = [...plan.pipeline.tasks, ...plan.pipeline.finally].map((task) => task.name);
  const earlier = readEarlier(selection.last);
  const finals = plan.pipeline.finally.map((task) => task.name);
  const named = selection.only ?? selection.from;
  const starts = named === undefined ? all.filter((task) => !finals.includes(task) && !isDone(task, earlier)) : [named];
  if (named !== undefined && !all.includes(named)) {
    throw new TektonLocalError('USAGE', `the pipeline has no task ${JSON.stringify(named)}`, {
      expected: all.join(', '),
    });
  }
  if (starts.length === 0) {
    throw new TektonLocalError('USAGE', 'in the earlier run no task failed', { found: selection.last });
  }
  const needs = (task: string): readonly string[] => plan.dependencies.get(task)?.all ?? [];
  const before = closure(starts, needs);
  const after = closure(starts, (task) => all.filter((other) => needs(other).includes(task)));
  const runs = new Set(selection.only === undefined ? [...after, ...finals] : starts);
  const isReused = (task: string): boolean => selection.only === undefined || before.has(task);
  return new Map(
    all
      .filter((task) => !runs.has(task))
      .map((task) => [task, isReused(task) ? reuse(task, earlier) : withoutSteps(task, 'Skipped', 'Left out')]),
  );
}

/** What the status of an earlier run says of its tasks. */
interface Earlier {
  /** Why a task was skipped. */
  skipped: ReadonlyMap<string, string>;
  /** The TaskRuns of a task: a matrix has several. */
  runs: ReadonlyMap<string | undefined, { succeeded: boolean; results: Record<string, ParamValue> }[]>;
}

/** Whether there is nothing to do again: it succeeded, or its own conditions were not true. */
function isDone(task: string, { skipped, runs }: Earlier): boolean {
  if (skipped.has(task)) return skipped.get(task) === 'When Expressions evaluated to false';
  return runs.get(task)?.every(({ succeeded }) => succeeded) ?? false;
}

function reuse(task: string, earlier: Earlier): TaskOutcome {
  const skipped = earlier.skipped.get(task);
  if (skipped !== undefined) return withoutSteps(task, 'Skipped', skipped);
  const runs = earlier.runs.get(task);
  if (!runs?.every(({ succeeded }) => succeeded)) {
    throw new TektonLocalError('USAGE', `the earlier run has no results of ${task}`, {
      expected: `${task} to have succeeded`,
      found: runs === undefined ? 'it did not run' : 'it failed',
    });
  }
  const all = runs.map(({ results }) => results);
  return {
    ...withoutSteps(task, 'Succeeded', 'Reused'),
    results: all.length > 1 ? gatherResults(all) : (all[0] ?? {}),
  };
}

function readEarlier(file: string): Earlier {
  try {
    const { items } = JSON.parse(readFileSync(file, 'utf8')) as { items: StatusItem[] };
    const skipped = items.flatMap(({ status }) => status.skippedTasks ?? []);
    const why: unknown = JSON.parse(items[0]?.metadata.annotations?.[SKIPPED_FOR] ?? '{}');
    const runs = items
      .filter(({ kind }) => kind === 'TaskRun')
      .map(({ metadata, status }) => ({
        task: metadata.labels[TEKTON.pipelineTask],
        succeeded: status.conditions[0]?.status === 'True',
        results: Object.fromEntries(status.results?.map(({ name, value }) => [name, value]) ?? []),
      }));
    return {
      skipped: new Map(skipped.map(({ name, reason }) => [name, isMap(why) ? String(why[name] ?? reason) : reason])),
      runs: Map.groupBy(runs, ({ task }) => task),
    };
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
  metadata: { labels: Record<string, string>; annotations?: Record<string, string> };
  status: {
    conditions: { status: string }[];
    skippedTasks?: { name: string; reason: string }[];
    results?: { name: string; value: ParamValue }[];
  };
}

function closure(starts: readonly string[], next: (name: string) => readonly string[]): Set<string> {
  const found = new Set(starts);
  for (const name of found) for (const other of next(name)) found.add(other);
  return found;
}
