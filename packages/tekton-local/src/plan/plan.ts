import { TektonLocalError, throwProblems } from '../errors.ts';
import { workspaceFolders } from '../run/workspace-folders.ts';
import type { ParamType, ParamValue } from '../stand-in.ts';
import { checkGiven, checkPipelineTask } from './check-pipeline-task.ts';
import { checkValue, type Known } from './check-references.ts';
import { checkSubPath, checkTask, checkWordName } from './check-task.ts';
import { checkGraph, type Dependencies } from './graph.ts';
import type { ParamSpec, PipelineTask, TaskImplementation, WorkspaceBinding } from './model.ts';
import { article, typeOf } from './parse-task.ts';
import type { ResolvedRun } from './resolve.ts';
import { referencesInValue } from './substitute.ts';

/** A PipelineRun that has been checked through and through. */
export interface Plan extends ResolvedRun {
  /** The pipeline's params, all of them. */
  params: Record<string, ParamValue>;
  /** By task name, of tasks and finally tasks. */
  dependencies: ReadonlyMap<string, Dependencies>;
  /** The pipeline's workspaces that are bound. */
  workspaces: ReadonlyMap<string, WorkspaceBinding>;
  /** What a person should know before it runs. */
  notes: string[];
}

/** Dotted names that are known in a Pipeline, and in the Tasks that it embeds. */
const PIPELINE_CONTEXT = [
  'context.pipelineRun.name',
  'context.pipelineRun.namespace',
  'context.pipelineRun.uid',
  'context.pipeline.name',
];

/** Checks everything that can be known before the run starts; throws one error with all that is wrong. */
export function makePlan(
  resolved: ResolvedRun,
  overrides: Readonly<Record<string, ParamValue>>,
  folders: Readonly<Record<string, string>> = {},
): Plan {
  const { run, pipeline, implementations } = resolved;
  const notes: string[] = [];
  const params = pipelineParams(resolved, overrides, notes);
  const workspaces = workspaceFolders(pipeline, folders);
  for (const declared of pipeline.workspaces) {
    if (workspaces.has(declared.name)) continue;
    const binding = run.workspaces.find((candidate) => candidate.name === declared.name);
    if (binding !== undefined && binding.kind !== 'unbound') workspaces.set(declared.name, binding);
    else if (!declared.optional)
      declared.field.problem('UNSUPPORTED', 'is not optional, and nothing is bound to it here');
    else if (binding !== undefined)
      notes.push(`workspace ${declared.name} is not bound: there is no git credential here`);
  }
  pipeline.workspaces.forEach(checkWordName);
  if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(run.name) || run.name.length > 253) {
    run.field
      .get('metadata')
      .problem('INVALID', `${JSON.stringify(run.name)} is no name: letters a-z, digits, - and .`);
  }
  for (const binding of run.workspaces)
    if ('field' in binding && binding.kind !== 'unbound') checkSubPath(binding.field, binding.subPath);
  if (run.serviceAccountName !== undefined) notes.push(`service account ${run.serviceAccountName} is ignored`);
  const expression = run.annotations['pipelinesascode.tekton.dev/on-cel-expression'];
  if (expression !== undefined) notes.push(`on-cel-expression is not evaluated: ${expression}`);
  const limited = [...implementations].flatMap(([name, item]) =>
    item.kind === 'task' && item.task.steps.some((step) => step.computeResources !== undefined) ? [name] : [],
  );
  if (limited.length > 0) notes.push(`computeResources are not enforced (${limited.join(', ')}); --status shows them`);
  const types = new Map(pipeline.params.map((param) => [param.name, param.type]));
  const matrices = new Set(
    [...pipeline.tasks, ...pipeline.finally].filter((task) => task.matrix.length > 0).map(({ name }) => name),
  );
  const results = new Map(
    [...implementations].map(([name, item]) => [name, declaredResults(item, matrices.has(name))]),
  );
  const checked = new Set<object>();
  for (const task of [...pipeline.tasks, ...pipeline.finally]) {
    const implementation = implementations.get(task.name);
    if (implementation === undefined) continue;
    checkPipelineTask(task, implementation, pipelineKnown(task, resolved, types, results), resolved, notes);
    if (implementation.kind === 'stand-in' || checked.has(implementation.task)) continue;
    checked.add(implementation.task);
    checkTask(
      implementation.task,
      implementation.embedded ? { params: types, values: PIPELINE_CONTEXT } : { params: new Map(), values: [] },
    );
  }
  const known = pipelineKnown(undefined, resolved, types, results);
  for (const result of pipeline.results) checkValue(result.field.get('value'), result.value, known);
  const dependencies = checkGraph(pipeline);
  throwProblems(resolved.problems);
  return { ...resolved, params, dependencies, workspaces, notes };
}

