import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readKey, signRun, throwawayKey } from './chains/chains.ts';
import { insideFolder, makeOpenFolder } from './confined-path.ts';
import { type Containers, probeContainers, removeContainers, removeFolder } from './containers.ts';
import { Deadline } from './deadline.ts';
import { AUTH_SECRET, variablesFromGit } from './git-state.ts';
import type { PipelineTask } from './model.ts';
import { type PipelineRunOutcome, type RunEvent, Stopped, type TaskOutcome } from './outcome.ts';
import { makePlan, mergeObject, type Plan } from './plan.ts';
import { resolveRun } from './resolve.ts';
import { isFailure, SKIPPED, schedule } from './schedule.ts';
import type { ParamValue } from './stand-in.ts';
import { standIns, stepStandIns } from './stand-ins/index.ts';
import type { Mount } from './step-container.ts';
import type { StepEnvironment } from './step-run.ts';
import { type Scope, substituteValue, UnresolvedReference } from './substitute.ts';
import { runStandIn, runTask } from './task-run.ts';

export interface RunOptions {
  /** The checkout folder: files are looked up in it, and never outside. */
  root: string;
  /** The PipelineRun's file, relative to `root`. */
  file: string;
  /** `{{ variables }}` of Pipelines as Code; what is not given comes from the git state of `root`. */
  variables?: Readonly<Record<string, string>>;
  /** Instead of the PipelineRun's params. A name that the pipeline does not declare is refused. */
  params?: Readonly<Record<string, ParamValue>>;
  /** Images to use instead of others; they have to be on this machine. */
  images?: Readonly<Record<string, string>>;
  /** Git is fetched from here instead of from the url that the pipeline names. */
  sourceUrl?: string;
  /** Ends the run: the outcome is `Cancelled`, and no container is left. */
  signal?: AbortSignal;
  onEvent?: (event: RunEvent) => void;
  /** Folder for the steps' logs: `<task>/step-<step>.log`. */
  logs?: string;
  /** From `probeContainers`; without it, probed when the first container is needed. */
  containers?: Containers;
  /** Temporary folders are made in here. */
  workDir?: string;
  /** Starts the name of every container. */
  containerPrefix?: string;
  /**
   * Sign like Tekton Chains once the run has succeeded, with this private key (PEM) or one made for this run.
   */
  chains?: { privateKey?: string };
  /** How many tasks run at the same time at most. */
  parallel?: number;
}

/**
 * Runs a PipelineRun on this machine. Whatever cannot run as Tekton would run it is refused with a `TektonLocalError`
 * before anything starts; from then on the outcome says what happened.
 */
export async function runPipeline(options: RunOptions): Promise<PipelineRunOutcome> {
  const { root, file, signal } = options;
  const variables = { git_auth_secret: AUTH_SECRET, ...(await variablesFromGit(root)), ...options.variables };
  const authSecret = variables.git_auth_secret;
  const plan = makePlan(resolveRun({ root, file, variables, authSecret, standIns }), options.params ?? {});
  const emit = options.onEvent ?? (() => {});
  for (const message of plan.notes) emit({ type: 'note', message });
  const key =
    options.chains && (options.chains.privateKey === undefined ? throwawayKey() : readKey(options.chains.privateKey));
  const needsContainers = [...plan.implementations.values()].some(({ kind }) => kind === 'task');
  const containers =
    options.containers ?? (needsContainers ? await probeContainers({ signal }) : { runArguments: [], description: '' });
  const id = randomUUID();
  if (options.workDir !== undefined) await mkdir(options.workDir, { recursive: true });
  const folder = await mkdtemp(join(options.workDir ?? tmpdir(), 'tekton-local-'));
  const containerPrefix = `${options.containerPrefix ?? 'tekton-local'}-${id.slice(0, 8)}`;
  try {
    const outcome = await new Run(plan, { ...options, containers, containerPrefix }, folder, id, emit).execute();
    if (key === undefined || outcome.status !== 'Succeeded') return outcome;
    try {
      return { ...outcome, chains: await signRun(plan, outcome, key, signal) };
    } catch (error) {
      // As in a cluster: the run has succeeded, whatever becomes of its signatures.
      emit({ type: 'note', message: `the run was not signed: ${error instanceof Error ? error.message : error}` });
      return outcome;
    }
  } finally {
    // Neither may hide the other's failure, nor leave anything behind because of it.
    const ends = await Promise.allSettled([needsContainers ? removeContainers(containerPrefix) : undefined]);
    await removeFolder(folder);
    for (const end of ends) if (end.status === 'rejected') emit({ type: 'note', message: String(end.reason) });
  }
}

class Run {
  readonly #plan: Plan;
  readonly #options: RunOptions & StepEnvironment;
  readonly #folder: string;
  readonly #values: Record<string, string>;
  readonly #name: string;
  readonly #emit: (event: RunEvent) => void;
  readonly #outcomes = new Map<string, TaskOutcome>();
  readonly #id: string;

