import { randomUUID } from 'node:crypto';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '@multi-image/kit/errors';
import { Limiter } from '@multi-image/kit/limiter';
import { removeFolder } from '@multi-image/kit/remove-folder';
import { TEKTON } from '@multi-image/kit/tekton';
import { failureText } from '../errors.ts';
import type { Executor } from '../executors/executor.ts';
import { type PipelineRunOutcome, type RunEvent, type TaskOutcome, withoutSteps } from '../outcome.ts';
import { checkedTask } from '../plan/check-replaced.ts';
import { combinationsOf, isMatrix } from '../plan/combinations.ts';
import type { ParamValue, PipelineTask, PodTemplate, Step, WorkspaceBinding } from '../plan/model.ts';
import { podName, taskRunName } from '../plan/names.ts';
import type { Plan } from '../plan/plan.ts';
import { boundWorkspaces, pathsIn } from '../plan/task-paths.ts';
import {
  bindingsOf,
  type Prepared,
  podOf,
  preparePipeline,
  taskRunPasses,
  withTaskContext,
} from '../plan/task-runs.ts';
import { Deadline } from './deadline.ts';
import { combine, matrixLengths } from './matrix.ts';
import { elsewhereText, findElsewhere, LOOPBACK_ONLY } from './own-registry.ts';
import { runOutcome, taskStatuses } from './run-outcome.ts';
import { SKIPPED, schedule } from './schedule.ts';
import { StatusFile } from './status-file.ts';
import type { StepEnvironment, TaskRun } from './step-run.ts';
import { runTask, shownOf, type TaskRunShown } from './task-run.ts';
import { taskRunLabels, tektonObjects } from './tekton-status.ts';
import { workspaceMounts } from './workspace-mounts.ts';

/** Tekton's own, where neither the task nor the cluster says something else. */
const DEFAULT_TASK_TIMEOUT = 3_600_000;

/** TaskRuns at the same time where nobody says how many: what a cluster spreads over its nodes is all here. */
const DEFAULT_PARALLEL = 32;

export interface RunnerOptions extends StepEnvironment {
  /** The checkout, and the only registry that the run has to do with; any where none is given. */
  root: string;
  registry?: string | undefined;
  /** Where the steps of a Task run. */
  executors: Readonly<Record<'container' | 'host', Executor>>;
  signal?: AbortSignal | undefined;
  statusFile?: string | undefined;
  keep?: boolean | undefined;
  parallel?: number | undefined;
  /** Called as soon as a TaskRun has ended: of a matrix, for each. */
  taskRunEnded?: ((outcome: TaskOutcome, shown: TaskRunShown) => void) | undefined;
}

/** One TaskRun of a task; of a matrix, that of one combination. */
interface TaskRunOf {
  prepared: Prepared;
  given: Readonly<Record<string, ParamValue>>;
  /** Which of the combinations it is, and of how many. */
  index: number;
  count: number;
}

/** The name of a run, of which its file may have only the beginning. */
export function runName({ run }: Plan, id: string): string {
  // As an API server makes room for what it puts after the name.
  return run.generated ? `${run.name.slice(0, 58)}${id.slice(0, 5)}` : run.name;
}

/** One PipelineRun on its way. */
export class Run {
  readonly #plan: Plan;
  readonly #options: RunnerOptions;
  readonly #folder: string;
  readonly #run: { readonly name: string; readonly startedAt: number };
  readonly #prepared: ReadonlyMap<string, Prepared>;
  readonly #bindings: ReadonlyMap<string, WorkspaceBinding>;
  readonly #emit: (event: RunEvent) => void;
  readonly #outcomes = new Map<string, TaskOutcome>();
  readonly #running = new Map<string, TaskOutcome>();
  readonly #id: string;
  readonly #status: StatusFile | undefined;
  readonly #removals: Promise<unknown>[] = [];
  readonly #shown = new WeakMap<TaskOutcome, TaskRunShown>();
  readonly #parallel: number;
  readonly #limiter: Limiter;

  constructor(plan: Plan, options: RunnerOptions, folder: string, id: string, emit: (event: RunEvent) => void) {
    this.#plan = plan;
    this.#options = options;
    this.#folder = folder;
    this.#emit = emit;
    this.#id = id;
    this.#parallel = options.parallel ?? DEFAULT_PARALLEL;
    this.#limiter = new Limiter(this.#parallel);
    this.#status = options.statusFile === undefined ? undefined : new StatusFile(options.statusFile, id);
    const name = runName(plan, id);
    const context = { name, namespace: plan.run.namespace, uid: id };
    this.#prepared = preparePipeline(plan, context);
    this.#bindings = bindingsOf(plan, context);
    this.#run = { name, startedAt: Date.now() };
  }

