import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '@multi-image/kit/errors';
import { failureText } from '../errors.ts';
import { type StepOutcome, Stopped, type TaskOutcome } from '../outcome.ts';
import type { ParamValue, ResultSpec, Step, Task } from '../plan/model.ts';
import { type Scope, substituteResults, substituteString } from '../plan/replace/substitute.ts';
import { typeOf } from '../plan/values.ts';
import { makeOpenFolder, readStepFile } from './confined-path.ts';
import { besideSidecars } from './sidecars.ts';
import { runStep, type StepShown, shown, sidecarCommand, type TaskRun } from './step-run.ts';

/** Bytes that all results of a TaskRun may have together: Tekton passes them in a container's termination message. */
const RESULTS_LIMIT = 4096;

/** Runs a Task's steps one after the other. Never rejects: the outcome says what happened. */
export async function runTask(run: TaskRun): Promise<TaskOutcome> {
  const { name, task, params, signal } = run;
  const outcome: TaskOutcome = {
    name,
    params,
    status: 'Succeeded',
    reason: 'Succeeded',
    results: {},
    startedAt: Date.now(),
    steps: [],
  };
  const stepResults = new Map<string, string>();
  const scope: Scope = { values: run.values, results: stepResults };
  const written = new Set<string>();
  try {
    const sidecars = task.sidecars.map((sidecar) => ({ sidecar, command: sidecarCommand(run, sidecar, scope) }));
    await besideSidecars(sidecars, run.executor, signal, (networkOf) =>
      runSteps({ ...run, networkOf }, scope, stepResults, written, outcome),
    );
    await readResults(run, scope, written, outcome);
  } catch (error) {
    if (signal.aborted) {
      const stop = signal.reason instanceof Stopped ? signal.reason : undefined;
      outcome.status = stop?.status ?? 'Cancelled';
      outcome.reason = stop?.reason ?? 'TaskRunCancelled';
      outcome.message = stop?.message ?? 'the run was cancelled';
    } else {
      fail(outcome, 'Failed', failureText(error));
    }
  }
  outcome.finishedAt = Date.now();
  return outcome;
}

/** What the TaskRun's status shows of its steps and sidecars. */
export function shownOf(run: TaskRun): TaskRunShown {
  const scope: Scope = { values: run.values };
  return { steps: shown(run, run.task.steps, scope), sidecars: shown(run, run.task.sidecars, scope) };
}

/** What ran in a TaskRun. */
export interface TaskRunShown {
  readonly steps: readonly StepShown[];
  readonly sidecars: readonly StepShown[];
}

async function runSteps(
  run: TaskRun,
  scope: Scope,
  stepResults: Map<string, string>,
  written: Set<string>,
  outcome: TaskOutcome,
): Promise<void> {
  for (const [index, step] of run.task.steps.entries()) {
    const ended: StepOutcome = { name: step.name, logTail: [], startedAt: Date.now() };
    outcome.steps.push(ended);
    if (!isWanted(step, scope, run.passes)) {
      // As in Tekton it has ended well, without results.
      Object.assign(ended, { exitCode: 0, skipped: true, finishedAt: Date.now() });
      continue;
    }
    linkStep(run.folder, step.name, index);
    await runStep(run, step, scope, ended);
    noteWritten(run, written);
    if (ended.exitCode !== 0 && step.onError !== 'continue') {
      fail(outcome, 'Failed', `"step-${step.name}" exited with code ${ended.exitCode}`);
      break;
    }
    const own = join(run.folder, 'steps', `step-${step.name}`, 'results');
    for (const result of step.results) {
      const text = await readStepFile(join(own, result.name), RESULTS_LIMIT);
      if (text !== undefined) stepResults.set(`steps.${step.name}.results.${result.name}`, text);
    }
  }
}

/** Each step hands on what it wrote, by name; that is the order in which a cluster shows the results. */
function noteWritten({ task, folder }: TaskRun, written: Set<string>): void {
  const names = task.results.filter(({ value }) => value === undefined).map(({ name }) => name);
  for (const name of names.sort()) if (existsSync(join(folder, 'results', name))) written.add(name);
}

/** As in a cluster, `/tekton/steps/0` is the first step's. No step can write there. */
function linkStep(folder: string, name: string, index: number): void {
  symlinkSync(`step-${name}`, join(makeOpenFolder(join(folder, 'steps')), String(index)));
}

