import { posix } from 'node:path';
import { keysOf } from './admit/params.ts';
import { knownCombinations } from './combinations.ts';
import type { ObjectSource, ParamSpec, ParamValue, PipelineTask, Step, Task, Volume } from './model.ts';
import {
  ARTIFACT,
  firstStepResult,
  isWholeVariable,
  STEP_ARTIFACT,
  variablesIn,
  withoutIndex,
} from './replace/expressions.ts';
import { replacedTask } from './replaced-task.ts';
import { OpenParam, TypeMismatch } from './step-actions.ts';
import { type BoundWorkspace, workspacePaths } from './task-paths.ts';
import { type Prepared, taskRunPasses, textsOfSpecStep } from './task-runs.ts';

// What Tekton finds wrong with a TaskRun: before it makes a Pod, it looks once more at the Task, whose variables are then
// replaced.

/** The Task of a TaskRun with its variables replaced; or what Tekton says against it, before it makes its Pod. */
export type CheckedTask = { task: Task; problem?: undefined } | { problem: string };

/**
 * Puts values into the Task of a TaskRun, and looks at it as Tekton does before and after.
 *
 * @param made Its Task, and what is to be replaced in it.
 * @param given Its params.
 * @param workspaces Those that are bound.
 * @param more Params whose values are not known yet, and volumes that its Pod gets beside its own.
 */
export function checkedTask(
  made: ReturnType<typeof taskRunPasses>,
  given: Readonly<Record<string, ParamValue>>,
  workspaces: readonly BoundWorkspace[],
  { open = [], volumes = [] }: { open?: readonly string[]; volumes?: readonly Volume[] } = {},
): CheckedTask {
  const missing = made.task.params.find((spec) => spec.default === undefined && !Object.hasOwn(given, spec.name));
  if (missing !== undefined) return { problem: `there is no value for the param ${missing.name}` };
  const outside = problemOfIndexes(made.task, given, open);
  if (outside !== undefined) return { problem: outside };
  const task = replacedTask(made, workspaces);
  const problem = problemOfReplaced({ ...task, volumes: [...task.volumes, ...volumes] }, workspaces, open);
  return problem === undefined ? { task } : { problem };
}

