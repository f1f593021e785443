import { findCycle } from '@multi-image/kit/cycles';
import { TektonLocalError, throwProblems } from '../errors.ts';
import { leftIn } from '../pac/variables.ts';
import {
  checkKeys,
  checkPipelineIndexes,
  checkPipelineTask,
  checkResults,
  checkRoots,
  checkSpecNames,
  checkStatusBroughtIn,
  checkWorkspacesOfTask,
} from './check-pipeline-task.ts';
import { checkTask } from './check-task.ts';
import { type ClusterObjects, checkObjects } from './cluster-objects.ts';
import { withFileObjects } from './file-objects.ts';
import { type Dependencies, dependenciesOf, skippedTooEarly } from './graph.ts';
import type { Param, ParamSpec, ParamValue, Pipeline, PipelineTask, ResolvedRun, WorkspaceBinding } from './model.ts';
import { variablesIn } from './replace/expressions.ts';
import { Variables } from './replace/variables.ts';
import { boundWorkspaces } from './task-paths.ts';
import { type Prepared, podOf, preparePipeline } from './task-runs.ts';
import { article, typeOf } from './values.ts';
import { bindWorkspaces } from './workspace-bindings.ts';
import type { Field } from './yaml/field.ts';

/** A PipelineRun that has been checked through and through. */
export interface Plan extends ResolvedRun {
  /** The params of the run, and the pipeline's with their defaults. */
  params: Record<string, ParamValue>;
  /** The names of those that have their defaults. */
  defaulted: ReadonlySet<string>;
  /** By task name, of tasks and finally tasks. */
  dependencies: ReadonlyMap<string, Dependencies>;
  /** The run's workspaces that are bound, whether the pipeline declares them or not. */
  workspaces: ReadonlyMap<string, WorkspaceBinding>;
  /** What a person should know before it runs. */
  notes: string[];
}

/** Checks everything that can be known before the run starts; throws one error with all that is wrong. */
export function makePlan(
  resolved: ResolvedRun,
  overrides: Readonly<Record<string, ParamValue>>,
  folders: Readonly<Record<string, string>> = {},
  given: ClusterObjects = {},
): Plan {
  const objects = withFileObjects(given, resolved.objects);
  const { run, pipeline, implementations, problems } = resolved;
  // What the files say wrong would be said again, in other words, by what follows.
  if (problems.some(({ code }) => code === 'INVALID')) throwProblems(problems);
  const notes = [...resolved.notes];
  const { params, defaulted } = pipelineParams(resolved, overrides, notes);
  const workspaces = bindWorkspaces(resolved, params, folders, notes, objects);
  noteIgnored(resolved, notes);
  const context = { name: run.name, namespace: run.namespace, uid: '' };
  const prepared = preparePipeline({ run, pipeline, implementations, params, defaulted, workspaces }, context);
  const checked = new Set<object>();
  for (const task of [...pipeline.tasks, ...pipeline.finally]) {
    const implementation = implementations.get(task.name);
    const known = prepared.get(task.name);
    if (implementation === undefined || known === undefined) continue;
    const bound = boundWorkspaces(known, workspaces, context.uid);
    checkPipelineTask(task, known, implementation, bound, podOf(run, task.name).volumes, notes);
    if (run.pipeline.kind !== 'embedded') {
      if (!pipeline.finally.includes(task)) checkStatusBroughtIn(known.task);
      checkRoots(known.task);
    }
    if (implementation.skipped === undefined) checkWorkspacesOfTask(task, known, resolved, workspaces);
    if (implementation.given?.executor === 'host' && hasPodVariables(run, task.name)) {
      task.field.unsupported(
        "runs on this machine, where variables of a run's Pod template would be those of its programs",
      );
    }
    if (checked.has(implementation.task)) continue;
    checked.add(implementation.task);
    checkTask(implementation.task, hasPodTemplate(run.field.get('spec')));
  }
  if (!run.isTaskRun) checkPipelineIndexes(pipeline, params);
  checkResults(resolved, prepared);
  checkSpecNames(resolved);
  checkObjects(resolved, objects);
  const dependencies = dependenciesOf(pipeline, prepared);
  noteCycle(pipeline, dependencies);
  for (const name of skippedTooEarly(pipeline, dependencies, prepared)) {
    const field = pipeline.tasks.find((task) => task.name === name)?.field.get('matrix');
    field?.invalid('is empty before what the task waits for has ended: Tekton never goes on then');
  }
  throwProblems(problems);
  return {
    ...resolved,
    pipeline: withOnErrors(pipeline, prepared),
    params,
    defaulted,
    dependencies,
    workspaces,
    notes,
  };
}

/** Notes tasks that wait for each other, since values have brought in results; and finally tasks, by what their steps ask for. */
function noteCycle({ tasks, finally: last }: Pipeline, dependencies: ReadonlyMap<string, Dependencies>): void {
  const all = [...tasks, ...last];
  const cycle = findCycle(new Map(all.map(({ name }) => [name, [...(dependencies.get(name)?.all ?? [])]])));
  const first = all.find(({ name }) => name === cycle?.[0]);
  if (cycle !== undefined) first?.field.invalid(`tasks wait for each other: ${cycle.join(' → ')}`);
}

/** What a failure of a task means is known before it runs: params alone can say it. */
function withOnErrors(pipeline: Pipeline, prepared: ReadonlyMap<string, Prepared>): Pipeline {
  const known = (task: PipelineTask): PipelineTask => ({
    ...task,
    onError: prepared.get(task.name)?.task.onError ?? task.onError,
  });
  return { ...pipeline, tasks: pipeline.tasks.map(known), finally: pipeline.finally.map(known) };
}

