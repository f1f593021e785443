import { appendFileSync, chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Executor, Mount, StepCommand } from '../executors/executor.ts';
import { hostPathsIn } from '../executors/host.ts';
import type { StepOutcome } from '../outcome.ts';
import type { Step, Task } from '../plan/model.ts';
import { expandEnvironment, type Scope, substituteList, substituteString } from '../plan/substitute.ts';
import { hostPathOf, insideFolder, makeOpenFolder } from './confined-path.ts';
import { LONGEST } from './deadline.ts';
import { runStepProgram, type StepProgram } from './step-program.ts';

/** What all steps of a run share. */
export interface StepEnvironment {
  images: Readonly<Record<string, string>>;
  /** In place of step images, by the image's repository. */
  programs: Readonly<Record<string, StepProgram>>;
  logs?: string | undefined;
}

export interface StepRunOptions {
  task: Task;
  taskName: string;
  step: Step;
  executor: Executor;
  /** Variables instead of the step's own, or beside them. */
  env: Readonly<Record<string, string>>;
  /** Filled in as the step goes on: whoever stops it still sees what it said. */
  outcome: StepOutcome;
  scope: Scope;
  /** The TaskRun's folder on this machine. */
  folder: string;
  workspaces: readonly Mount[];
  log(line: string): void;
  note(message: string): void;
  signal: AbortSignal;
}

const TAIL = 50;

/** Runs one step. Rejects only when it was stopped, or could not be started. */
export async function runStep(environment: StepEnvironment, options: StepRunOptions): Promise<void> {
  const { step, folder, outcome } = options;
  const write = logWriter(environment, options);
  const log = (line: string): void => {
    outcome.logTail.push(line);
    if (outcome.logTail.length > TAIL) outcome.logTail.shift();
    write(line);
    options.log(line);
  };
  const timeout = new AbortController();
  const timer =
    step.timeout === undefined || step.timeout === 0
      ? undefined
      : setTimeout(() => timeout.abort(new StepTimeout()), Math.min(step.timeout, LONGEST));
  try {
    outcome.exitCode = await execute(environment, {
      ...options,
      log,
      signal: AbortSignal.any([options.signal, timeout.signal]),
    });
  } catch (error) {
    options.signal.throwIfAborted();
    if (!timeout.signal.aborted) throw error;
    log(`the step took longer than its timeout of ${step.timeout} ms`);
    outcome.exitCode = 137;
  } finally {
    clearTimeout(timer);
    outcome.finishedAt = Date.now();
  }
  // No step comes after it that could read it.
  if (outcome.exitCode !== 0 && step.onError !== 'continue') return;
  writeFileSync(join(folder, 'steps', `step-${step.name}`, 'exitCode'), String(outcome.exitCode), { flag: 'wx' });
}

/** Writes the step's log file, if logs are wanted. A full disk costs the rest of the log, not the step. */
function logWriter({ logs }: StepEnvironment, { taskName, step, log }: StepRunOptions): (line: string) => void {
  if (logs === undefined) return () => {};
  const file = join(logs, taskName, `step-${step.name}.log`);
  let failed = false;
  return (line) => {
    if (failed) return;
    try {
      mkdirSync(dirname(file), { recursive: true });
      appendFileSync(file, `${line}\n`);
    } catch (error) {
      failed = true;
      log(`this log is not written any more: ${error instanceof Error ? error.message : error}`);
    }
  };
}

class StepTimeout extends Error {}

async function execute(environment: StepEnvironment, options: StepRunOptions): Promise<number> {
  const { folder, log, signal, executor } = options;
  const results = `/tekton/steps/step-${options.step.name}/results`;
  makeOpenFolder(join(folder, 'steps', `step-${options.step.name}`, 'results'));
  const values = { ...options.scope.values };
  for (const { name } of options.step.results) values[`step.results.${name}.path`] = `${results}/${name}`;
  const mounts = mountsOf(options, { ...options.scope, values });
  const scope: Scope = { ...options.scope, values };
  const image = substituteString(options.step.image, scope);
  const replaced = own(environment.images, image);
  const program =
    replaced === undefined && options.step.script === undefined
      ? own(environment.programs, repositoryOf(image))
      : undefined;
  const onHost = executor.paths === 'host' && program === undefined;
  const step = onHost ? atHostPaths(options.step, values, mounts) : options.step;
  const env = environmentOf(step, scope);
  if (onHost) env.set('TMPDIR', makeOpenFolder(join(folder, 'tmp')));
  for (const [name, value] of Object.entries(options.env)) env.set(name, value);
  if (options.step.workingDir !== undefined) makeWorkingDir(mounts, substituteString(options.step.workingDir, scope));
  const command: StepCommand = {
    name: `${options.taskName}-${step.name}-${Math.random().toString(36).slice(2, 7)}`,
    image: replaced ?? image,
    neverPull: replaced !== undefined,
    args: substituteList(step.args, scope).map((item) => expandEnvironment(item, env)),
    env,
    workingDir: step.workingDir === undefined ? undefined : substituteString(step.workingDir, scope),
    mounts,
    security: step.security,
    log,
    note: options.note,
    signal,
  };
  if (step.script !== undefined) {
    return await executor.run({ ...command, command: [writeScript(options, step.script, scope)] });
  }
  if (program !== undefined) return await runStepProgram(program, command);
  return await executor.run({ ...command, command: commandOf(step, scope, env) });
}

