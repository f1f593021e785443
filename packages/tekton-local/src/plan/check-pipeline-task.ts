import { checkText, checkValue, type Known } from './check-references.ts';
import { checkSubPath } from './check-task.ts';
import type { Param, ParamSpec, ParamValue, Pipeline, PipelineTask, TaskImplementation } from './model.ts';
import { article, typeOf } from './parse-values.ts';

/** Notes each given param whose type is not the declared one. */
export function checkGiven(specs: readonly ParamSpec[], given: readonly Param[]): void {
  for (const param of given) {
    const spec = specs.find((candidate) => candidate.name === param.name);
    if (spec === undefined || isWholeArray(param.value) || typeOf(param.value) === spec.type) continue;
    param.field.get('value').invalid(`expected ${article(spec.type)}, found ${article(typeOf(param.value))}`);
  }
}

/** Notes what is wrong between a pipeline task and the Task that it runs. */
export function checkPipelineTask(
  task: PipelineTask,
  implementation: TaskImplementation,
  known: Known,
  pipeline: Pipeline,
  notes: string[],
): void {
  for (const param of task.params) checkValue(param.field.get('value'), param.value, known);
  for (const when of task.when) {
    checkText(when.field.get('input'), when.input, known);
    checkValue(when.field.get('values'), when.values, known);
  }
  for (const param of task.matrix) {
    const value = param.field.get('value');
    checkValue(value, param.value, known);
    if (!Array.isArray(param.value) && !isWholeArray(param.value)) value.invalid('a matrix goes over arrays');
    if (task.params.some(({ name }) => name === param.name)) param.field.invalid('is a param as well');
  }
  if (implementation.skipped !== undefined) return;
  const { params: specs, workspaces: declared } = implementation.task;
  checkGiven(specs, task.params);
  for (const { name, field } of task.matrix) {
    const type = specs.find((spec) => spec.name === name)?.type ?? 'string';
    if (type !== 'string') field.invalid(`a matrix gives strings, and the param is ${article(type)}`);
  }
  const given = new Set([...task.params, ...task.matrix].map((param) => param.name));
  for (const spec of specs) {
    const inherited = implementation.embedded && known.params.has(spec.name);
    if (spec.default !== undefined || given.has(spec.name) || inherited) continue;
    task.field.get('params').invalid(`the param ${spec.name} is required`);
  }
  for (const param of [...task.params, ...task.matrix]) {
    if (specs.some((spec) => spec.name === param.name)) continue;
    // What the bundle's own Task may heed must not be dropped unnoticed.
    if (implementation.given === undefined) notes.push(`task ${task.name} does not declare the param ${param.name}`);
    else
      notes.push(`${task.name}: the Task given for ${implementation.task.name} does not heed the param ${param.name}`);
  }
  for (const workspace of task.workspaces) {
    checkSubPath(workspace.field, workspace.subPath);
    if (!pipeline.workspaces.some((candidate) => candidate.name === workspace.workspace)) {
      workspace.field.invalid(`the pipeline has no workspace ${JSON.stringify(workspace.workspace)}`);
    }
    if (!declared.some((candidate) => candidate.name === workspace.name)) {
      workspace.field.invalid(`the task has no workspace ${JSON.stringify(workspace.name)}`);
    }
  }
  for (const workspace of declared) {
    if (workspace.optional || task.workspaces.some((candidate) => candidate.name === workspace.name)) continue;
    task.field.get('workspaces').invalid(`the workspace ${workspace.name} is required`);
  }
}

/** Nothing but `$(…[*])`: whatever it stands for is looked at with the references. */
function isWholeArray(value: ParamValue): boolean {
  return typeof value === 'string' && /^\$\(.*\[\*\]\)$/.test(value);
}
