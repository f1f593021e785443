import { KONFLUX } from '@multi-image/kit/konflux';
import { PAC, TEKTON } from '@multi-image/kit/tekton';
import { PRUNED, PRUNED_REASON } from '../../judge/chain-view.ts';
import type { RunFacts, TaskFacts, TaskPhases } from '../../judge/observation.ts';
import { condition, field, KINDS, list, type Resource, text } from './api/resource.ts';

/** What is kept of a PipelineRun while it is followed: not the object, which can have megabytes. */
export interface RunRecord {
  name: string;
  uid: string;
  component: string;
  revision: string | undefined;
  created: number;
  startedAt: number | undefined;
  finishedAt: number | undefined;
  /** Of the condition Succeeded: True, False, Unknown. */
  succeeded: string;
  reason: string;
  message: string;
  results: Readonly<Record<string, unknown>>;
  /** Tasks that were left out, with the reason. */
  skipped: readonly { name: string; reason: string }[];
  /** Tasks that have a TaskRun, or had one. */
  children: readonly string[];
  /** What Chains wrote: "true", "failed", or nothing yet. */
  signed: string | undefined;
}

export interface TaskRecord extends TaskFacts {
  run: string;
  /** Of the first step that failed. */
  failed: { pod: string; container: string } | undefined;
  /** Of the step that is at work. */
  working: { pod: string; container: string } | undefined;
  /** Why its pod can't begin, while that is so. */
  stuck: string | undefined;
}

/** As Tekton says that no node has room for a pod, or that the namespace's quota has none. */
const NO_ROOM = /^(?:ExceededNodeResources|ExceededResourceQuota)$|"PodScheduled":"False"/;

/** @param componentLabel The label that names the run's component. */
export function readRun(object: Resource, componentLabel: string = KONFLUX.component): RunRecord {
  const { name, uid = '', labels = {}, annotations = {} } = object.metadata;
  const { status = 'Unknown', reason = '', message = '' } = condition(object, 'Succeeded') ?? {};
  return {
    name,
    uid,
    component: labels[componentLabel] ?? '',
    revision: annotations[KONFLUX.commit] ?? labels[`${PAC}sha`],
    created: Date.parse(object.metadata.creationTimestamp ?? ''),
    startedAt: time(object, 'status', 'startTime'),
    finishedAt: time(object, 'status', 'completionTime'),
    succeeded: status,
    reason,
    message,
    results: results(object),
    skipped: list(object, 'status', 'skippedTasks').map((task) => ({
      name: text(task, 'name') ?? '',
      reason: text(task, 'reason') ?? '',
    })),
    children: list(object, 'status', 'childReferences')
      .filter((child) => text(child, 'kind') === KINDS.taskRun.kind)
      .flatMap((child) => text(child, 'pipelineTaskName') ?? []),
    signed: annotations[TEKTON.signed],
  };
}

export function isOver({ succeeded }: RunRecord): boolean {
  return succeeded === 'True' || succeeded === 'False';
}

/** @param pulls Milliseconds that pods pulled images; undefined where that is not known. */
export function readTask(object: Resource, pulls?: ReadonlyMap<string, number>): TaskRecord {
  const { name, labels = {} } = object.metadata;
  const { status = 'Unknown', reason = '', message } = condition(object, 'Succeeded') ?? {};
  const pod = text(object, 'status', 'podName');
  const container = failedContainer(object, message ?? '');
  const step = list(object, 'status', 'steps').find((one) => field(one, 'running') !== undefined);
  const working = text(step, 'container');
  return {
    run: labels[TEKTON.pipelineRun] ?? '',
    name: labels[TEKTON.pipelineTask] ?? name,
    status: taskStatus(status, reason),
    message: status === 'False' ? message : undefined,
    results: results(object),
    buildArgs: buildArgs(object),
    startedAt: time(object, 'status', 'startTime'),
    finishedAt: time(object, 'status', 'completionTime'),
    phases: phases(object, pulls?.get(pod ?? '')),
    failed: pod === undefined || container === undefined ? undefined : { pod, container },
    working: pod === undefined || working === undefined ? undefined : { pod, container: working },
    stuck: status === 'Unknown' && (NO_ROOM.test(reason) || NO_ROOM.test(message ?? '')) ? message : undefined,
  };
}