/** Notes what Tekton refuses of the TaskRuns of a task, as far as their params are known. */
export function checkReplaced(
  task: PipelineTask,
  { task: prepared, spec }: Prepared,
  workspaces: readonly BoundWorkspace[],
  volumes: readonly Volume[],
): void {
  const own = Object.fromEntries(prepared.params.map(({ name, value }): [string, ParamValue] => [name, value]));
  const all = valuesOfMatrix(prepared).map((values) => ({ ...values, ...own }));
  // That one is missing is said elsewhere.
  const needed = spec.params.filter((param) => param.default === undefined);
  const given = all.filter((params) => needed.every(({ name }) => Object.hasOwn(params, name)));
  // What is not known yet is something, all the same.
  const context = { name: 'name', namespace: 'namespace', uid: 'uid', task: 'task', retry: 0 };
  // What becomes an array or an object once results are known.
  const open = prepared.params.filter(
    ({ value }) => typeof value === 'string' && isWholeVariable(value) && /^\$\((?:tasks|finally)\./.test(value),
  );
  const names = open.map(({ name }) => name);
  try {
    for (const params of given) {
      const made = taskRunPasses(spec, params, context);
      const checked = checkedTask(made, params, workspaces, { open: names, volumes });
      if (checked.problem !== undefined) {
        task.field.invalid(checked.problem);
        return;
      }
      const { task: replaced } = checked;
      if (replaced.steps.flatMap(textsOfSpecStep).some((text) => ARTIFACT.test(text))) {
        task.field.unsupported("values bring in artifacts, which need Tekton's feature flag enable-artifacts");
      }
      const inherited = replaced.steps.flatMap(({ env }) => env.filter((item) => item.inherited));
      if (inherited.some(({ value }) => value.includes('$(step.results'))) {
        task.field.unsupported('values bring results of steps into the template, which is not supported');
      }
    }
  } catch (error) {
    if (error instanceof TypeMismatch) task.field.invalid(error.message);
    else if (error instanceof OpenParam) task.field.unsupported(error.message);
    else throw error;
  }
}

/** What a matrix gives: its combinations, or where those are not known yet, each of its values beside the first of others. */
function valuesOfMatrix({ matrix, include }: PipelineTask): Record<string, string>[] {
  const known = knownCombinations({ matrix, include });
  if (known !== undefined) return known;
  const texts = [...matrix, ...include.flat()].map(({ name, value }): [string, string[]] => [
    name,
    typeof value === 'string' ? [value] : Object.values(value),
  ]);
  const first = Object.fromEntries(texts.map(([name, [text = '']]) => [name, text]));
  return [first, ...texts.flatMap(([name, [, ...more]]) => more.map((text) => ({ ...first, [name]: text })))];
}

/** An index that is outside of its array, as the Task is before its own variables are replaced. */
function problemOfIndexes(
  task: Task,
  given: Readonly<Record<string, ParamValue>>,
  open: readonly string[],
): string | undefined {
  const arrays = new Map<string, readonly string[]>();
  for (const { name, default: value } of task.params) if (Array.isArray(value)) arrays.set(name, value);
  for (const [name, value] of Object.entries(given)) if (Array.isArray(value)) arrays.set(name, value);
  for (const [name, value] of arrays) if (value.some(isOpenList)) arrays.delete(name);
  for (const name of open) arrays.delete(name);
  return problemOutside(textsWithIndexes(task), (name) => arrays.get(name)?.length);
}

/** Whether an item of a list becomes any number of items once results are known. */
function isOpenList(item: string): boolean {
  return /^\$\((?:tasks|finally)\..*\[\*\]\)$/.test(item);
}

/**
 * What is wrong with the indexes in texts; undefined if nothing.
 *
 * @param lengthOf Of the array that a param is, if it is one.
 */
export function problemOutside(
  texts: readonly string[],
  lengthOf: (name: string) => number | undefined,
): string | undefined {
  for (const { text, rest } of texts.flatMap((item) => variablesIn(item, 'params'))) {
    const index = /\[(\d+)\]$/.exec(rest)?.[1];
    const length = index === undefined ? undefined : lengthOf(withoutIndex(rest));
    if (length === undefined || Number(index) < length) continue;
    return `${text} is outside of the array, which has ${length} items`;
  }
  return undefined;
}

/** Every text of a Task in which Tekton looks for indexes. */
function textsWithIndexes({ steps, sidecars, template, volumes, workspaces }: Task): string[] {
  return [
    ...[...steps, ...sidecars, ...(template === undefined ? [] : [template])].flatMap(textsOfContainer),
    ...volumes.flatMap(({ name, claim = '', sources }) => [name, claim, ...sources.flatMap(textsOfSource)]),
    ...workspaces.map(({ mountPath = '' }) => mountPath),
  ];
}

function textsOfContainer(container: Step): string[] {
  return [
    ...textsOfSpecStep(container),
    ...container.env.flatMap(({ from }) => (from === undefined ? [] : [from.object, from.key])),
    ...container.envFrom.flatMap(textsOfEnvFrom),
    ...container.volumeMounts.flatMap(({ name, mountPath, subPath = '' }) => [name, mountPath, subPath]),
  ];
}

function textsOfEnvFrom({ prefix, source }: Step['envFrom'][number]): string[] {
  return [prefix, source.object];
}

function textsOfSource({ object, items = [] }: ObjectSource): string[] {
  return [object, ...items.flatMap(({ key, path }) => [key, path])];
}

const CONTEXTS = { 'context.taskRun': ['name', 'namespace', 'uid'], 'context.task': ['name', 'retry-count'] };

/** What Tekton says against a Task whose variables are replaced: such as a param that a value has brought in. */
function problemOfReplaced(
  spec: Task,
  workspaces: readonly BoundWorkspace[],
  open: readonly string[],
): string | undefined {
  const known: KnownHere = {
    declared: new Set([...spec.params.map(({ name }) => name), ...open]),
    arrays: new Set(spec.params.filter(({ type }) => type === 'array').map((param) => param.name)),
    keys: new Map(
      spec.params
        .filter(({ type }) => type === 'object')
        .map(({ name, field }: ParamSpec) => [name, new Set(keysOf(field.get('properties')))]),
    ),
    results: new Set(spec.results.map(({ name }) => name)),
    open,
  };
  const unknown = spec.workspaces.find(({ mountPath = '' }) => variablesIn(mountPath, 'params').length > 0);
  if (unknown !== undefined) return `${JSON.stringify(unknown.mountPath)} is no absolute path`;
  const names = spec.volumes.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) return `there are two volumes named ${JSON.stringify(twice)}`;
  const withoutImage = spec.sidecars.find(({ image }) => image === '');
  if (withoutImage !== undefined) return `the sidecar ${withoutImage.name} has no image`;
  const withBoth = spec.sidecars.find(
    ({ script, field }) => script !== undefined && field.get('command').items().length > 0,
  );
  if (withBoth !== undefined) return `the sidecar ${withBoth.name} has both a script and a command`;
  for (const step of spec.steps) {
    const problem = problemOfStep(step, known);
    if (problem !== undefined) return problem;
  }
  return problemOfMountPaths(spec, workspaces);
}

interface KnownHere {
  declared: ReadonlySet<string>;
  arrays: ReadonlySet<string>;
  keys: ReadonlyMap<string, ReadonlySet<string>>;
  results: ReadonlySet<string>;
  open: readonly string[];
}