  constructor(
    plan: Plan,
    options: RunOptions & { containers: Containers; containerPrefix: string },
    folder: string,
    id: string,
    emit: (event: RunEvent) => void,
  ) {
    this.#plan = plan;
    this.#options = { ...options, images: options.images ?? {}, stepStandIns };
    this.#folder = folder;
    this.#emit = emit;
    this.#id = id;
    this.#name = `${plan.run.name}-${id.slice(0, 5)}`;
    this.#values = {
      'context.pipelineRun.name': this.#name,
      'context.pipelineRun.namespace': 'tekton-local',
      'context.pipelineRun.uid': id,
      'context.pipeline.name': plan.pipeline.name || this.#name,
    };
    for (const { name } of plan.pipeline.workspaces) {
      this.#values[`workspaces.${name}.bound`] = String(plan.workspaces.has(name));
    }
  }

  async execute(): Promise<PipelineRunOutcome> {
    const startedAt = Date.now();
    const { pipeline, run } = this.#plan;
    const { timeouts } = run;
    const whole = new Deadline(timeouts.pipeline, SKIPPED.timeout, 'PipelineRunTimeout', this.#options.signal);
    const forTasks =
      timeouts.tasks ?? (timeouts.finally && timeouts.pipeline ? timeouts.pipeline - timeouts.finally : 0);
    const tasks = new Deadline(forTasks, SKIPPED.tasksTimeout, 'TaskRunTimeout', whole.signal);
    const last = new Deadline(0, SKIPPED.finallyTimeout, 'TaskRunTimeout', whole.signal);
    try {
      await this.#schedule(pipeline.tasks, tasks, {});
      if (timeouts.finally) last.start(timeouts.finally);
      await this.#schedule(pipeline.finally, last, this.#statuses());
    } finally {
      for (const deadline of [whole, tasks, last]) deadline.end();
    }
    return this.#outcome(startedAt, whole);
  }

  #schedule(tasks: readonly PipelineTask[], deadline: Deadline, values: Record<string, string>): Promise<void> {
    return schedule({
      plan: this.#plan,
      tasks,
      outcomes: this.#outcomes,
      values: { ...this.#values, ...values },
      parallel: this.#options.parallel ?? Number.POSITIVE_INFINITY,
      signal: deadline.signal,
      stopReason: () =>
        deadline.signal.reason instanceof Stopped ? deadline.signal.reason.message : SKIPPED.cancelled,
      run: (task, scope) => this.#runTask(task, scope, deadline.signal),
      ended: ({ name, status, reason, message }) =>
        this.#emit({
          type: 'task-finished',
          task: name,
          status,
          ...(reason === undefined ? {} : { reason }),
          ...(message === undefined ? {} : { message }),
        }),
    });
  }

  async #runTask(task: PipelineTask, scope: Scope, signal: AbortSignal): Promise<TaskOutcome> {
    this.#emit({ type: 'task-started', task: task.name });
    for (let attempt = 0; ; attempt++) {
      const deadline = new Deadline(
        task.timeout ?? 0,
        `TaskRun "${task.name}" failed to finish within its timeout`,
        'TaskRunTimeout',
        signal,
      );
      try {
        // Not even a task that could not be prepared ends the run without an outcome.
        const outcome = await this.#attempt(task, scope, attempt, deadline.signal).catch(
          (error: unknown): TaskOutcome => ({
            name: task.name,
            status: 'Failed',
            reason: 'Failed',
            message: error instanceof Error ? error.message : String(error),
            results: {},
            steps: [],
          }),
        );
        if (outcome.status !== 'Failed' || attempt >= task.retries || signal.aborted) return outcome;
        this.#emit({ type: 'note', message: `task ${task.name} failed (${outcome.message}): attempt ${attempt + 2}` });
      } finally {
        deadline.end();
      }
    }
  }

  async #attempt(task: PipelineTask, scope: Scope, attempt: number, signal: AbortSignal): Promise<TaskOutcome> {
    const implementation = this.#plan.implementations.get(task.name);
    if (implementation === undefined) throw new Error(`${task.name} was not resolved`);
    const folder = join(this.#folder, task.name, String(attempt));
    const taskRunName = `${this.#name}-${task.name}`;
    const log = (step: string, line: string): void => this.#emit({ type: 'log', task: task.name, step, line });
    const base = { name: task.name, taskRunName, folder, log, signal };
    const given = Object.fromEntries(task.params.map(({ name, value }) => [name, substituteValue(value, scope)]));
    if (implementation.kind === 'stand-in') {
      const { standIn } = implementation;
      const defaults = Object.entries(standIn.params).flatMap(([name, spec]): [string, ParamValue][] =>
        spec.default === undefined ? [] : [[name, spec.default]],
      );
      return runStandIn(this.#options, standIn, { ...base, params: { ...Object.fromEntries(defaults), ...given } });
    }
    const params: Record<string, ParamValue> = implementation.embedded ? { ...this.#plan.params } : {};
    for (const spec of implementation.task.params) {
      const value = given[spec.name] ?? params[spec.name] ?? spec.default;
      if (value !== undefined) params[spec.name] = mergeObject(spec, value);
    }
    return runTask(this.#options, implementation.task, {
      ...base,
      params,
      workspaces: this.#workspaces(task, implementation.task.workspaces, folder),
      values: {
        ...(implementation.embedded ? this.#values : {}),
        'context.taskRun.name': taskRunName,
        'context.taskRun.namespace': 'tekton-local',
        'context.taskRun.uid': this.#id,
        'context.task.name': implementation.task.name,
        'context.task.retry-count': String(attempt),
      },
    });
  }

  /** A volume claim is one folder for all tasks; an emptyDir is a new one for each. */
  #workspaces(
    task: PipelineTask,
    declared: readonly { name: string; mountPath?: string; readOnly: boolean }[],
    folder: string,
  ): (Mount & { name: string })[] {
    return declared.flatMap((workspace) => {
      const used = task.workspaces.find((candidate) => candidate.name === workspace.name);
      const binding = used && this.#plan.workspaces.get(used.workspace);
      if (used === undefined || binding === undefined || binding.kind === 'unbound') return [];
      const base =
        binding.kind === 'emptyDir'
          ? join(folder, 'bound', workspace.name)
          : join(this.#folder, 'claims', used.workspace);
      // An earlier task may have left a link where this one's subPath leads.
      const hostPath = insideFolder(makeOpenFolder(base), join(binding.subPath ?? '', used.subPath ?? ''));
      makeOpenFolder(hostPath);
      const containerPath = workspace.mountPath ?? `/workspace/${workspace.name}`;
      return [{ name: workspace.name, hostPath, containerPath, readOnly: workspace.readOnly }];
    });
  }

  /** `$(tasks.status)`, and `$(tasks.<name>.status)` for each. */
  #statuses(): Record<string, string> {
    const { tasks } = this.#plan.pipeline;
    const values: Record<string, string> = {};
    for (const { name } of tasks) {
      const outcome = this.#outcomes.get(name);
      const ran = outcome !== undefined && outcome.status !== 'Skipped';
      values[`tasks.${name}.status`] = !ran ? 'None' : outcome.status === 'Succeeded' ? 'Succeeded' : 'Failed';
      values[`tasks.${name}.reason`] = ran ? (outcome.reason ?? '') : '';
    }
    const all = tasks.map((task) => this.#outcomes.get(task.name)?.status);
    if (this.#failures(tasks).length > 0) values['tasks.status'] = 'Failed';
    else values['tasks.status'] = all.includes('Skipped') ? 'Completed' : 'Succeeded';
    return values;
  }

  #failures(tasks: readonly PipelineTask[]): TaskOutcome[] {
    return tasks.flatMap((task) => {
      const outcome = this.#outcomes.get(task.name);
      return outcome !== undefined && isFailure(task, outcome) ? [outcome] : [];
    });
  }

  #outcome(startedAt: number, whole: Deadline): PipelineRunOutcome {
    const { pipeline } = this.#plan;
    const all = [...pipeline.tasks, ...pipeline.finally];
    const tasks = all.flatMap((task) => this.#outcomes.get(task.name) ?? []);
    const count = (status: TaskOutcome['status']): number => tasks.filter((task) => task.status === status).length;
    const failures = this.#failures(all);
    const done = tasks.length - count('Skipped');
    let message = `Tasks Completed: ${done} (Failed: ${count('Failed')}, Cancelled ${count('Cancelled')}), Skipped: ${count('Skipped')}`;
    let status: PipelineRunOutcome['status'] = failures.length > 0 ? 'Failed' : 'Succeeded';
    let reason = status === 'Failed' ? 'Failed' : count('Skipped') > 0 ? 'Completed' : 'Succeeded';
    if (this.#options.signal?.aborted) [status, reason] = ['Cancelled', 'Cancelled'];
    else if (whole.signal.aborted) [status, reason] = ['Failed', 'PipelineRunTimeout'];
    const results: Record<string, ParamValue> = {};
    const scope: Scope = {
      params: this.#plan.params,
      tasks: new Map(tasks.map((task) => [task.name, task.results])),
      values: { ...this.#values, ...this.#statuses() },
    };
    for (const { name, value } of pipeline.results) {
      try {
        results[name] = substituteValue(value, scope);
      } catch (error) {
        if (!(error instanceof UnresolvedReference)) throw error;
        const outcome = this.#outcomes.get(error.reference.names[1] ?? '');
        if (status !== 'Succeeded' || outcome?.status === 'Skipped') continue;
        [status, reason] = ['Failed', 'CouldntGetPipelineResult'];
        message = `result ${name}: ${error.message}`;
      }
    }
    return { name: this.#name, status, reason, message, results, startedAt, finishedAt: Date.now(), tasks };
  }
}