  /** `known` are outcomes of tasks that are not run. */
  async execute(known: ReadonlyMap<string, TaskOutcome>): Promise<PipelineRunOutcome> {
    for (const [name, outcome] of known) this.#outcomes.set(name, outcome);
    const { pipeline, run } = this.#plan;
    const { timeouts } = run;
    const whole = new Deadline(timeouts.pipeline, SKIPPED.timeout, 'PipelineRunTimeout', this.#options.signal);
    const without = (part: number | undefined): number => (part && timeouts.pipeline ? timeouts.pipeline - part : 0);
    const tasks = new Deadline(
      timeouts.tasks ?? without(timeouts.finally),
      SKIPPED.tasksTimeout,
      'TaskRunTimeout',
      whole.signal,
    );
    const last = new Deadline(0, SKIPPED.finallyTimeout, 'TaskRunTimeout', whole.signal);
    try {
      await this.#schedule(pipeline.tasks, tasks, {});
      last.start(timeouts.finally ?? without(timeouts.tasks));
      await this.#schedule(pipeline.finally, last, taskStatuses(this.#plan, this.#outcomes));
    } finally {
      for (const deadline of [whole, tasks, last]) deadline.end();
    }
    const stop: unknown = whole.signal.aborted ? whole.signal.reason : undefined;
    const outcome = runOutcome(this.#plan, this.#outcomes, { ...this.#run, stop });
    this.#writeStatus(outcome);
    return outcome;
  }

  #schedule(tasks: readonly PipelineTask[], deadline: Deadline, values: Record<string, string>): Promise<void> {
    return schedule({
      plan: this.#plan,
      tasks: tasks.filter((task) => !this.#outcomes.has(task.name)),
      outcomes: this.#outcomes,
      prepared: this.#prepared,
      statuses: values,
      parallel: this.#parallel,
      signal: deadline.signal,
      run: (prepared) => this.#runTask(prepared, deadline.signal),
      ended: (outcome) => this.#ended(outcome),
    });
  }

  #ended({ name, status, reason, message }: TaskOutcome): void {
    this.#running.delete(name);
    this.#emit({ type: 'task-finished', task: name, status, reason, message });
    this.#writeStatus();
  }

  #writeStatus(outcome?: PipelineRunOutcome): void {
    this.#status?.update(() => {
      const known = new Map([...this.#running, ...this.#outcomes]);
      const now = outcome ?? runOutcome(this.#plan, known, { ...this.#run, stop: undefined });
      return tektonObjects(this.#plan, now, outcome !== undefined);
    });
  }

  /** Waits for what is still being removed. */
  async settle(): Promise<void> {
    await Promise.all(this.#removals);
  }

  /** Brings the status file up to date; to be called last, when there may be space again on a disk that was full. */
  finishStatus(): void {
    const failure = this.#status?.flush();
    if (failure === undefined) return;
    this.#emit({ type: 'note', message: `the status could not be written: ${reasonOf(failure)}` });
  }

  async #runTask(known: Prepared, signal: AbortSignal): Promise<TaskOutcome> {
    const prepared = withTaskContext(known, matrixLengths(known.task, this.#prepared, this.#outcomes));
    const { task } = prepared;
    this.#running.set(task.name, { ...withoutSteps(task.name, 'Succeeded', 'Running'), startedAt: Date.now() });
    this.#emit({ type: 'task-started', task: task.name });
    this.#writeStatus();
    const skipped = this.#plan.implementations.get(task.name)?.skipped;
    if (skipped !== undefined) {
      const now = Date.now();
      const outcome = withoutSteps(task.name, 'Succeeded', 'Given', 'it was not run: its results were given');
      return { ...outcome, results: { ...skipped.results }, startedAt: now, finishedAt: now };
    }
    const run = (of: TaskRunOf): Promise<TaskOutcome> => this.#limiter.run(() => this.#taskRun(of, signal));
    if (!isMatrix(task)) return await run({ prepared, given: {}, index: 0, count: 1 });
    const combinations = combinationsOf(task);
    const runs = combinations.map((given, index) => run({ prepared, given, index, count: combinations.length }));
    return combine(task.name, await Promise.all(runs));
  }

  /** One TaskRun with all its attempts. */
  async #taskRun(of: TaskRunOf, signal: AbortSignal): Promise<TaskOutcome> {
    const { task } = of.prepared;
    const tooLong = `TaskRun "${task.name}" failed to finish within its timeout`;
    for (let attempt = 0; ; attempt++) {
      const folder = join(this.#folder, of.count === 1 ? task.name : `${task.name}-${of.index}`, String(attempt));
      const said = podOf(this.#plan.run, task.name).task?.timeout ?? task.timeout;
      const deadline = new Deadline(said ?? DEFAULT_TASK_TIMEOUT, tooLong, 'TaskRunTimeout', signal);
      try {
        // Not even a task that could not be prepared ends the run without an outcome.
        const outcome = await this.#attempt(of, attempt, folder, deadline.signal).catch((error) =>
          withoutSteps(task.name, 'Failed', 'Failed', failureText(error)),
        );
        this.#discard(folder);
        if (outcome.status !== 'Failed' || attempt >= task.retries || signal.aborted) {
          this.#options.taskRunEnded?.(outcome, this.#shown.get(outcome) ?? { steps: [], sidecars: [] });
          return outcome;
        }
        this.#emit({ type: 'note', message: `task ${task.name} failed (${outcome.message}): attempt ${attempt + 2}` });
      } finally {
        deadline.end();
      }
    }
  }

  /** Nobody reads in a TaskRun's folder once it has ended; removed beside the next task, that costs no time. */
  #discard(folder: string): void {
    if (this.#options.keep === true) return;
    // What can't be removed now is removed with the run's folder, which also says so if that fails.
    this.#removals.push(rmdir(folder).catch(() => removeFolder(folder).catch(() => undefined)));
  }

  async #attempt(of: TaskRunOf, attempt: number, folder: string, signal: AbortSignal): Promise<TaskOutcome> {
    const { task, spec } = of.prepared;
    const implementation = this.#plan.implementations.get(task.name);
    if (implementation === undefined) throw new Error(`${task.name} was not resolved`);
    const params: Record<string, ParamValue> = {
      ...Object.fromEntries(task.params.map(({ name, value }) => [name, value])),
      ...of.given,
    };
    const { executor = 'container', env = {} } = implementation.given ?? {};
    const { isTaskRun } = this.#plan.run;
    const name = isTaskRun ? this.#run.name : taskRunName(this.#run.name, task.name, of.index, of.count);
    const context = {
      name,
      namespace: this.#plan.run.namespace,
      uid: this.#id,
      task: of.prepared.embedded ? name : spec.name,
      retry: attempt,
    };
    const made = taskRunPasses(spec, params, context);
    const { task: whole, passes } = made;
    const pod = podOf(this.#plan.run, task.name);
    const workspaces = boundWorkspaces(of.prepared, this.#bindings, this.#id);
    const checked = checkedTask(made, params, workspaces, { volumes: pod.volumes });
    if (checked.problem !== undefined) {
      return withoutSteps(task.name, 'Failed', 'PodCreationFailed', checked.problem);
    }
    const { task: replaced } = checked;
    // There, what the Task itself says is looked at before it says what it was given.
    const onHost = whole.steps.map((step, index) => ({
      ...step,
      onError: replaced.steps[index]?.onError ?? step.onError,
    }));
    const { registry, root } = this.#options;
    const elsewhere = registry === undefined ? undefined : findElsewhere(params, registry, root);
    if (registry !== undefined && elsewhere !== undefined) {
      return withoutSteps(task.name, 'Failed', 'Failed', elsewhereText(elsewhere, registry));
    }
    const ready = executor === 'host' ? { ...whole, steps: onHost } : replaced;
    const run: TaskRun = {
      ...this.#options,
      name: task.name,
      task: {
        ...ready,
        steps: ready.steps.map((step) => inPod(step, pod)),
        sidecars: ready.sidecars.map((sidecar) => ({ ...sidecar, ...inPod(sidecar, { ...pod, task: undefined }) })),
        volumes: [...ready.volumes, ...pod.volumes],
      },
      passes: executor === 'host' ? passes : [],
      folder,
      log: (step, line) => this.#emit({ type: 'log', task: task.name, step, line }),
      note: (message) => this.#emit({ type: 'note', message: `${task.name}: ${message}` }),
      signal,
      params,
      executor: this.#options.executors[executor],
      env: {
        ...(executor === 'host' ? {} : pod.env),
        ...env,
        ...(registry === undefined || executor === 'host' ? {} : LOOPBACK_ONLY),
      },
      // What other steps could fill is no place for a process of this machine.
      workspaces:
        executor === 'host'
          ? []
          : workspaceMounts(
              { ...of.prepared, spec: { ...spec, workspaces: replaced.workspaces } },
              this.#bindings,
              { run: this.#folder, task: folder },
              this.#options.objects,
            ),
      values: executor === 'host' ? pathsIn(whole, []) : {},
      pod: {
        'metadata.name': podName(name, attempt),
        'metadata.namespace': this.#plan.run.namespace,
        'metadata.uid': randomUUID(),
        ...namedBy('labels', {
          ...taskRunLabels(this.#plan, this.#run.name, task.name),
          ...pod.task?.labels,
          [TEKTON.taskRun]: name,
        }),
        ...namedBy('annotations', { ...this.#plan.run.annotations, ...pod.task?.annotations }),
      },
    };
    const outcome = await runTask(run);
    // Nobody else looks at it, and it takes putting every step together again.
    if (this.#options.taskRunEnded !== undefined) this.#shown.set(outcome, shownOf(run));
    return outcome;
  }
}

function namedBy(kind: 'labels' | 'annotations', values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`metadata.${kind}['${key}']`, value]));
}

/** A step that names no user runs as its Pod's; what the run says of its limits goes before its own. */
function inPod(step: Step, { runAsUser, runAsGroup, task }: PodTemplate): Step {
  const { security } = step;
  return {
    ...step,
    limits: task?.limits ?? { ...step.limits, ...task?.stepLimits.get(step.name) },
    security: {
      ...security,
      runAsUser: security.runAsUser ?? runAsUser,
      runAsGroup: security.runAsGroup ?? runAsGroup,
    },
  };
}
