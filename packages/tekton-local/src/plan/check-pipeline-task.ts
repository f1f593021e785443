import { admitNoStatusIn, unknownRoot } from './admit/pipeline.ts';
import { checkReplaced, problemOutside } from './check-replaced.ts';
import { combinationsOf, isMatrix, knownCombinations } from './combinations.ts';
import { missingKeys } from './given-params.ts';
import type {
  Param,
  ParamSpec,
  ParamType,
  ParamValue,
  Pipeline,
  PipelineTask,
  ResolvedRun,
  TaskImplementation,
  Volume,
  WorkspaceBinding,
} from './model.ts';
import { expressionsIn, isWholeVariable, type ResultReference, resultReference } from './replace/expressions.ts';
import { type BoundWorkspace, claimOf } from './task-paths.ts';
import { type Prepared, resultsNeeded, textsOf, workspacesUsed } from './task-runs.ts';
import { article, typeOf } from './values.ts';
import { checkSubPath } from './workspace-bindings.ts';
import type { Field } from './yaml/field.ts';

// What Tekton's controllers find wrong once an object is there; here it is said before anything starts.

/** Notes what is wrong between a pipeline task and the Task that it runs. */
export function checkPipelineTask(
  task: PipelineTask,
  { task: prepared, spec, embedded, alone }: Prepared,
  { task: implementation, given, skipped }: TaskImplementation,
  bound: readonly BoundWorkspace[],
  volumes: readonly Volume[],
  notes: string[],
): void {
  if (skipped !== undefined) return;
  const { params: specs } = implementation;
  for (const { name, value, field } of prepared.params) {
    const declared = specs.find((candidate) => candidate.name === name);
    if (declared === undefined || typeOf(value) === declared.type) continue;
    // It becomes one once results are known; and where variables stay in it, Tekton does not look.
    if (typeof value === 'string' && declared.type !== 'string' && mayStayOpen(value, alone)) continue;
    field.get('value').invalid(`expected ${article(declared.type)}, found ${article(typeOf(value))}`);
  }
  for (const { name, field } of [...prepared.matrix, ...prepared.include.flat()]) {
    const type = specs.find((declared) => declared.name === name)?.type ?? 'string';
    if (type !== 'string') field.invalid(`a matrix gives strings, and the param is ${article(type)}`);
  }
  for (const { value, field } of prepared.include.flat()) {
    if (typeof value !== 'string') field.get('value').expected('a string, as all that a matrix includes');
  }
  for (const { value, field } of prepared.matrix) {
    // It becomes one once a result is known, or stays as it is.
    const isResult = typeof value === 'string' && expressionsIn(value).some(resultReference);
    if (!Array.isArray(value) && !isResult) field.get('value').invalid('a matrix goes over arrays');
  }
  const names = new Set([...prepared.params, ...prepared.matrix, ...prepared.include.flat()].map(({ name }) => name));
  for (const declared of specs) {
    if (declared.default === undefined && !names.has(declared.name)) {
      task.field.get('params').invalid(`the param ${declared.name} is required`);
    }
    checkKeys(declared, prepared.params.find(({ name }) => name === declared.name)?.value, task.field.get('params'));
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
  checkCombinations(prepared, specs);
  checkReplaced(task, { task: prepared, spec, embedded }, bound, volumes);
  // A param without a value stays as it is, which Tekton takes and which is not continue.
  if (!['continue', 'stopAndFail'].includes(prepared.onError) && !prepared.onError.startsWith('$(params')) {
    task.field.get('onError').invalid(`expected continue or stopAndFail, found ${JSON.stringify(prepared.onError)}`);
  } else if (prepared.onError === 'continue' && task.retries > 0) {
    task.field.get('onError').invalid('continue and retries exclude each other');
  }
}

/**
 * Notes the status of tasks that values of params brought in: with its params put in, Tekton looks at a Pipeline of its own
 * again each time that it comes back to the run.
 */
export function checkStatusBroughtIn({ params, when }: PipelineTask): void {
  for (const { value, field } of params) {
    const texts = typeof value === 'string' ? [value] : Object.values(value);
    admitNoStatusIn(field, texts.flatMap(expressionsIn));
  }
  for (const { input, values, field } of when) admitNoStatusIn(field, [input, ...values].flatMap(expressionsIn));
}

/** Notes a TaskRun of a matrix that gets no value for what it needs, since what is included gives none. */
function checkCombinations({ params, matrix, include, field }: PipelineTask, specs: readonly ParamSpec[]): void {
  const always = new Set(params.map(({ name }) => name));
  const needed = specs.filter((spec) => spec.default === undefined && !always.has(spec.name));
  for (const combination of knownCombinations({ matrix, include }) ?? []) {
    const missing = needed.find(({ name }) => !Object.hasOwn(combination, name));
    if (missing === undefined) continue;
    const given = Object.entries(combination).map(([name, value]) => `${name}=${value}`);
    const place = include[0]?.[0]?.field ?? field.get('matrix');
    place.invalid(`the TaskRun with ${given.join(' ') || 'nothing'} gets no value for ${missing.name}`);
    return;
  }
}

/** Notes an object that has some of its declared keys and not all, by its default and what is given together. */
export function checkKeys(declared: ParamSpec, value: ParamValue | undefined, place: Field): void {
  const missing = missingKeys(declared, value);
  if (missing.length > 0) place.invalid(`the param ${declared.name} lacks ${missing.join(', ')}`);
}

/** Whether a text becomes an array or an object once results are known, or keeps a variable for good. */
function mayStayOpen(text: string, alone = false): boolean {
  const isOpen = (expression: string): boolean => /^(?:tasks|finally)\./.test(expression);
  const expressions = expressionsIn(text);
  // A TaskRun that stands alone has no results of others to put in.
  if (alone || isWholeVariable(text)) return expressions.length > 0;
  return expressions.some((expression) => !isOpen(expression) || expression.endsWith('[*]'));
}

/**
 * Notes variables of nothing that there is, which values have brought into a task of a Pipeline of its own: of that Tekton
 * checks what it has replaced once more.
 */
export function checkRoots({ params, matrix, include, when }: PipelineTask): void {
  for (const { value, field } of [...params, ...matrix, ...include.flat()]) {
    const texts = typeof value === 'string' ? [value] : Object.values(value);
    const unknown = unknownRoot(texts.flatMap(expressionsIn));
    if (unknown !== undefined) field.get('value').invalid(unknown);
  }
  for (const { input, values, field } of when) {
    const unknown = unknownRoot([input, ...values].flatMap(expressionsIn));
    if (unknown !== undefined) field.invalid(unknown);
  }
}

/**
 * Notes indexes that are outside of the arrays that a run gives its Pipeline, wherever Tekton looks for them in it.
 *
 * @param params What the run gives, and the Pipeline's defaults.
 */
export function checkPipelineIndexes(
  { tasks, finally: last }: Pipeline,
  params: Readonly<Record<string, ParamValue>>,
): void {
  for (const task of [...tasks, ...last]) {
    const subPaths = last.includes(task) ? [] : task.workspaces.map(({ subPath = '' }) => subPath);
    // Not in what a matrix includes.
    const problem = problemOutside([...textsOf({ ...task, include: [] }), ...subPaths], (name) => {
      const value = Object.hasOwn(params, name) ? params[name] : undefined;
      return Array.isArray(value) ? value.length : undefined;
    });
    if (problem !== undefined) task.field.invalid(problem);
  }
}

/** Notes references to results that no task has, of tasks and in the pipeline's results. */
export function checkResults(
  { pipeline, implementations }: ResolvedRun,
  prepared: ReadonlyMap<string, Prepared>,
): void {
  const names = new Set([...pipeline.tasks, ...pipeline.finally].map(({ name }) => name));
  const check = ({ task, result }: ResultReference, field: () => Field): void => {
    const known = implementations.get(task);
    if (!names.has(task)) field().invalid(`there is no task ${JSON.stringify(task)} in the pipeline`);
    else if (known === undefined || known.task.results.some(({ name }) => name === result)) return;
    else if (known.skipped === undefined) field().invalid(`the task ${task} has no result ${JSON.stringify(result)}`);
    else {
      const missing = `the task ${task} is skipped, and nothing was given for its result ${JSON.stringify(result)}`;
      field().unsupported(`${missing}: --result ${known.skipped.as}.${result}=VALUE`);
    }
  };
  for (const known of prepared.values()) {
    for (const needed of resultsNeeded(known)) check(needed, () => placeOf(known, `tasks.${needed.task}.results`));
  }
  const typeIn = ({ task, result }: ResultReference): ParamType | undefined => {
    const known = prepared.get(task);
    if (known === undefined || isMatrix(known.task)) return 'array';
    return known.spec.results.find(({ name }) => name === result)?.type;
  };
  for (const known of prepared.values()) checkMatrixOfTexts(known, typeIn);
  for (const { value, field } of pipeline.results) {
    const texts = typeof value === 'string' ? [value] : Object.values(value);
    for (const reference of texts.flatMap(expressionsIn).flatMap((text) => resultReference(text) ?? [])) {
      check(reference, () => field.get('value'));
    }
  }
}

/**
 * Notes a matrix over a result that becomes a text, or that is no array: of that one Tekton makes no combinations, and what
 * needs a value from it gets none.
 */
function checkMatrixOfTexts(
  { task, spec }: Prepared,
  typeIn: (reference: ResultReference) => ParamType | undefined,
): void {
  const isReplaced = (reference: ResultReference): boolean => {
    if (reference.index === '*') return false;
    return reference.index !== undefined || reference.key !== undefined || typeIn(reference) === 'string';
  };
  const referencesOf = ({ value }: Param): ResultReference[] =>
    typeof value === 'string' ? expressionsIn(value).flatMap((one) => resultReference(one) ?? []) : [];
  for (const param of task.matrix) {
    const references = referencesOf(param);
    if (references.length > 0 && references.every(isReplaced)) {
      param.field.get('value').invalid('a matrix goes over arrays');
    }
  }
  const texts = task.matrix.filter((param) => {
    const [reference] = referencesOf(param);
    return reference !== undefined && !(isWholeVariable(String(param.value)) && typeIn(reference) === 'array');
  });
  const [text] = texts;
  if (text === undefined) return;
  const matrix = task.matrix.map((param): Param => {
    if (typeof param.value !== 'string') return param;
    return { ...param, value: texts.includes(param) ? [] : [param.value] };
  });
  const [first = {}] = combinationsOf({ matrix, include: task.include });
  const given = new Set([...Object.keys(first), ...task.params.map(({ name }) => name)]);
  const missing = spec.params.find((param) => param.default === undefined && !given.has(param.name));
  if (missing === undefined) return;
  text.field.get('value').invalid(`is no array, so that the param ${missing.name} gets no value`);
}

/** The field of a pipeline task that has a text. */
function placeOf({ task }: Prepared, text: string): Field {
  const has = (value: unknown): boolean => JSON.stringify(value).includes(text);
  const param = [...task.params, ...task.matrix, ...task.include.flat()].find(({ value }) => has(value));
  if (param !== undefined) return param.field.get('value');
  return task.when.find(({ input, values }) => has([input, values]))?.field ?? task.field;
}

/** Notes what a run says of tasks, steps and sidecars that there are not. */
export function checkSpecNames({ run, pipeline, implementations }: ResolvedRun): void {
  const spec = run.field.get('spec');
  const owners = run.isTaskRun
    ? [{ of: spec, task: [...implementations.keys()][0] ?? '' }]
    : spec
        .get('taskRunSpecs')
        .items()
        .map((of) => ({ of, task: of.get('pipelineTaskName').text() }));
  const names = new Set([...pipeline.tasks, ...pipeline.finally].map(({ name }) => name));
  for (const { of, task } of owners) {
    const known = implementations.get(task);
    if (!run.isTaskRun && !names.has(task))
      of.get('pipelineTaskName').invalid(`there is no task ${JSON.stringify(task)} in the pipeline`);
    if (known === undefined || known.skipped !== undefined || !names.has(task)) continue;
    for (const [key, list] of [
      ['stepSpecs', 'steps'],
      ['sidecarSpecs', 'sidecars'],
    ] as const) {
      const there = new Set(
        known.task.field
          .get(list)
          .items()
          .map((item) => item.get('name').text()),
      );
      for (const item of of.get(key).items()) {
        const name = item.get('name');
        if (!there.has(name.text()))
          name.invalid(`the task has none of its ${list} with the name ${JSON.stringify(name.text())}`);
      }
    }
  }
}

/** Notes workspaces that a task needs and does not get, or gets and does not have. */
export function checkWorkspacesOfTask(
  task: PipelineTask,
  prepared: Prepared,
  { pipeline }: ResolvedRun,
  bound: ReadonlyMap<string, WorkspaceBinding>,
): void {
  const { spec, embedded } = prepared;
  const declared = new Map(spec.workspaces.map((workspace) => [workspace.name, workspace]));
  const used = new Map(task.workspaces.map(({ name, workspace, field }) => [name, { workspace, field }]));
  for (const [index, { name, field, subPath }] of task.workspaces.entries()) {
    checkSubPath(field, subPath);
    // What a Task declares itself is there once, whatever it gets.
    const isTwice = task.workspaces.findIndex((other) => other.name === name) < index;
    if (isTwice && !declared.has(name)) field.invalid(`there are two workspaces named ${JSON.stringify(name)}`);
  }
  for (const name of workspacesUsed(prepared)) {
    if (!used.has(name)) used.set(name, { workspace: name, field: task.field.get('workspaces') });
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
      if (binding?.kind === 'elsewhere' && binding.isClaim) return [binding.object];
      const claim = binding === undefined ? undefined : claimOf(binding);
      if (claim === undefined) return [];
      return [claim.generated ? workspace : claim.name];
    }),
  );
  if (claims.size > 1) {
    task.field
      .get('workspaces')
      .invalid(`has more than one volume claim, which Tekton refuses as it is installed: ${[...claims].join(', ')}`);
  }
}