function problemOfStep(step: Step, { declared, arrays, keys, results, open }: KnownHere): string | undefined {
  const { name, image, script = '', workingDir = '', volumeMounts } = step;
  const mounts = volumeMounts.flatMap((mount) => [mount.name, mount.mountPath, mount.subPath ?? '']);
  for (const text of [...textsOfSpecStep(withoutTemplate(step)), ...mounts]) {
    const found = variablesIn(text, 'params').find(({ name: param, rest, tooLong }) => {
      if (tooLong) return true;
      const key = rest.slice(param.length + 1);
      const isWhole = keys.has(rest.replace(/\[\*\]$/, ''));
      return (
        isWhole ||
        !declared.has(withoutIndex(param)) ||
        (key !== '' && !open.includes(param) && keys.get(param)?.has(key) === false)
      );
    });
    if (found !== undefined) return `${found.text} refers to nothing that is declared`;
    for (const [prefix, parts] of Object.entries(CONTEXTS)) {
      const lost = variablesIn(text, prefix).find((variable) => variable.tooLong || !parts.includes(variable.name));
      if (lost !== undefined) return `${lost.text} refers to nothing that is declared`;
    }
  }
  const own = new Set(step.results.map((result) => result.name));
  const lost =
    variablesIn(script, 'results').find((result) => !results.has(result.name)) ??
    variablesIn(script, 'step.results').find((result) => own.size > 0 && !own.has(result.name));
  if (lost !== undefined) return `${lost.text} refers to nothing that is declared`;
  const places = [name, image, workingDir, ...mounts, ...step.envFrom.flatMap(textsOfEnvFrom)];
  if ([...places, script].some((text) => firstStepResult(text) !== undefined)) {
    return `the step ${name} has a step's result outside of env, command and args`;
  }
  if (places.some((text) => STEP_ARTIFACT.test(text))) {
    return `the step ${name} has an artifact outside of env, command, args and script`;
  }
  // Of a StepAction: a Task's own texts were looked at before.
  for (const text of [name, image, script, workingDir, ...step.env.map(({ value }) => value), ...mounts]) {
    const whole = variablesIn(text, 'params').find(({ rest }) => arrays.has(rest.replace(/\[\*\]$/, '')));
    if (whole !== undefined) return `${whole.text} is an array; a string has to be here`;
  }
  for (const text of [...(step.command ?? []), ...step.args]) {
    const whole = variablesIn(text, 'params').find(({ rest }) => arrays.has(rest.replace(/\[\*\]$/, '')));
    if (whole !== undefined && whole.text !== text) return `${whole.text} has to stand alone, since it is an array`;
  }
  if (image === '') return `the step ${name} has no image`;
  if (!['', 'continue', 'stopAndFail'].includes(step.onError)) {
    return `onError of the step ${name} has to be continue or stopAndFail, found ${JSON.stringify(step.onError)}`;
  }
  if (script.trim().startsWith('#!win')) return 'scripts for Windows are an alpha feature of Tekton';
  const empty = step.when.find(({ values }) => values.length === 0);
  return empty === undefined ? undefined : `a condition of the step ${name} has no values`;
}

/** A step that was a StepAction without what is the template's: of that, Tekton asks for no declared params. */
function withoutTemplate(step: Step): Step {
  const { field } = step;
  if (!field.get('actionParams').present) return step;
  return {
    ...step,
    env: step.env.filter(({ inherited }) => inherited !== true),
    workingDir: field.get('workingDir').present ? step.workingDir : undefined,
    command: field.get('command').present ? step.command : undefined,
    args: field.get('args').present ? step.args : [],
  };
}

/** Workspaces that the run gives and the Task does not declare are among them by then. */
function problemOfMountPaths(task: Task, bound: readonly BoundWorkspace[]): string | undefined {
  const { steps, workspaces, template } = task;
  const mounted = [...steps, ...(template === undefined ? [] : [template])].flatMap(({ volumeMounts }) => volumeMounts);
  const taken = new Set(mounted.map(({ mountPath }) => posix.resolve(mountPath)));
  const own = workspaces.map(({ name }) => ({ name, claim: '' }));
  const all = [...own, ...bound.filter(({ name }) => !workspaces.some((declared) => declared.name === name))];
  for (const { containerPath } of workspacePaths(task, all)) {
    const path = posix.resolve(containerPath);
    if (taken.has(path)) return `something else is mounted at ${path}`;
    taken.add(path);
  }
  for (const { name, volumeMounts, workspaces: own } of steps) {
    const elsewhere = own.filter((workspace) => bound.some((each) => each.name === workspace.name));
    const paths = [...volumeMounts, ...elsewhere].flatMap(({ mountPath }) => mountPath ?? []);
    const twice = paths.find((path, index) => paths.indexOf(path) < index);
    if (twice !== undefined) return `the step ${name} has two mounts at ${twice}`;
  }
  return undefined;
}