/** The step with paths of this machine in what the Task itself says, and in the values that are paths. */
function atHostPaths(step: Step, values: Record<string, string>, mounts: readonly Mount[]): Step {
  const place = hostPathsIn(mounts);
  for (const [name, value] of Object.entries(values)) if (name.endsWith('.path')) values[name] = place(value);
  return {
    ...step,
    command: step.command?.map(place),
    args: step.args.map(place),
    env: step.env.map((variable) => ({ ...variable, value: place(variable.value) })),
    workingDir: step.workingDir === undefined ? undefined : place(step.workingDir),
  };
}

function commandOf(step: Step, scope: Scope, env: ReadonlyMap<string, string>): string[] | undefined {
  if (step.command === undefined) return undefined;
  return substituteList(step.command, scope).map((item) => expandEnvironment(item, env));
}

/** Where {@link Scope} has the value of a Pod's label: a name that no `$(…)` reaches. */
export const labelValue = (key: string): string => `metadata.labels['${key}']`;

/** The variables in their order: a later one may use an earlier one. */
function environmentOf(step: Step, scope: Scope): Map<string, string> {
  const env = new Map<string, string>();
  for (const { name, value, label } of step.env) {
    const text = label === undefined ? expandEnvironment(substituteString(value, scope), env) : undefined;
    env.set(name, text ?? scope.values[labelValue(label ?? '')] ?? '');
  }
  return env;
}

function mountsOf({ task, step, folder, workspaces }: StepRunOptions, scope: Scope): Mount[] {
  const own = step.volumeMounts.map((mount): Mount => {
    const containerPath = substituteString(mount.mountPath, scope).replace(/(?<=.)\/+$/, '');
    if (!isMountable(containerPath)) throw new Error(`${JSON.stringify(containerPath)} cannot be a mount path`);
    const volume = task.volumes.find((candidate) => candidate.name === mount.name);
    const base = makeOpenFolder(join(folder, 'volumes', mount.name));
    const hostPath = mount.subPath === undefined ? base : insideFolder(base, substituteString(mount.subPath, scope));
    if (!existsSync(hostPath)) makeOpenFolder(hostPath);
    return { hostPath, containerPath, readOnly: mount.readOnly || volume?.kind !== 'emptyDir' };
  });
  const implicit = (name: string, containerPath: string, readOnly = false): Mount => ({
    hostPath: makeOpenFolder(join(folder, name)),
    containerPath,
    readOnly,
  });
  const all = [
    implicit('workspace', '/workspace'),
    implicit('home', '/tekton/home'),
    implicit('results', '/tekton/results'),
    // A step writes its own results there and nothing else: what the host writes must not meet a link of a step's.
    implicit('steps', '/tekton/steps', true),
    implicit(`steps/step-${step.name}/results`, `/tekton/steps/step-${step.name}/results`),
    implicit('scripts', '/tekton/scripts', true),
    ...workspaces,
    ...own,
  ];
  // A mount at the same place replaces what Tekton puts there by itself.
  return [...new Map(all.map((mount) => [mount.containerPath, mount])).values()];
}

function isMountable(path: string): boolean {
  return /^\/[^:,\p{Cc}]+$/u.test(path) && !path.split('/').includes('..') && !/^\/tekton(?:\/|$)/.test(path);
}

/** Tekton creates the working directory where it can be created: in a volume. */
function makeWorkingDir(mounts: readonly Mount[], workingDir: string): void {
  try {
    makeOpenFolder(hostPathOf(mounts, workingDir));
  } catch {
    // It is in the image.
  }
}

/** Writes the script where the step finds it, and returns the path that the step knows it by. */
function writeScript({ folder, executor }: StepRunOptions, script: string, scope: Scope): string {
  const text = substituteString(script, scope);
  const name = `script-${Math.random().toString(36).slice(2, 7)}`;
  const path = join(makeOpenFolder(join(folder, 'scripts')), name);
  writeFileSync(path, text.startsWith('#!') ? text : `#!/bin/sh\nset -e\n${text}`);
  chmodSync(path, 0o755);
  return executor.paths === 'host' ? path : `/tekton/scripts/${name}`;
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** An image's repository: without tag and digest. */
function repositoryOf(image: string): string {
  const name = image.split('@')[0] ?? image;
  return name.replace(/:[^:/]*$/, '');
}
