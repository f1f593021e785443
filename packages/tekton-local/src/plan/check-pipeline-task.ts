import { expressionsIn, resultReference, variablesIn, withoutIndex } from './expressions.ts';
import type { Field } from './field.ts';
import type {
  ParamSpec,
  ParamValue,
  PipelineTask,
  ResolvedRun,
  Task,
  TaskImplementation,
  WorkspaceBinding,
} from './model.ts';
import { article, typeOf } from './parse-values.ts';
import { type Prepared, resultsNeeded, workspacesUsed } from './task-runs.ts';
import { checkSubPath } from './workspace-bindings.ts';

// What Tekton's controllers find wrong once an object is there; here it is said before anything starts.

/** Notes what is wrong between a pipeline task and the Task that it runs. */
export function checkPipelineTask(
  task: PipelineTask,
  { task: prepared, spec }: Prepared,
  { task: implementation, given, skipped }: TaskImplementation,
  notes: string[],
): void {
  if (skipped !== undefined) return;
  const { params: specs } = implementation;
  for (const { name, value, field } of prepared.params) {
    const declared = specs.find((candidate) => candidate.name === name);
    if (declared === undefined || typeOf(value) === declared.type) continue;
    // It may become one once results are known.
    if (typeof value === 'string' && expressionsIn(value).length > 0) continue;
    field.get('value').invalid(`expected ${article(declared.type)}, found ${article(typeOf(value))}`);
  }
  for (const { name, field } of [...prepared.matrix, ...prepared.include.flat()]) {
    const type = specs.find((declared) => declared.name === name)?.type ?? 'string';
    if (type !== 'string') field.invalid(`a matrix gives strings, and the param is ${article(type)}`);
  }
  for (const { value, field } of prepared.matrix) {
    if (
      !Array.isArray(value) &&
      !expressionsIn(typeof value === 'string' ? value : '').some((expression) => resultReference(expression))
    ) {
      field.get('value').invalid('a matrix goes over arrays');
    }
  }
  const names = new Set([...prepared.params, ...prepared.matrix, ...prepared.include.flat()].map(({ name }) => name));
  for (const declared of specs) {
    if (declared.default === undefined && !names.has(declared.name)) {
      task.field.get('params').invalid(`the param ${declared.name} is required`);
    }
    const value = prepared.params.find(({ name }) => name === declared.name)?.value;
    if (value !== undefined) checkKeys(declared, value, task.field.get('params'));
  }
  for (const param of [...task.params, ...task.matrix, ...task.include.flat()]) {
    if (specs.some((declared) => declared.name === param.name)) continue;
    // What the bundle's own Task may heed must not be dropped unnoticed.
    if (given !== undefined) {
      notes.push(`${task.name}: the Task given for ${implementation.name} does not heed the param ${param.name}`);
    } else if (task.reference.kind !== 'embedded') {
      notes.push(`task ${task.name} does not declare the param ${param.name}`);
    }
  }
  checkIndexes(task, spec, prepared);
  if (!['continue', 'stopAndFail'].includes(prepared.onError)) {
    task.field.get('onError').invalid(`expected continue or stopAndFail, found ${JSON.stringify(prepared.onError)}`);
  } else if (prepared.onError === 'continue' && task.retries > 0) {
    task.field.get('onError').invalid('continue and retries exclude each other');
  }
}

function checkKeys(declared: ParamSpec, value: ParamValue, place: Field): void {
  if (typeof value === 'string' || Array.isArray(value)) return;
  const fallback = typeof declared.default === 'object' ? declared.default : {};
  const missing = Object.keys(declared.field.get('properties').value ?? {}).filter(
    (key) => !Object.hasOwn(value, key) && !Object.hasOwn(fallback, key),
  );
  if (missing.length > 0) place.invalid(`the param ${declared.name} lacks ${missing.join(', ')}`);
}

