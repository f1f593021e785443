import { TEKTON } from '@multi-image/kit/tekton';
import { type PipelineRunOutcome, SKIPPED_FOR, type StepOutcome, type TaskOutcome, taskRunsOf } from '../outcome.ts';
import type { ParamValue, PipelineTask } from '../plan/model.ts';
import type { Plan } from '../plan/plan.ts';
import { type Field, isMap } from '../plan/yaml/field.ts';

/**
 * The run as a cluster would show it: a `v1` List of the PipelineRun and its TaskRuns, each with `status` as Tekton
 * writes it, so that tools that read those can read this once it is JSON. May be called during the run: what has not
 * ended is `Unknown`.
 */
export function tektonObjects(plan: Plan, outcome: PipelineRunOutcome, ended: boolean): object {
  const ran = outcome.tasks
    .filter((task) => task.status !== 'Skipped')
    .flatMap((task) =>
      taskRunsOf(task).map((run, index) => ({
        name: `${outcome.name}-${task.name}${task.runs === undefined ? '' : `-${index}`}`,
        task: run,
      })),
    );
  if (plan.run.isTaskRun) {
    const items = outcome.tasks.slice(0, 1).map((task) => taskRun(plan, outcome, outcome.name, task));
    return { apiVersion: 'v1', kind: 'List', items };
  }
  const taskRuns = ran.map(({ name, task }) => taskRun(plan, outcome, name, task));
  return { apiVersion: 'v1', kind: 'List', items: [pipelineRun(plan, outcome, ran, ended), ...taskRuns] };
}

function pipelineRun(
  plan: Plan,
  outcome: PipelineRunOutcome,
  ran: readonly { name: string; task: TaskOutcome }[],
  ended: boolean,
): object {
  const { run } = plan;
  const skipped = outcome.tasks.filter((task) => task.status === 'Skipped');
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'PipelineRun',
    metadata: {
      name: outcome.name,
      namespace: plan.run.namespace,
      labels: runLabels(plan, outcome.name),
      annotations: annotationsOf(run.annotations, skipped),
    },
    spec: {
      pipelineRef: run.pipeline.kind === 'name' ? { name: run.pipeline.name } : undefined,
      params: listOf(plan.params),
    },
    status: {
      startTime: time(outcome.startedAt),
      completionTime: ended ? time(outcome.finishedAt) : undefined,
      conditions: [condition(ended ? outcome.status : 'Running', outcome)],
      childReferences: ran.map(({ name, task }) => ({
        apiVersion: 'tekton.dev/v1',
        kind: 'TaskRun',
        name,
        pipelineTaskName: task.name,
      })),
      skippedTasks: unlessEmpty(skipped.map(({ name, reason }) => ({ name, reason }))),
      results: unlessEmpty(listOf(outcome.results)),
    },
  };
}

/** The labels of a run, which has the name of its Pipeline, or its own where that is inside it. */
function runLabels({ run, pipeline }: Plan, name: string): Record<string, string> {
  return run.isTaskRun ? run.labels : { ...run.labels, [TEKTON.pipeline]: pipeline.name || name };
}

/** The labels that Tekton gives a TaskRun of a run of that name. */
export function taskRunLabels(plan: Plan, name: string, task: string): Record<string, string> {
  if (plan.run.isTaskRun) return plan.run.labels;
  return {
    ...runLabels(plan, name),
    [TEKTON.pipelineRun]: name,
    [TEKTON.pipelineTask]: task,
    [TEKTON.memberOf]: memberOf(plan, task),
  };
}

/** A task of the pipeline by its name. */
export function pipelineTaskOf({ pipeline }: Plan, name: string): PipelineTask | undefined {
  return [...pipeline.tasks, ...pipeline.finally].find((task) => task.name === name);
}

/** Where it is in the pipeline. */
export function memberOf({ pipeline }: Plan, name: string): 'tasks' | 'finally' {
  return pipeline.finally.some((task) => task.name === name) ? 'finally' : 'tasks';
}

function annotationsOf(own: Readonly<Record<string, string>>, skipped: readonly TaskOutcome[]): object {
  const others = skipped.filter(({ reason, message }) => message !== reason);
  if (others.length === 0) return own;
  const why = Object.fromEntries(others.map(({ name, message }) => [name, message]));
  return { ...own, [SKIPPED_FOR]: JSON.stringify(why) };
}

function taskRun(plan: Plan, run: PipelineRunOutcome, name: string, task: TaskOutcome): object {
  const isRunning = task.finishedAt === undefined && task.startedAt !== undefined;
  // As Tekton shows what it ran.
  const steps = plan.implementations
    .get(task.name)
    ?.task.steps.map(({ name, image, computeResources }) => ({ name, image, computeResources }));
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: {
      name,
      namespace: plan.run.namespace,
      labels: taskRunLabels(plan, run.name, task.name),
    },
    spec: { taskRef: taskRefOf(pipelineTaskOf(plan, task.name)), params: listOf(task.params ?? {}) },
    status: {
      startTime: time(task.startedAt),
      completionTime: time(task.finishedAt),
      conditions: [condition(isRunning ? 'Running' : task.status, { message: SUCCEEDED[task.status], ...task })],
      steps: task.steps.map(step),
      taskSpec: steps && { steps },
      results: unlessEmpty(listOf(task.results)),
    },
  };
}

/** What Tekton says of a TaskRun of which there is nothing else to say. */
const SUCCEEDED: Partial<Record<TaskOutcome['status'], string>> = { Succeeded: 'All Steps have completed executing' };

/** What a pipeline task refers to, as Tekton writes it; undefined where it has its Task inside. */
export function taskRefOf(task: PipelineTask | undefined): object | undefined {
  if (task?.reference.kind === 'name') return { name: task.reference.name, kind: 'Task' };
  if (task?.reference.kind === 'remote') return objectOf(task.reference.field);
  if (task?.reference.kind !== 'bundle') return undefined;
  const { name, bundle } = task.reference;
  return { resolver: 'bundles', params: listOf({ name, bundle, kind: 'task' }) };
}

function objectOf({ value }: Field): object | undefined {
  return isMap(value) ? value : undefined;
}

function step({ name, exitCode, skipped, startedAt, finishedAt }: StepOutcome): object {
  const reason = exitCode === 0 ? 'Completed' : 'Error';
  const ended = { exitCode, reason, startedAt: time(startedAt), finishedAt: time(finishedAt) };
  const terminationReason = skipped === true ? 'Skipped' : undefined;
  return {
    name,
    container: `step-${name}`,
    terminated: exitCode === undefined ? undefined : ended,
    terminationReason,
  };
}

function condition(
  status: TaskOutcome['status'] | 'Running',
  { reason, message, finishedAt }: { reason?: string; message?: string; finishedAt?: number },
): object {
  if (status === 'Running') return { type: 'Succeeded', status: 'Unknown', reason: 'Running' };
  return {
    type: 'Succeeded',
    status: status === 'Succeeded' ? 'True' : 'False',
    reason: reason ?? status,
    message,
    lastTransitionTime: time(finishedAt),
  };
}

/** Params or results, as Tekton lists them. */
export function listOf(values: Readonly<Record<string, ParamValue>>): { name: string; value: ParamValue }[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

function unlessEmpty<Item>(list: readonly Item[]): readonly Item[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** RFC 3339 to the second, as Kubernetes writes times. */
export function time(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
