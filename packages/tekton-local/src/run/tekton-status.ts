import type { PipelineRunOutcome, StepOutcome, TaskOutcome } from '../outcome.ts';
import type { ParamValue, PipelineTask, TaskImplementation } from '../plan/model.ts';
import type { Plan } from '../plan/plan.ts';

type Json = Record<string, unknown>;

/**
 * The run as a cluster would show it: a `v1` List of the PipelineRun and its TaskRuns, each with `status` as Tekton
 * writes it, so that tools that read those can read this. May be called during the run: what has not ended is
 * `Unknown`.
 */
export function tektonObjects(plan: Plan, outcome: PipelineRunOutcome, ended: boolean): object {
  const ran = outcome.tasks.filter((task) => task.status !== 'Skipped').flatMap(taskRunsOf);
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [pipelineRun(plan, outcome, ran, ended), ...ran.map((item) => taskRun(plan, outcome, item))],
  };
}

interface TaskRun {
  task: TaskOutcome;
  /** The number of a combination of a matrix. */
  suffix: string;
}

function taskRunsOf(task: TaskOutcome): TaskRun[] {
  if (task.runs === undefined) return [{ task, suffix: '' }];
  return task.runs.map((run, index) => ({ task: run, suffix: `-${index}` }));
}

function pipelineRun(plan: Plan, outcome: PipelineRunOutcome, ran: readonly TaskRun[], ended: boolean): Json {
  const { run, pipeline } = plan;
  const skipped = outcome.tasks.filter((task) => task.status === 'Skipped');
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'PipelineRun',
    metadata: {
      name: outcome.name,
      namespace: plan.run.namespace,
      labels: { ...run.labels, ...(pipeline.name === '' ? {} : { 'tekton.dev/pipeline': pipeline.name }) },
      annotations: run.annotations,
    },
    spec: {
      ...(run.pipeline.kind === 'name' ? { pipelineRef: { name: run.pipeline.name } } : {}),
      params: named(plan.params),
    },
    status: {
      startTime: time(outcome.startedAt),
      ...(ended ? { completionTime: time(outcome.finishedAt) } : {}),
      conditions: [condition(ended ? outcome.status : 'Running', outcome)],
      childReferences: ran.map(({ task, suffix }) => ({
        apiVersion: 'tekton.dev/v1',
        kind: 'TaskRun',
        name: `${outcome.name}-${task.name}${suffix}`,
        pipelineTaskName: task.name,
      })),
      ...(skipped.length === 0 ? {} : { skippedTasks: skipped.map(({ name, reason }) => ({ name, reason })) }),
      ...(Object.keys(outcome.results).length === 0 ? {} : { results: named(outcome.results) }),
    },
  };
}

function taskRun(plan: Plan, run: PipelineRunOutcome, { task, suffix }: TaskRun): Json {
  const pipelineTask = [...plan.pipeline.tasks, ...plan.pipeline.finally].find(({ name }) => name === task.name);
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: {
      name: `${run.name}-${task.name}${suffix}`,
      namespace: plan.run.namespace,
      labels: {
        ...plan.run.labels,
        'tekton.dev/pipelineRun': run.name,
        'tekton.dev/pipelineTask': task.name,
        'tekton.dev/memberOf':
          pipelineTask !== undefined && plan.pipeline.finally.includes(pipelineTask) ? 'finally' : 'tasks',
      },
    },
    spec: { ...reference(pipelineTask), params: named(task.params ?? {}) },
    status: {
      ...(task.startedAt === undefined ? {} : { startTime: time(task.startedAt) }),
      ...(task.finishedAt === undefined ? {} : { completionTime: time(task.finishedAt) }),
      conditions: [
        condition(task.finishedAt === undefined && task.startedAt !== undefined ? 'Running' : task.status, task),
      ],
      steps: task.steps.map(step),
      ...taskSpec(plan.implementations.get(task.name)),
      ...(Object.keys(task.results).length === 0 ? {} : { results: named(task.results) }),
    },
  };
}

/** As Tekton shows what it ran. */
function taskSpec(implementation: TaskImplementation | undefined): Json {
  if (implementation === undefined) return {};
  const steps = implementation.task.steps.map(({ name, image, computeResources }) => ({
    name,
    image,
    ...(computeResources === undefined ? {} : { computeResources }),
  }));
  return { taskSpec: { steps } };
}

function reference(task: PipelineTask | undefined): Json {
  if (task?.reference.kind === 'name') return { taskRef: { name: task.reference.name, kind: 'Task' } };
  if (task?.reference.kind !== 'bundle') return {};
  const { name, bundle } = task.reference;
  return { taskRef: { resolver: 'bundles', params: named({ name, bundle, kind: 'task' }) } };
}

function step(outcome: StepOutcome): Json {
  const { exitCode } = outcome;
  return {
    name: outcome.name,
    container: `step-${outcome.name}`,
    ...(exitCode === undefined
      ? {}
      : {
          terminated: {
            exitCode,
            reason: exitCode === 0 ? 'Completed' : 'Error',
            ...(outcome.startedAt === undefined ? {} : { startedAt: time(outcome.startedAt) }),
            ...(outcome.finishedAt === undefined ? {} : { finishedAt: time(outcome.finishedAt) }),
          },
        }),
  };
}

function condition(
  status: TaskOutcome['status'] | 'Running',
  { reason, message, finishedAt }: { reason?: string; message?: string; finishedAt?: number },
): Json {
  if (status === 'Running') return { type: 'Succeeded', status: 'Unknown', reason: 'Running' };
  return {
    type: 'Succeeded',
    status: status === 'Succeeded' ? 'True' : 'False',
    reason: reason ?? status,
    ...(message === undefined ? {} : { message }),
    ...(finishedAt === undefined ? {} : { lastTransitionTime: time(finishedAt) }),
  };
}

function named(values: Readonly<Record<string, ParamValue>>): { name: string; value: ParamValue }[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

/** RFC 3339 to the second, as Kubernetes writes times. */
export function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