/** Whether a step's conditions are true, of params and of results of the steps before it. */
function isWanted({ when }: Step, scope: Scope, passes: TaskRun['passes']): boolean {
  const known = (from: string): string =>
    substituteString(
      passes.reduce((before, pass) => pass.text(before), from),
      scope,
    );
  const texts = (from: readonly string[]): string[] => substituteResults(from.map(known), scope);
  return when.every(({ input, operator, values }) => {
    return texts(values).includes(texts([input]).join(' ')) === (operator === 'in');
  });
}

/** Notes a failure; the first one counts. */
function fail(outcome: TaskOutcome, reason: string, message: string): void {
  if (outcome.status === 'Succeeded') Object.assign(outcome, { status: 'Failed', reason, message });
}

/**
 * Reads a Task's results from the files that its steps wrote; a result that was not written is left out, and so is one of
 * another type than the Task says, for which it fails.
 */
async function readResults(
  { task, folder }: TaskRun,
  scope: Scope,
  written: ReadonlySet<string>,
  outcome: TaskOutcome,
): Promise<void> {
  let size = 0;
  const mistyped: string[] = [];
  const order = [...written];
  const place = ({ name }: ResultSpec): number => (written.has(name) ? order.indexOf(name) : order.length);
  for (const spec of task.results.toSorted((a, b) => place(a) - place(b))) {
    try {
      const text = await readText(spec, join(folder, 'results'), scope);
      if (text === undefined) continue;
      size += Buffer.byteLength(text);
      const value = spec.type === 'string' ? text : resultValue(text);
      if (typeOf(value) === spec.type) outcome.results[spec.name] = value;
      else mistyped.push(mistypedText(spec, value));
    } catch (error) {
      return fail(outcome, 'TaskRunResultInvalid', `result ${spec.name}: ${reasonOf(error)}`);
    }
  }
  if (size > RESULTS_LIMIT) {
    outcome.results = {};
    const message = `the results have ${size} bytes together; the limit is ${RESULTS_LIMIT}`;
    return fail(outcome, 'TaskRunResultLargerThanAllowedLimit', message);
  }
  const message =
    mistyped.length > 0 ? `${MISTYPED}: ${mistyped.sort().join(',')}` : missingKeys(task, outcome.results);
  // For Tekton this is the reason, whatever its steps did.
  if (message !== undefined) Object.assign(outcome, { status: 'Failed', reason: 'TaskRunValidationFailed', message });
}

const MISTYPED = "Provided results don't match declared results; may be invalid JSON or missing result declaration";

function mistypedText({ name, type }: ResultSpec, value: ParamValue): string {
  const found = typeOf(value);
  return ` "${name}": task result is expected to be "${type}" type but was initialized to a different type "${found}"`;
}

/** What Tekton says of objects that lack keys which the Task declares. */
function missingKeys({ results }: Task, values: Readonly<Record<string, ParamValue>>): string | undefined {
  const missing = results.flatMap(({ name, field }) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (typeof value !== 'object' || Array.isArray(value)) return [];
    const keys = field
      .get('properties')
      .members()
      .map(([key]) => key);
    const lacked = keys.filter((key) => !Object.hasOwn(value, key)).sort();
    return lacked.length === 0 ? [] : [`${name}:[${lacked.join(' ')}]`];
  });
  if (missing.length === 0) return undefined;
  const shown = [...new Set(missing)].sort().join(' ');
  return `missing keys for these results which are required in TaskResult's properties map[${shown}]`;
}

async function readText(spec: ResultSpec, folder: string, scope: Scope): Promise<string | undefined> {
  if (spec.value === undefined) return await readStepFile(join(folder, spec.name), RESULTS_LIMIT);
  // Undefined where the step that has this result did not write it.
  return scope.results?.get(spec.value.replace(/^\$\((.*)\)$/, '$1'));
}

/** What a result's text says, where its Task declares an array or an object: as Go reads it, for which `null` is a text. */
function resultValue(text: string): ParamValue {
  if (!/^[[{]/.test(text)) return text;
  let value: unknown;
  try {
    value = JSON.parse(text, (_key, item: unknown) => item ?? '');
  } catch {
    return text;
  }
  return Object.values(value as object).every((item) => typeof item === 'string') ? (value as ParamValue) : text;
}
