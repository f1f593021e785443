import { TektonLocalError, throwProblems } from '../errors.ts';
import { leftIn } from '../pac/variables.ts';
import { checkGiven, checkPipelineTask } from './check-pipeline-task.ts';
import { checkValue, type Known } from './check-references.ts';
import { checkTask } from './check-task.ts';
import { checkGraph, type Dependencies } from './graph.ts';
import type {
  ParamSpec,
  ParamType,
  ParamValue,
  PipelineTask,
  ResolvedRun,
  TaskImplementation,
  WorkspaceBinding,
} from './model.ts';
import { article, typeOf } from './parse-values.ts';
import { referencesInValue } from './substitute.ts';
import { bindWorkspaces } from './workspace-bindings.ts';

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
  const { run, pipeline, problems } = resolved;
  const notes: string[] = [];
  const params = pipelineParams(resolved, overrides, notes);
  const workspaces = bindWorkspaces(resolved, folders, notes);
  if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(run.name) || run.name.length > 253) {
    const message = `${JSON.stringify(run.name)} is no name: letters a-z, digits, - and .`;
    run.field.get('metadata').invalid(message);
  }
  noteIgnored(resolved, notes);
  checkTasks(resolved, notes);
  const dependencies = checkGraph(pipeline);
  throwProblems(problems);
  return { ...resolved, params, dependencies, workspaces, notes };
}

function noteIgnored({ run }: ResolvedRun, notes: string[]): void {
  if (run.serviceAccountName !== undefined) notes.push(`service account ${run.serviceAccountName} is ignored`);
  const left = leftIn(JSON.stringify(run.field.get('spec').value) ?? '');
  if (left.length > 0) {
    const shown = left.map((name) => `{{ ${name} }}`).join(', ');
    notes.push(
      `${shown} ${left.length > 1 ? 'have' : 'has'} no value in this event and stays as it is, as in a cluster`,
    );
  }
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
      param.field.invalid('the params of a PipelineRun refer to nothing but context');
    }
  }
  checkGiven(
    pipeline.params,
    run.params.filter((param) => !Object.hasOwn(overrides, param.name)),
  );
  const given = new Map(run.params.map((param) => [param.name, param.value]));
  const values = new Map<string, ParamValue>();
  for (const spec of pipeline.params) {
    const { name } = spec;
    const value = Object.hasOwn(overrides, name) ? overrides[name] : (given.get(name) ?? spec.default);
    if (value !== undefined) values.set(name, mergeObject(spec, value));
    else {
      const { file } = run.field.origin;
      problems.push({ code: 'INVALID', file, path: 'spec.params', message: `the param ${name} has no value` });
    }
  }
  return Object.fromEntries(values);
}

/** An object param's default gives the keys that are not given. */
export function mergeObject(spec: ParamSpec, value: ParamValue): ParamValue {
  if (spec.type !== 'object' || typeof value === 'string' || Array.isArray(value)) return value;
  return typeof spec.default === 'object' && !Array.isArray(spec.default) ? { ...spec.default, ...value } : value;
}

/** Notes what is wrong in the pipeline's tasks, in the Tasks that they run, and in the pipeline's results. */
function checkTasks({ pipeline, implementations }: ResolvedRun, notes: string[]): void {
  const { tasks, finally: last } = pipeline;
  const params = new Map(pipeline.params.map((param) => [param.name, param.type]));
  const resultsOf = (group: readonly PipelineTask[]): Map<string, ReadonlyMap<string, ParamType>> =>
    new Map(
      group.flatMap((task) => {
        const implementation = implementations.get(task.name);
        return implementation === undefined ? [] : [[task.name, declaredResults(implementation, task)]];
      }),
    );
  const values = [
    ...PIPELINE_CONTEXT,
    'context.pipelineTask.retries',
    ...pipeline.workspaces.map((workspace) => `workspaces.${workspace.name}.bound`),
  ];
  const known: Known = { params, tasks: resultsOf(tasks), values: new Set(values) };
  const statuses = tasks.flatMap(({ name }) => [`tasks.${name}.status`, `tasks.${name}.reason`]);
  const knownLast: Known = { ...known, values: new Set([...values, 'tasks.status', ...statuses]) };
  const checked = new Set<object>();
  for (const task of [...tasks, ...last]) {
    const implementation = implementations.get(task.name);
    if (implementation === undefined) continue;
    checkPipelineTask(task, implementation, last.includes(task) ? knownLast : known, pipeline, notes);
    if (checked.has(implementation.task)) continue;
    checked.add(implementation.task);
    checkTask(
      implementation.task,
      implementation.embedded ? { params, values: PIPELINE_CONTEXT } : { params: new Map(), values: [] },
    );
  }
  const knownToResults: Known = { ...known, finally: resultsOf(last) };
  for (const result of pipeline.results) checkValue(result.field.get('value'), result.value, knownToResults);
}

/** A matrix turns each result into the array of its runs' results. */
function declaredResults(implementation: TaskImplementation, { matrix }: PipelineTask): Map<string, ParamType> {
  return new Map(implementation.task.results.map(({ name, type }) => [name, matrix.length > 0 ? 'array' : type]));
}
