import { appendFileSync, chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { reasonOf } from '@multi-image/kit/errors';
import type { Executor, Mount, StepCommand } from '../executors/executor.ts';
import { hostPathsIn } from '../executors/host.ts';
import type { StepOutcome } from '../outcome.ts';
import { type ClusterObjects, claimFolder } from '../plan/cluster-objects.ts';
import type { ParamValue, Sidecar, Step, Task } from '../plan/model.ts';
import { replaceInStep } from '../plan/replace/replace.ts';
import { expandEnvironment, type Scope, substituteResults, substituteString } from '../plan/replace/substitute.ts';
import type { Variables } from '../plan/replace/variables.ts';
import { ownResultPaths } from '../plan/replaced-task.ts';
import { volumeOf } from '../plan/task-paths.ts';
import { envFromObjects, fillFolder, keyText } from './cluster-files.ts';
import { makeOpenFolder, mountOf, placeInside } from './confined-path.ts';
import { Deadline } from './deadline.ts';
import { keyFor, repositoryOf } from './image-instead.ts';
import { runStepProgram, type StepProgram } from './step-program.ts';

/** What all steps of a run share. */
export interface StepEnvironment {
  images: Readonly<Record<string, string>>;
  /** Gets the names of those that were used. */
  usedImages?: Set<string> | undefined;
  /** In place of step images, by the image's repository. */
  programs: Readonly<Record<string, StepProgram>>;
  logs?: string | undefined;
  /** What stands for objects of a cluster. */
  objects: ClusterObjects;
}

/** A Task that is ready to run: its params are known. */
export interface TaskRun extends StepEnvironment {
  /** The pipeline's name for it. */
  name: string;
  task: Task;
  /** What is still to be replaced in its steps, once they have the paths of this machine. */
  passes: readonly Variables[];
  params: Record<string, ParamValue>;
  /** What stands for dotted names: of a Task on this machine, the paths that it knows. */
  values: Readonly<Record<string, string>>;
  /** Fields of its Pod that variables may ask for. */
  pod: Readonly<Record<string, string>>;
  /** The TaskRun's own folder on this machine; does not exist yet. */
  folder: string;
  workspaces: readonly WorkspaceMount[];
  executor: Executor;
  /** The name of a sidecar that runs, whose network its steps have where that is not this machine's. */
  networkOf?: (() => string | undefined) | undefined;
  /** Variables for its steps, instead of their own or beside them. */
  env: Readonly<Record<string, string>>;
  log(step: string, line: string): void;
  note(message: string): void;
  signal: AbortSignal;
}

/** A step or sidecar as its TaskRun's status shows it on a cluster: with params, and paths of results and workspaces. */
export interface StepShown {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly script: string | undefined;
  /** What ran: the image, another one of this machine's in its place, or none. */
  readonly ranIn: string | undefined;
}

/** A workspace of a task that is bound. */
export type WorkspaceMount = Mount & { name: string };

const TAIL = 50;

/**
 * Runs one step. Rejects only when it was stopped, or could not be started. The outcome is filled in as the step goes on:
 * whoever stops it still sees what it said.
 */
export async function runStep(run: TaskRun, step: Step, scope: Scope, outcome: StepOutcome): Promise<void> {
  const write = logWriter(run, step);
  const log = (line: string): void => {
    outcome.logTail.push(line);
    if (outcome.logTail.length > TAIL) outcome.logTail.shift();
    write(line);
    run.log(step.name, line);
  };
  const tooLong = `the step took longer than its timeout of ${step.timeout} ms`;
  const deadline = new Deadline(step.timeout ?? 0, tooLong, 'StepTimeout', run.signal);
  try {
    outcome.exitCode = await execute(run, step, scope, log, deadline.signal);
  } catch (error) {
    run.signal.throwIfAborted();
    if (!deadline.signal.aborted) throw error;
    log(tooLong);
    outcome.exitCode = 137;
  } finally {
    deadline.end();
    outcome.finishedAt = Date.now();
  }
  // No step comes after it that could read it.
  if (outcome.exitCode !== 0 && step.onError !== 'continue') return;
  writeFileSync(join(run.folder, 'steps', `step-${step.name}`, 'exitCode'), String(outcome.exitCode), { flag: 'wx' });
}

/** Writes the step's log file, if logs are wanted. A full disk costs the rest of the log, not the step. */
function logWriter({ logs, name, log }: TaskRun, step: Step): (line: string) => void {
  if (logs === undefined) return () => {};
  const file = join(logs, name, `step-${step.name}.log`);
  let failed = false;
  return (line) => {
    if (failed) return;
    try {
      mkdirSync(dirname(file), { recursive: true });
      appendFileSync(file, `${line}\n`);
    } catch (error) {
      failed = true;
      log(step.name, `this log is not written any more: ${reasonOf(error)}`);
    }
  };
}

async function execute(
  run: TaskRun,
  declared: Step,
  outer: Scope,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  makeOpenFolder(join(run.folder, `steps/step-${declared.name}/results`));
  const values = { ...outer.values, ...ownResultPaths(declared) };
  const { command, program } = commandOf(run, declared, outer, { ...outer, values }, 'step', { log, signal });
  return program === undefined ? await run.executor.run(command) : await runStepProgram(program, command);
}

/** A sidecar with everything filled in. */
export function sidecarCommand(run: TaskRun, sidecar: Sidecar, scope: Scope): StepCommand {
  const log = (line: string): void => run.log(sidecar.name, line);
  return commandOf(run, sidecar, scope, scope, 'sidecar', { log, signal: run.signal }).command;
}

/** The steps of a TaskRun, or its sidecars, as they are shown. */
export function shown(run: TaskRun, steps: readonly Step[], outer: Scope): StepShown[] {
  return steps.map((declared) => {
    const scope: Scope = { ...outer, values: { ...outer.values, ...ownResultPaths(declared) } };
    const step = run.passes.reduce(replaceInStep, declared);
    const text = (from: string): string => substituteString(from, scope);
    const image = text(step.image);
    const replaced = imageFor(run, image);
    const isProgram = step.script === undefined && ownOf(run.programs, repositoryOf(image)) !== undefined;
    const hasImage = replaced !== undefined || (run.executor.paths === 'mounted' && !isProgram);
    return {
      ...{ name: declared.name, image, ranIn: hasImage ? (replaced ?? image) : undefined },
      ...{ command: (step.command ?? []).map(text), args: step.args.map(text) },
      script: step.script === undefined ? undefined : text(step.script),
    };
  });
}

/** A step or a sidecar with everything filled in, and the function that takes its image's place. */
function commandOf(
  run: TaskRun,
  declared: Step,
  outer: Scope,
  own: Scope,
  kind: 'step' | 'sidecar',
  { log, signal }: Pick<StepCommand, 'log' | 'signal'>,
): { command: StepCommand; program: StepProgram | undefined } {
  const values = { ...own.values };
  const scope: Scope = { ...own, values };
  const inContainer = run.passes.reduce(replaceInStep, declared);
  const mounts = mountsOf(run, inContainer, scope, kind);
  const image = substituteString(inContainer.image, scope);
  const replaced = imageFor(run, image);
  const program =
    replaced === undefined && declared.script === undefined ? ownOf(run.programs, repositoryOf(image)) : undefined;
  const onHost = run.executor.paths === 'host' && program === undefined;
  const step = onHost ? run.passes.reduce(replaceInStep, atHostPaths(declared, values, mounts)) : inContainer;
  const env = environmentOf(step, scope, outer, run);
  for (const [name, value] of env) env.set(name, substituteResults([value], scope).join(' '));
  if (onHost) env.set('TMPDIR', makeOpenFolder(join(run.folder, 'tmp')));
  for (const [name, value] of Object.entries(run.env)) env.set(name, value);
  if (inContainer.workingDir !== undefined) {
    makeWorkingDir(mounts, substituteString(inContainer.workingDir, scope));
  }
  // As in a cluster, results come in last: what they say is not looked at again.
  const listOf = (texts: readonly string[]): string[] =>
    substituteResults(
      texts.map((item) => expandEnvironment(substituteString(item, scope), env)),
      scope,
    );
  const { script } = step;
  // What has become empty is the image's.
  const given = listOf(step.command ?? []);
  const command: StepCommand = {
    name: `${run.name}-${kind === 'step' ? '' : 'sidecar-'}${step.name}-${Math.random().toString(36).slice(2, 7)}`,
    image: replaced ?? image,
    neverPull: replaced !== undefined,
    command:
      script === undefined
        ? given.length > 0
          ? given
          : undefined
        : [writeScript(run, substituteString(script, scope))],
    args: listOf(step.args),
    env,
    workingDir: step.workingDir === undefined ? undefined : substituteString(step.workingDir, scope),
    mounts,
    security: step.security,
    limits: step.limits,
    networkOf: run.networkOf?.(),
    log,
    note: run.note,
    signal,
  };
  return { command, program };
}

/** The image that is given in place of another. */
function imageFor({ images, usedImages }: StepEnvironment, image: string): string | undefined {
  const key = keyFor(Object.keys(images), image);
  if (key === undefined) return undefined;
  usedImages?.add(key);
  return images[key];
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

/** The variables in their order: a later one may use an earlier one. */
function environmentOf(step: Step, scope: Scope, outer: Scope, { objects, passes, pod }: TaskRun): Map<string, string> {
  const text = textIn(passes);
  const env = new Map<string, string>(envFromObjects(step, objects, text));
  for (const { name, value, ofPod, from, inherited } of step.env) {
    if (from !== undefined) {
      const found = keyText(from, objects, text);
      if (found !== undefined) env.set(name, found);
      continue;
    }
    if (ofPod === undefined) env.set(name, expandEnvironment(substituteString(value, inherited ? outer : scope), env));
    else env.set(name, pod[ofPod] ?? '');
  }
  return env;
}

/** A text with the variables of the TaskRun replaced. */
function textIn(passes: TaskRun['passes']): (text: string) => string {
  return (text) => passes.reduce((before, pass) => pass.text(before), text);
}

function mountsOf(
  { task, folder, workspaces, objects, passes }: TaskRun,
  step: Step,
  scope: Scope,
  kind: 'step' | 'sidecar',
): Mount[] {
  const text = textIn(passes);
  const own = step.volumeMounts.map((mount): Mount => {
    const containerPath = withoutLastSlash(substituteString(mount.mountPath, scope));
    if (!isMountable(containerPath)) throw new Error(`${JSON.stringify(containerPath)} cannot be a mount path`);
    const name = substituteString(mount.name, scope);
    const workspace = workspaces.find((candidate) => volumeOf(candidate.name) === name);
    if (workspace !== undefined) return { ...workspace, containerPath, readOnly: mount.readOnly || workspace.readOnly };
    const volume = task.volumes.find((candidate) => candidate.name === name);
    // A name may come from a param, and becomes a folder's; so do those in sidecars and Pod templates.
    if (volume === undefined || !/^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(name)) {
      throw new Error(`there is no volume ${JSON.stringify(name)}`);
    }
    const place = join(folder, 'volumes', name);
    const claim = volume.claim === undefined ? undefined : claimFolder(objects, text(volume.claim));
    if (volume.kind === 'claim' && claim === undefined)
      throw new Error(`there is no claim ${text(volume.claim ?? '')}`);
    const base = claim ?? fillFolder(place, volume.sources, objects, text);
    const isShared = claim !== undefined || task.sidecars.length > 0;
    const subPath = mount.subPath === undefined ? '' : substituteString(mount.subPath, scope);
    const { path: hostPath, identity } = placeInside(base, subPath);
    return {
      hostPath,
      containerPath,
      readOnly: mount.readOnly || volume.readOnly,
      shared: isShared,
      identity: isShared && hostPath !== base ? identity : undefined,
      callers: claim === undefined ? undefined : true,
    };
  });
  const implicit = (name: string, containerPath: string, readOnly = false): Mount => ({
    hostPath: makeOpenFolder(join(folder, name)),
    containerPath,
    readOnly,
  });
  const scripts = implicit('scripts', '/tekton/scripts', true);
  const others = [...visibleWorkspaces(task, workspaces, step), ...own];
  if (kind === 'sidecar') return lastAtEach([scripts, ...others]);
  return lastAtEach([
    implicit('workspace', '/workspace'),
    implicit('home', '/tekton/home'),
    implicit('results', '/tekton/results'),
    // A step writes its own results there and nothing else: what the host writes must not meet a link of a step's.
    implicit('steps', '/tekton/steps', true),
    implicit(`steps/step-${step.name}/results`, `/tekton/steps/step-${step.name}/results`),
    scripts,
    ...others,
  ]);
}

/** A mount at the same place replaces what Tekton puts there by itself. */
function lastAtEach(mounts: readonly Mount[]): Mount[] {
  return [...new Map(mounts.map((mount) => [mount.containerPath, mount])).values()];
}

/** The workspaces that a step sees: those that it names, perhaps elsewhere, and those that no step names. */
function visibleWorkspaces({ steps, sidecars }: Task, all: readonly WorkspaceMount[], { workspaces }: Step): Mount[] {
  const named = new Set([...steps, ...sidecars].flatMap((each) => each.workspaces.map(({ name }) => name)));
  return all.flatMap((mount) => {
    if (!named.has(mount.name)) return [mount];
    const used = workspaces.find(({ name }) => name === mount.name);
    if (used === undefined) return [];
    if (used.mountPath === undefined) return [mount];
    if (!isMountable(used.mountPath)) throw new Error(`${JSON.stringify(used.mountPath)} cannot be a mount path`);
    return [{ ...mount, containerPath: used.mountPath }];
  });
}

/** As Kubernetes mounts it. */
function withoutLastSlash(path: string): string {
  let end = path.length;
  while (end > 1 && path[end - 1] === '/') end--;
  return path.slice(0, end);
}

function isMountable(path: string): boolean {
  return (
    /^\/[^:,\p{Cc}]+$/u.test(path) && !path.split('/').includes('..') && !/^\/tekton(?:\/(?!home(?:\/|$))|$)/.test(path)
  );
}

/** Tekton creates the working directory where it can be created: in a volume. */
function makeWorkingDir(mounts: readonly Mount[], workingDir: string): void {
  try {
    const mount = mountOf(mounts, workingDir);
    placeInside(mount.hostPath, posix.relative(mount.containerPath, posix.normalize(workingDir)));
  } catch {
    // It is in the image.
  }
}

/** Writes the script where the step finds it, and returns the path that the step knows it by. */
function writeScript({ folder, executor }: TaskRun, text: string): string {
  const name = `script-${Math.random().toString(36).slice(2, 7)}`;
  const path = join(makeOpenFolder(join(folder, 'scripts')), name);
  writeFileSync(path, text.startsWith('#!') ? text : `#!/bin/sh\nset -e\n${text}`);
  chmodSync(path, 0o755);
  return executor.paths === 'host' ? path : `/tekton/scripts/${name}`;
}

function ownOf<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
