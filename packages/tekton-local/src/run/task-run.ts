import { join } from 'node:path';
import { failureText } from '../errors.ts';
import type { Executor, Mount } from '../executors/executor.ts';
import { type StepOutcome, Stopped, type TaskOutcome } from '../outcome.ts';
import type { ParamValue, Task } from '../plan/model.ts';
import { UnresolvedReference } from '../plan/substitute.ts';
import { readStepFile } from './confined-path.ts';
import { RESULTS_LIMIT, readResults } from './results.ts';
import { runStep, type StepEnvironment } from './step-run.ts';

/** A task that is ready to run: its params are known. */
export interface TaskRunOptions {
  name: string;
  taskRunName: string;
  params: Record<string, ParamValue>;
  /** The TaskRun's own folder on this machine; does not exist yet. */
  folder: string;
  workspaces: readonly WorkspaceMount[];
  /** Dotted values that the Task may refer to, besides its own. */
  values: Readonly<Record<string, string>>;
  executor: Executor;
  /** More variables for its steps. */
  env: Readonly<Record<string, string>>;
  log(step: string, line: string): void;
  note(message: string): void;
  signal: AbortSignal;
}

/** A workspace of a task that is bound. */
export type WorkspaceMount = Mount & { name: string };

/** Runs a Task's steps one after the other. Never rejects: the outcome says what happened. */
export async function runTask(environment: StepEnvironment, task: Task, options: TaskRunOptions): Promise<TaskOutcome> {
  const { folder, signal, workspaces, params, executor, env } = options;
  const outcome = started(options);
  const values: Record<string, string> = { ...options.values, ...pathsOf(task, workspaces) };
  try {
    for (const step of task.steps) {
      const ended: StepOutcome = { name: step.name, logTail: [], startedAt: Date.now() };
      outcome.steps.push(ended);
      await runStep(environment, {
        task,
        taskName: options.name,
        step,
        executor,
        env,
        outcome: ended,
        scope: { params, values },
        folder,
        workspaces,
        log: (line) => options.log(step.name, line),
        note: options.note,
        signal,
      });
      if (ended.exitCode !== 0 && step.onError !== 'continue') {
        fail(outcome, 'Failed', `"step-${step.name}" exited with code ${ended.exitCode}`);
        break;
      }
      const own = join(folder, 'steps', `step-${step.name}`, 'results');
      for (const { name } of step.results) {
        const text = await readStepFile(join(own, name), RESULTS_LIMIT);
        if (text !== undefined) values[`steps.${step.name}.results.${name}`] = text;
      }
    }
    const read = await readResults(task, join(folder, 'results'), { params, values });
    outcome.results = read.results;
    if (read.problem !== undefined && outcome.status === 'Succeeded') {
      fail(outcome, read.problem.reason, read.problem.message);
    }
  } catch (error) {
    noteError(outcome, error, signal);
  }
  outcome.finishedAt = Date.now();
  return outcome;
}

function started({ name, params }: TaskRunOptions): TaskOutcome {
  return { name, params, status: 'Succeeded', reason: 'Succeeded', results: {}, startedAt: Date.now(), steps: [] };
}

function noteError(outcome: TaskOutcome, error: unknown, signal: AbortSignal): void {
  if (signal.aborted) {
    const stop = signal.reason instanceof Stopped ? signal.reason : undefined;
    outcome.status = stop?.status ?? 'Cancelled';
    outcome.reason = stop?.reason ?? 'TaskRunCancelled';
    outcome.message = stop?.message ?? 'the run was cancelled';
  } else if (error instanceof UnresolvedReference) {
    fail(outcome, 'TaskRunValidationFailed', error.message);
  } else {
    fail(outcome, 'Failed', failureText(error));
  }
}

function fail(outcome: TaskOutcome, reason: string, message: string): void {
  outcome.status = 'Failed';
  outcome.reason = reason;
  outcome.message = message;
}

/** `results.r.path`, `workspaces.w.path` and the like. */
function pathsOf(task: Task, workspaces: readonly WorkspaceMount[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const { name } of task.results) values[`results.${name}.path`] = `/tekton/results/${name}`;
  for (const { name } of task.steps) values[`steps.${name}.exitCode.path`] = `/tekton/steps/step-${name}/exitCode`;
  for (const { name } of task.workspaces) {
    const mount = workspaces.find((candidate) => candidate.name === name);
    values[`workspaces.${name}.bound`] = String(mount !== undefined);
    values[`workspaces.${name}.path`] = mount?.containerPath ?? '';
    values[`workspaces.${name}.claim`] = '';
    values[`workspaces.${name}.volume`] = mount === undefined ? '' : `ws-${name}`;
  }
  return values;
}