/** Notes indexes that are outside of the arrays that a TaskRun gets. */
function checkIndexes(task: PipelineTask, spec: Task, { params }: PipelineTask): void {
  const lengths = new Map<string, number>();
  for (const { name, default: value } of spec.params) if (Array.isArray(value)) lengths.set(name, value.length);
  for (const { name, value } of params) if (Array.isArray(value)) lengths.set(name, value.length);
  const texts = spec.steps.flatMap((step) => [
    step.image,
    step.script ?? '',
    step.workingDir ?? '',
    ...(step.command ?? []),
    ...step.args,
    ...step.env.map(({ value }) => value),
    ...step.volumeMounts.flatMap(({ mountPath, subPath = '' }) => [mountPath, subPath]),
  ]);
  for (const { text, rest } of texts.flatMap((item) => variablesIn(item, 'params'))) {
    const index = /\[(\d+)\]$/.exec(rest)?.[1];
    const length = lengths.get(withoutIndex(rest));
    if (index === undefined || length === undefined || Number(index) < length) continue;
    task.field.invalid(`${text} is outside of the array, which has ${length} items`);
  }
}

/** Notes references to results that no task has, of tasks and in the pipeline's results. */
export function checkResults(
  { pipeline, implementations }: ResolvedRun,
  prepared: ReadonlyMap<string, Prepared>,
): void {
  const problemOf = (task: string, result: string): string | undefined => {
    const known = implementations.get(task);
    if (known === undefined || known.task.results.some(({ name }) => name === result)) return undefined;
    return `the task ${task} has no result ${JSON.stringify(result)}`;
  };
  for (const known of prepared.values()) {
    for (const { task, result } of resultsNeeded(known)) {
      const problem = problemOf(task, result);
      if (problem !== undefined) placeOf(known, `tasks.${task}.results`).invalid(problem);
    }
  }
  for (const { value, field } of pipeline.results) {
    const texts = typeof value === 'string' ? [value] : Object.values(value);
    for (const reference of texts.flatMap(expressionsIn).flatMap((text) => resultReference(text) ?? [])) {
      const problem = problemOf(reference.task, reference.result);
      if (problem !== undefined) field.get('value').invalid(problem);
    }
  }
}

/** The field of a pipeline task that has a text. */
function placeOf({ task }: Prepared, text: string): Field {
  const has = (value: unknown): boolean => JSON.stringify(value).includes(text);
  const param = [...task.params, ...task.matrix, ...task.include.flat()].find(({ value }) => has(value));
  if (param !== undefined) return param.field.get('value');
  return task.when.find(({ input, values }) => has([input, values]))?.field ?? task.field;
}

/** Notes workspaces that a task needs and does not get, or gets and does not have. */
export function checkWorkspacesOfTask(
  task: PipelineTask,
  { spec, embedded }: Prepared,
  { pipeline }: ResolvedRun,
  bound: ReadonlyMap<string, WorkspaceBinding>,
): void {
  const declared = new Map(spec.workspaces.map((workspace) => [workspace.name, workspace]));
  const used = new Map(task.workspaces.map(({ name, workspace, field }) => [name, { workspace, field }]));
  for (const item of task.workspaces) checkSubPath(item.field, item.subPath);
  if (embedded) {
    for (const name of workspacesUsed(spec)) {
      if (!used.has(name)) used.set(name, { workspace: name, field: task.field.get('workspaces') });
    }
  }
  const optional = new Set(pipeline.workspaces.filter((workspace) => workspace.optional).map(({ name }) => name));
  for (const [name, { workspace, field }] of used) {
    const own = declared.get(name);
    if (own === undefined && !embedded) field.invalid(`the task has no workspace ${JSON.stringify(name)}`);
    else if (!bound.has(workspace) && own?.optional !== true) {
      field.invalid(`nothing is bound to the workspace ${JSON.stringify(workspace)}`);
    } else if (
      own !== undefined &&
      !own.optional &&
      optional.has(workspace) &&
      task.workspaces.some((item) => item.name === name && item.field.get('workspace').present)
    ) {
      field.invalid(`the workspace ${workspace} of the pipeline is optional, and the task needs it`);
    }
  }
  for (const { name, optional: isOptional } of spec.workspaces) {
    if (!isOptional && !used.has(name)) task.field.get('workspaces').invalid(`the workspace ${name} is required`);
  }
  const claims = new Set(
    [...used.values()].flatMap(({ workspace }) => {
      const binding = bound.get(workspace);
      if (binding?.kind === 'volumeClaimTemplate') return [workspace];
      return binding?.kind === 'elsewhere' && binding.isClaim ? [binding.object] : [];
    }),
  );
  if (claims.size > 1) {
    task.field
      .get('workspaces')
      .invalid(`has more than one volume claim, which Tekton refuses as it is installed: ${[...claims].join(', ')}`);
  }
}