function pipelineParams(
  { run, pipeline, problems }: ResolvedRun,
  overrides: Readonly<Record<string, ParamValue>>,
  notes: string[],
): Record<string, ParamValue> {
  const declared = new Map(pipeline.params.map((param) => [param.name, param]));
  for (const [name, value] of Object.entries(overrides)) {
    const spec = declared.get(name);
    if (spec === undefined) {
      throw new TektonLocalError('USAGE', `the pipeline has no param ${JSON.stringify(name)}`, {
        expected: [...declared.keys()].join(', '),
        found: name,
      });
    }
    if (typeOf(value) !== spec.type) {
      throw new TektonLocalError('USAGE', `the param ${name} is ${article(spec.type)}`, {
        found: article(typeOf(value)),
      });
    }
  }
  for (const param of run.params) {
    if (!declared.has(param.name)) notes.push(`param ${param.name} is given, and the pipeline does not declare it`);
    if (referencesInValue(param.value).some((reference) => reference.names[0] !== 'context')) {
      param.field.problem('INVALID', 'the params of a PipelineRun refer to nothing but context');
    }
  }
  checkGiven(
    pipeline.params,
    run.params.filter((param) => !Object.hasOwn(overrides, param.name)),
  );
  const given = new Map(run.params.map((param) => [param.name, param.value]));
  const values = pipeline.params.flatMap((spec): [string, ParamValue][] => {
    const value = Object.hasOwn(overrides, spec.name) ? overrides[spec.name] : (given.get(spec.name) ?? spec.default);
    if (value !== undefined) return [[spec.name, mergeObject(spec, value)]];
    const { file } = run.field.origin;
    problems.push({ code: 'INVALID', file, path: 'spec.params', message: `the param ${spec.name} has no value` });
    return [];
  });
  return Object.fromEntries(values);
}

/** An object param's default gives the keys that are not given. */
export function mergeObject(spec: ParamSpec, value: ParamValue): ParamValue {
  if (spec.type !== 'object' || typeof value === 'string' || Array.isArray(value)) return value;
  return typeof spec.default === 'object' && !Array.isArray(spec.default) ? { ...spec.default, ...value } : value;
}

/** A matrix turns each result into the array of its runs' results. */
function declaredResults(implementation: TaskImplementation, matrix: boolean): ReadonlyMap<string, ParamType> {
  const declared: { name: string; type: ParamType }[] =
    implementation.kind === 'stand-in'
      ? implementation.standIn.results.map((name) => ({ name, type: 'string' }))
      : implementation.task.results;
  return new Map(declared.map(({ name, type }) => [name, matrix ? 'array' : type]));
}

/** What a pipeline task's params and when expressions, or the pipeline's results, may refer to. */
function pipelineKnown(
  task: PipelineTask | undefined,
  { pipeline }: ResolvedRun,
  params: ReadonlyMap<string, ParamType>,
  results: ReadonlyMap<string, ReadonlyMap<string, ParamType>>,
): Known {
  const isFinally = task !== undefined && pipeline.finally.includes(task);
  const of = (tasks: readonly PipelineTask[]): typeof results =>
    new Map([...results].filter(([name]) => tasks.some((other) => other.name === name)));
  return {
    params,
    tasks: of(pipeline.tasks),
    ...(task === undefined ? { finally: of(pipeline.finally) } : {}),
    values: new Set([
      ...PIPELINE_CONTEXT,
      'context.pipelineTask.retries',
      ...pipeline.workspaces.map((workspace) => `workspaces.${workspace.name}.bound`),
      ...(isFinally
        ? ['tasks.status', ...pipeline.tasks.flatMap(({ name }) => [`tasks.${name}.status`, `tasks.${name}.reason`])]
        : []),
    ]),
  };
}