/** A run with its tasks as the criteria judge it. */
export function factsOf(run: RunRecord, tasks: Iterable<TaskRecord>): RunFacts {
  const own = [...tasks]
    .filter((task) => task.run === run.name)
    .map(({ run: _, failed: __, stuck: ___, working: ____, ...facts }): TaskFacts => facts);
  const known = new Set(own.map(({ name }) => name));
  const skipped = run.skipped
    .filter(({ name }) => !known.has(name))
    .map(({ name, reason }): TaskFacts => ({ name, status: 'Skipped', message: reason, results: {} }));
  const pruned = [...new Set(run.children)]
    .filter((name) => !known.has(name))
    .map((name): TaskFacts => ({ name, status: PRUNED, message: PRUNED_REASON, results: {} }));
  own.sort((a, b) => (a.startedAt ?? Infinity) - (b.startedAt ?? Infinity));
  const ends = own.flatMap((task) => task.finishedAt ?? []);
  return {
    name: run.name,
    status: runStatus(run),
    message: [run.reason, run.message].filter(Boolean).join(': '),
    results: run.results,
    tasks: [...own, ...pruned, ...skipped],
    startedAt: run.startedAt ?? run.created,
    finishedAt: run.finishedAt ?? Math.max(run.startedAt ?? run.created, ...ends),
  };
}

function runStatus({ succeeded, reason }: RunRecord): RunFacts['status'] {
  if (succeeded === 'True') return 'Succeeded';
  return /cancelled|stopped/i.test(reason) ? 'Cancelled' : 'Failed';
}

function taskStatus(status: string, reason: string): string {
  if (status === 'True') return 'Succeeded';
  if (status === 'False') return /cancelled/i.test(reason) ? 'Cancelled' : 'Failed';
  return reason || 'Pending';
}

function results(object: Resource): Record<string, unknown> {
  const entries = list(object, 'status', 'results');
  return Object.fromEntries(entries.map((entry) => [text(entry, 'name') ?? '', field(entry, 'value')]));
}

/** The step that made a task fail: one with `onError: continue` did not, nor one that was left out after it. */
function failedContainer(object: Resource, message: string): string | undefined {
  const failed = list(object, 'status', 'steps')
    .filter((step) => ![undefined, 0].includes(field(step, 'terminated', 'exitCode') as number | undefined))
    .filter((step) => !['Continued', 'Skipped'].includes(text(step, 'terminationReason') ?? ''))
    .flatMap((step) => text(step, 'container') ?? (text(step, 'name') ? `step-${text(step, 'name')}` : []));
  // An older Tekton tells them apart in its message alone.
  return failed.find((container) => message.includes(`"${container}"`)) ?? failed[0];
}

function phases(object: Resource, pulling: number | undefined): TaskPhases | undefined {
  const steps = list(object, 'status', 'steps');
  const began = Math.min(...steps.flatMap((step) => time(step, 'terminated', 'startedAt') ?? []));
  const ended = Math.max(...steps.flatMap((step) => time(step, 'terminated', 'finishedAt') ?? []));
  const created = time(object, 'metadata', 'creationTimestamp');
  const takenUp = time(object, 'status', 'startTime');
  if (created === undefined || takenUp === undefined || !Number.isFinite(began) || !Number.isFinite(ended))
    return undefined;
  // They are to the second, and of two clocks.
  const from = Math.max(began, takenUp);
  const starting = from - takenUp;
  return {
    queued: Math.max(0, takenUp - created),
    starting,
    pulling: pulling && Math.min(pulling, starting),
    running: Math.max(0, ended - from),
  };
}

function buildArgs(object: Resource): readonly string[] | undefined {
  const param = list(object, 'spec', 'params').find((entry) => text(entry, 'name') === 'BUILD_ARGS');
  const value = field(param, 'value');
  return Array.isArray(value) ? value.map(String) : undefined;
}

function time(object: unknown, ...path: string[]): number | undefined {
  const parsed = Date.parse(text(object, ...path) ?? '');
  return Number.isNaN(parsed) ? undefined : parsed;
}
