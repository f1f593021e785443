import { join } from 'node:path';
import { type StepOutcome, Stopped, type TaskOutcome } from '../outcome.ts';
import type { Task } from '../plan/model.ts';
import { UnresolvedReference } from '../plan/substitute.ts';
import type { ParamValue, StandIn } from '../stand-in.ts';
import { makeOpenFolder, readStepFile } from './confined-path.ts';
import { RESULTS_LIMIT, readResults } from './results.ts';
import type { Mount } from './step-container.ts';
import { runStep, type StepEnvironment } from './step-run.ts';

/** A task that is ready to run: its params are known. */
export interface TaskRunOptions {
  name: string;
  taskRunName: string;
  params: Record<string, ParamValue>;
  /** The TaskRun's own folder on this machine; does not exist yet. */
  folder: string;
  log(step: string, line: string): void;
  note(message: string): void;
  signal: AbortSignal;
}

/** A workspace of a task that is bound. */
export type WorkspaceMount = Mount & { name: string };

/** Runs a Task's steps one after the other. Never rejects: the outcome says what happened. */
export async function runTask(
  environment: StepEnvironment,
  task: Task,
  options: TaskRunOptions & { workspaces: readonly WorkspaceMount[]; values: Readonly<Record<string, string>> },
): Promise<TaskOutcome> {
  const { folder, signal, workspaces, params } = options;
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
        outcome: ended,
        scope: { params, values },
        folder,
        workspaces,
        log: (line) => options.log(step.name, line),
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

/** Runs a catalog task's stand-in; in the outcome it looks like a Task of one step. Never rejects. */
export async function runStandIn(
  environment: { images: Readonly<Record<string, string>>; sourceUrl?: string },
  standIn: StandIn,
  options: TaskRunOptions,
): Promise<TaskOutcome> {
  const step: StepOutcome = { name: 'stand-in', logTail: [], startedAt: Date.now() };
  const outcome = started(options);
  outcome.steps.push(step);
  const log = (line: string): void => {
    step.logTail.push(line);
    if (step.logTail.length > 50) step.logTail.shift();
    options.log(step.name, line);
  };
  try {
    outcome.results = await standIn.run({
      params: options.params,
      taskRunName: options.taskRunName,
      workDir: makeOpenFolder(options.folder),
      images: environment.images,
      ...(environment.sourceUrl === undefined ? {} : { sourceUrl: environment.sourceUrl }),
      log,
      note(message) {
        log(message);
        options.note(`${options.name}: ${message}`);
      },
      signal: options.signal,
    });
    step.exitCode = 0;
  } catch (error) {
    noteError(outcome, error, options.signal);
    if (outcome.status === 'Failed' && !options.signal.aborted) {
      step.exitCode = 1;
      log(outcome.message ?? '');
    }
  }
  outcome.finishedAt = step.finishedAt = Date.now();
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
    fail(outcome, 'Failed', error instanceof Error ? error.message : String(error));
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
