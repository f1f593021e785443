import type { runPipeline } from '@multi-image/tekton-local';
import type { KubeObject } from '../kube-api.ts';

type ParamValue = Awaited<ReturnType<typeof runPipeline>>['results'][string];
type Values = Readonly<Record<string, ParamValue>>;

/** What became of a run, on a cluster or on tekton-local: what is compared. */
export interface Outcome {
  readonly status: string;
  readonly results: Values;
  /** A matrix is one task, with the results of its TaskRuns. */
  readonly tasks: readonly TaskSeen[];
}

/** Times are milliseconds since 1970; none of a task that was left out. */
interface TaskSeen {
  readonly name: string;
  readonly status: string;
  readonly results: Values;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** The outcome of a local run. */
export function outcomeHere({ status, results, tasks }: Awaited<ReturnType<typeof runPipeline>>): Outcome {
  return {
    ...{ status, results },
    tasks: tasks.map((task) => ({
      ...{ name: task.name, status: task.status, results: task.results, from: task.startedAt, to: task.finishedAt },
    })),
  };
}

interface Condition {
  readonly type: string;
  readonly status: string;
}

/** Of a PipelineRun or a TaskRun. */
export interface RunStatus {
  readonly conditions?: readonly Condition[];
  readonly results?: readonly { readonly name: string; readonly value: ParamValue }[];
  readonly skippedTasks?: readonly { readonly name: string }[];
  readonly childReferences?: readonly { readonly name: string; readonly pipelineTaskName: string }[];
  readonly pipelineSpec?: Readonly<
    Record<'tasks' | 'finally', readonly { name: string; matrix?: unknown }[] | undefined>
  >;
  readonly startTime?: string;
  readonly completionTime?: string;
}

export type Ran = KubeObject & { readonly status?: RunStatus };

/** The outcome of a run on the cluster; undefined as long as it goes on. A TaskRun is a run with one task. */
export function outcomeThere({ kind, metadata, status = {} }: Ran, taskRuns: readonly Ran[]): Outcome | undefined {
  const ended = statusOf(status);
  if (ended === 'Running') return undefined;
  if (kind === 'TaskRun') {
    return { status: ended, results: valuesOf(status), tasks: [seen(metadata.name, [status], false)] };
  }
  const { childReferences = [], skippedTasks = [], pipelineSpec } = status;
  const byName = new Map(taskRuns.map((run) => [run.metadata.name, run.status ?? {}]));
  const matrices = [...(pipelineSpec?.tasks ?? []), ...(pipelineSpec?.finally ?? [])].filter(({ matrix }) => matrix);
  const names = [...new Set(childReferences.map(({ pipelineTaskName }) => pipelineTaskName))];
  return {
    status: ended,
    results: valuesOf(status),
    tasks: [
      ...names.map((name) => {
        const own = childReferences.filter(({ pipelineTaskName }) => pipelineTaskName === name);
        const isMatrix = matrices.some((task) => task.name === name);
        return seen(
          name,
          own.map((child) => byName.get(child.name) ?? {}),
          isMatrix,
        );
      }),
      ...skippedTasks.map(({ name }) => ({ name, status: 'Skipped', results: {} })),
    ],
  };
}

function seen(name: string, runs: readonly RunStatus[], isMatrix: boolean): TaskSeen {
  const bad = runs.map(statusOf).find((status) => status !== 'Succeeded');
  return {
    name,
    status: bad ?? 'Succeeded',
    results: isMatrix ? gathered(runs.map(valuesOf)) : valuesOf(runs[0] ?? {}),
    from: Math.min(...runs.map(({ startTime }) => Date.parse(startTime ?? ''))),
    to: Math.max(...runs.map(({ completionTime }) => Date.parse(completionTime ?? ''))),
  };
}

/** As a pipeline sees the results of a matrix. */
function gathered(runs: readonly Values[]): Values {
  const names = new Set(runs.flatMap(Object.keys));
  return Object.fromEntries(
    [...names].map((name) => [name, runs.flatMap((run) => (run[name] === undefined ? [] : [String(run[name])]))]),
  );
}

function statusOf({ conditions = [] }: RunStatus): string {
  const condition = conditions.find(({ type }) => type === 'Succeeded');
  if (condition === undefined || condition.status === 'Unknown') return 'Running';
  return condition.status === 'True' ? 'Succeeded' : 'Failed';
}

function valuesOf({ results = [] }: RunStatus): Values {
  return Object.fromEntries(results.map(({ name, value }) => [name, value]));
}

/** What is another thing each time: times, and the names of runs and pods. */
const CHANGING = /\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|^"\d{9,}/;

/** What is the same wherever it runs, by name: statuses and results. */
export function comparable({ status, results, tasks }: Outcome, isTaskRun: boolean): object {
  return {
    status,
    results: steady(results),
    tasks: Object.fromEntries(
      // A TaskRun has no task's name.
      tasks.map(({ name, status: ended, results: own }) => [
        isTaskRun ? 'task' : name,
        { status: ended, results: steady(own) },
      ]),
    ),
  };
}

function steady(results: Values): Values {
  return Object.fromEntries(
    Object.entries(results).map(([name, value]) => [
      name,
      CHANGING.test(JSON.stringify(value)) ? 'another each time' : value,
    ]),
  );
}

/** Pairs of tasks of which the first ended before the second began, in one outcome, and the other way round in the other. */
export function turned(one: Outcome, other: Outcome): readonly string[] {
  const others = new Set(orderOf(other).map(([before, after]) => `${after} before ${before}`));
  return orderOf(one)
    .map(([before, after]) => `${before} before ${after}`)
    .filter((pair) => others.has(pair));
}

function orderOf({ tasks }: Outcome): readonly (readonly [before: string, after: string])[] {
  return tasks.flatMap(({ name, to }) =>
    tasks.flatMap((other) =>
      to !== undefined && other.from !== undefined && to < other.from ? [[name, other.name] as const] : [],
    ),
  );
}