/** Whether a run gives its Pods more than its Tasks say. */
function hasPodTemplate(spec: Field): boolean {
  return (
    spec.get('podTemplate').present ||
    spec.get('taskRunTemplate', 'podTemplate').present ||
    spec.get('taskRunSpecs').present
  );
}

/** Such as PATH and LD_PRELOAD: what they say is run. */
function hasPodVariables({ pod, pods }: ResolvedRun['run'], task: string): boolean {
  return [pod, pods.get(task)].some((each) => Object.keys(each?.env ?? {}).length > 0);
}

function noteIgnored({ run }: ResolvedRun, notes: string[]): void {
  if (run.serviceAccountName !== undefined) notes.push(`service account ${run.serviceAccountName} is ignored`);
  const left = leftIn(textsWithBraces(run.field.get('spec').value));
  if (left.length > 0) {
    const shown = left.map((name) => `{{ ${name} }}`).join(', ');
    notes.push(
      `${shown} ${left.length > 1 ? 'have' : 'has'} no value in this event and stays as it is, as in a cluster`,
    );
  }
}

/** The texts of a value in which variables of Pipelines as Code may be, its keys as well. */
function textsWithBraces(value: unknown): string {
  if (typeof value === 'string') return value.includes('{{') ? value : '';
  if (typeof value !== 'object' || value === null) return '';
  let texts = '';
  if (!Array.isArray(value)) for (const key of Object.keys(value)) texts += textsWithBraces(key);
  for (const item of Object.values(value)) texts += textsWithBraces(item);
  return texts;
}

/** The values of all params that the pipeline sees: those that are given, and the defaults of the others. */
function pipelineParams(
  { run, pipeline, problems }: ResolvedRun,
  overrides: Readonly<Record<string, ParamValue>>,
  notes: string[],
): Pick<Plan, 'params' | 'defaulted'> {
  const declared = new Map(pipeline.params.map((param) => [param.name, param]));
  checkOverrides(run.params, declared, overrides);
  const given = new Map<string, ParamValue>();
  for (const { name, value, field } of run.params) {
    const spec = declared.get(name);
    if (spec === undefined && run.pipeline.kind === 'name') {
      notes.push(`param ${name} is given, and the pipeline does not declare it`);
    }
    if (Object.hasOwn(overrides, name)) continue;
    given.set(name, value);
    if (spec !== undefined && typeOf(value) !== spec.type) {
      field.get('value').invalid(`expected ${article(spec.type)}, found ${article(typeOf(value))}`);
    }
  }
  for (const [name, value] of Object.entries(overrides)) given.set(name, value);
  for (const spec of pipeline.params) {
    const value = given.get(spec.name);
    checkKeys(spec, value, run.field.get('spec', 'params'));
    if (value !== undefined || spec.default !== undefined) continue;
    const { file } = run.field.origin;
    problems.push({ code: 'INVALID', file, path: 'spec.params', message: `the param ${spec.name} has no value` });
  }
  const defaults = defaultsOf(pipeline.params, given);
  return { params: { ...Object.fromEntries(given), ...defaults }, defaulted: new Set(Object.keys(defaults)) };
}

function checkOverrides(
  given: readonly Param[],
  declared: ReadonlyMap<string, ParamSpec>,
  overrides: Readonly<Record<string, ParamValue>>,
): void {
  const known = new Set([...declared.keys(), ...given.map(({ name }) => name)]);
  for (const [name, value] of Object.entries(overrides)) {
    if (!known.has(name)) {
      throw new TektonLocalError('USAGE', `the pipeline has no param ${JSON.stringify(name)}`, {
        expected: [...known].join(', '),
        found: name,
      });
    }
    const type = declared.get(name)?.type ?? typeOf(given.find((param) => param.name === name)?.value ?? '');
    if (typeOf(value) !== type) {
      throw new TektonLocalError('USAGE', `the param ${name} is ${article(type)}`, { found: article(typeOf(value)) });
    }
  }
}

/** More references after one another than this, Tekton refuses to follow. */
const DEEPEST = 10;

/** The defaults of what is not given: they may refer to other params. */
function defaultsOf(specs: readonly ParamSpec[], given: ReadonlyMap<string, ParamValue>): Record<string, ParamValue> {
  const known = new Variables();
  for (const [name, value] of given) known.addParam(name, value, 'pipeline');
  const open = new Map(specs.filter(({ name }) => !given.has(name)).map((spec) => [spec.name, spec]));
  const resolve = (spec: ParamSpec, depth: number, from: readonly string[]): void => {
    if (typeof spec.default !== 'string' || known.strings.has(`params.${spec.name}`)) return;
    const place = spec.field.get('default');
    if (from.includes(spec.name)) {
      place.invalid(`refers to itself: ${[...from, spec.name].join(' → ')}`);
      return;
    }
    if (depth > DEEPEST) {
      place.invalid(`needs more than ${DEEPEST} others, one after the other`);
      return;
    }
    for (const { text, rest } of variablesIn(spec.default, 'params')) {
      if (known.strings.has(`params.${rest}`)) continue;
      const other = open.get(rest);
      if (other === undefined || typeof other.default !== 'string') {
        if (text === `$(params.${rest})`) place.invalid(`${text} is no param that has a string`);
        continue;
      }
      resolve(other, depth + 1, [...from, spec.name]);
    }
    known.addParam(spec.name, known.text(spec.default), 'pipeline');
  };
  for (const spec of open.values()) resolve(spec, 0, []);
  const values: Record<string, ParamValue> = {};
  for (const { name, default: value } of open.values()) {
    if (value === undefined) continue;
    if (typeof value === 'string') values[name] = known.strings.get(`params.${name}`) ?? value;
    else if (Array.isArray(value)) values[name] = value.map((item) => known.text(item));
    else values[name] = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, known.text(item)]));
  }
  return values;
}
