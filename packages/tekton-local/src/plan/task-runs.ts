import type {
  ParamValue,
  PipelineRun,
  PipelineTask,
  PodTemplate,
  ResolvedRun,
  Task,
  WorkspaceBinding,
} from './model.ts';
import { expressionsIn, type ResultReference, resultReference, variablesIn } from './replace/expressions.ts';
import { replaceInPipelineTask, replaceInTask } from './replace/replace.ts';
import { spellings, Variables } from './replace/variables.ts';
import { withActions } from './step-actions.ts';
import { taskParams } from './task-params.ts';

/** What a run is called, where its files ask for it. */
export interface RunContext {
  name: string;
  namespace: string;
  uid: string;
}

/** A pipeline task and the Task that it runs, with variables replaced as far as they are known. */
export interface Prepared {
  task: PipelineTask;
  spec: Task;
  embedded: boolean;
  /** It is a TaskRun, and there are no others whose results it could see. */
  alone?: boolean | undefined;
}

/** Thrown where a task needs a result that is not there. */
export class MissingResult extends Error {
  override readonly name = 'MissingResult';
  readonly task: string;
  readonly result: string;

  constructor(task: string, result: string) {
    super(`Could not find result with name ${result} for pipeline task ${task}`);
    this.task = task;
    this.result = result;
  }
}

type Results = ReadonlyMap<string, Readonly<Record<string, ParamValue>>>;
type Known = Pick<ResolvedRun, 'run' | 'pipeline' | 'implementations'> & {
  params: Readonly<Record<string, ParamValue>>;
  defaulted: ReadonlySet<string>;
  workspaces: ReadonlyMap<string, WorkspaceBinding>;
};

/**
 * The pipeline's tasks with the values of params, contexts and `workspaces.<name>.bound`: all that does not depend on how
 * other tasks end. Specs inside the pipeline see them too.
 */
export function preparePipeline(plan: Known, { name, namespace, uid }: RunContext): Map<string, Prepared> {
  const { pipeline, implementations } = plan;
  const params = new Variables();
  for (const [key, value] of Object.entries(plan.params)) {
    params.addParam(key, value, 'pipeline');
    if (!plan.defaulted.has(key)) continue;
    // Of defaults alone, keys are known in every spelling.
    for (const spelling of spellings(key, 'pipeline')) params.addKeys(spelling, value);
  }
  const contexts = Variables.of({
    'context.pipelineRun.name': name,
    'context.pipelineRun.namespace': namespace,
    'context.pipelineRun.uid': uid,
    'context.pipeline.name': pipeline.name || name,
  });
  const bound = new Set([...pipeline.workspaces.map((workspace) => workspace.name), ...plan.workspaces.keys()]);
  const workspaces = Variables.of(
    Object.fromEntries([...bound].map((key) => [`workspaces.${key}.bound`, String(plan.workspaces.has(key))])),
  );
  // A TaskRun has params, and nothing of a pipeline.
  const passes = plan.run.isTaskRun ? [] : [params, contexts, ...(bound.size > 0 ? [workspaces] : [])];
  return new Map(
    [...pipeline.tasks, ...pipeline.finally].flatMap((declared) => {
      const implementation = implementations.get(declared.name);
      if (implementation === undefined) return [];
      const { embedded } = implementation;
      let { task: spec } = implementation;
      let task = declared;
      for (const pass of passes) {
        task = replaceInPipelineTask(task, pass);
        if (embedded) spec = replaceInTask(spec, pass === params ? scoped(pass, task) : pass);
      }
      return [[task.name, { task, spec, embedded, alone: plan.run.isTaskRun }]];
    }),
  );
}

/** The pipeline's params, where a pipeline task gives one of the same name: that counts inside of it. */
function scoped(params: Variables, task: PipelineTask): Variables {
  if (task.params.length === 0) return params;
  const own = new Variables();
  for (const [key, value] of params.strings) own.strings.set(key, value);
  for (const [key, value] of params.arrays) own.arrays.set(key, value);
  for (const [key, value] of params.objects) own.objects.set(key, value);
  for (const { name, value } of task.params) {
    for (const spelling of spellings(name, 'pipeline')) {
      if (own.strings.has(spelling)) own.strings.set(spelling, typeof value === 'string' ? value : '');
      if (own.arrays.has(spelling)) own.arrays.set(spelling, Array.isArray(value) ? value : []);
      if (!own.objects.has(spelling)) continue;
      const object = typeof value === 'object' && !Array.isArray(value) ? value : {};
      own.objects.set(spelling, object);
      own.addKeys(`params.${name}`, object);
    }
  }
  return own;
}

/** The results that a pipeline task refers to, in itself and in a spec inside it: it waits for those tasks. */
export function resultsNeeded({ task, spec, embedded, alone }: Prepared): ResultReference[] {
  if (alone === true) return [];
  return [...textsOf(task), ...(embedded ? [...spec.steps, ...spec.sidecars].flatMap(textsWithResults) : [])]
    .flatMap(expressionsIn)
    .flatMap((expression) => resultReference(expression) ?? []);
}

/** What a pipeline task itself says in its params, its matrix and its conditions. */
export function textsOf({ params, matrix, include, when }: PipelineTask): string[] {
  const values = [...params, ...matrix, ...include.flat()].flatMap(({ value }) => {
    if (typeof value === 'string') return [value];
    return Array.isArray(value) ? value : Object.values(value);
  });
  return [...values, ...when.flatMap(({ input, values: list }) => [input, ...list])];
}

/** What a step or a sidecar itself says; of a StepAction nothing, which is put in later. */
export function textsOfSpecStep(step: Task['steps'][number]): string[] {
  const { name, image, script = '', workingDir = '', command = [], args, env, action } = step;
  if (action !== undefined) return [];
  return [name, image, script, workingDir, ...command, ...args, ...env.map(({ value }) => value)];
}

/** The texts of a step or a sidecar in which Tekton looks for results: also the names of what variables are from. */
function textsWithResults(step: Task['steps'][number]): string[] {
  if (step.action !== undefined) return [];
  const sources = step.env.flatMap(({ from }) => (from === undefined ? [] : [from.object, from.key]));
  return [...textsOfSpecStep(step), ...sources];
}

/**
 * The task with the results of those that have ended.
 *
 * @param statuses `tasks.status` and the like, for finally tasks.
 * @throws MissingResult where one is not there.
 */
export function withResults(
  prepared: Prepared,
  results: Results,
  statuses: Readonly<Record<string, string>>,
): Prepared {
  let { task, spec } = prepared;
  if (Object.keys(statuses).length > 0) {
    // Not in a matrix.
    const { params, when } = replaceInPipelineTask(task, Variables.of(statuses));
    task = { ...task, params, when };
  }
  const needed = new Variables();
  for (const { task: from, result, index } of resultsNeeded({ ...prepared, task })) {
    const value = results.get(from)?.[result];
    if (value === undefined) throw new MissingResult(from, result);
    if (Array.isArray(value) && typeof index === 'number' && index >= value.length) {
      throw new Error(
        `array Result Index ${index} for Task ${from} Result ${result} is out of bound of size ${value.length}`,
      );
    }
    needed.addResult(from, result, value);
  }
  const { include } = task;
  task = {
    ...replaceInPipelineTask(task, needed),
    // What is included is text: whole arrays and objects stay as they are written.
    include: include.map((params) =>
      params.map((param) => ({
        ...param,
        value: typeof param.value === 'string' ? needed.text(param.value) : param.value,
      })),
    ),
  };
  if (prepared.embedded) {
    const all = new Variables();
    for (const [from, values] of results) {
      for (const [name, value] of Object.entries(values)) {
        const key = `tasks.${from}.results.${name}`;
        if (typeof value === 'string') all.strings.set(key, value);
        else if (Array.isArray(value)) all.arrays.set(key, value);
        else for (const [member, item] of Object.entries(value)) all.strings.set(`${key}.${member}`, item);
      }
    }
    spec = replaceInTask(spec, all);
  }
  return { ...prepared, task, spec };
}

/** A pipeline task's params once it is about to start: its retries and lengths of matrices are known. */
export function withTaskContext(prepared: Prepared, lengths: Readonly<Record<string, string>>): Prepared {
  if (prepared.alone) return prepared;
  const pass = Variables.of({ 'context.pipelineTask.retries': String(prepared.task.retries), ...lengths });
  // Combinations are made by then.
  const { params } = replaceInPipelineTask(prepared.task, pass);
  return { ...prepared, task: { ...prepared.task, params } };
}

/**
 * The Task of one TaskRun with its StepActions as steps, and what is to be replaced in it: all but what is only known where
 * it runs, such as paths, and results of its steps.
 */
export function taskRunPasses(
  spec: Task,
  given: Readonly<Record<string, ParamValue>>,
  context: { name: string; namespace: string; uid: string; task: string; retry: number },
): { task: Task; passes: Variables[] } {
  const contexts = Variables.of({
    'context.taskRun.name': context.name,
    'context.taskRun.namespace': context.namespace,
    'context.taskRun.uid': context.uid,
    'context.task.name': context.task,
    'context.task.retry-count': String(context.retry),
  });
  const params = taskParams(spec.params, given);
  return { task: withActions(spec, params), passes: [params, contexts] };
}

/** The names of the workspaces that a spec inside a pipeline uses, declared or not; others get none by using them. */
export function workspacesUsed({ spec, embedded, alone }: Prepared): string[] {
  if (!embedded || alone === true) return [];
  // As in Tekton: not those in names of images and volumes.
  const texts = spec.steps.flatMap(({ script = '', workingDir = '', command = [], args, env, action }) => [
    ...(action === undefined ? [script, workingDir, ...command, ...args, ...env.map(({ value }) => value)] : []),
    ...(action?.given ?? []).flatMap(({ value }) => (typeof value === 'string' ? [value] : Object.values(value))),
  ]);
  return [...new Set(texts.flatMap((text) => variablesIn(text, 'workspaces').map(({ name }) => name)))];
}

/**
 * A pipeline's results from those of its tasks: none for those of tasks that did not succeed, and `invalid` names those
 * that should be there.
 */
export function pipelineResults(
  declared: readonly { name: string; value: ParamValue }[],
  results: Results,
  succeeded: (task: string) => boolean,
): { results: Record<string, ParamValue>; invalid: string[] } {
  const found: Record<string, ParamValue> = {};
  const invalid: string[] = [];
  for (const { name, value } of declared) {
    const pass = new Variables();
    let isWhole = true;
    for (const expression of (typeof value === 'string' ? [value] : Object.values(value)).flatMap(expressionsIn)) {
      const reference = resultReference(expression);
      const task = reference?.task ?? '';
      const given = reference && results.get(task)?.[reference.result];
      if (given !== undefined && reference !== undefined) {
        addReferenced(pass, expression, given, reference);
        if (hasPart(given, reference)) continue;
      }
      isWhole = false;
      if (given !== undefined || reference === undefined || succeeded(task)) invalid.push(name);
    }
    if (isWhole) found[name] = pass.value(value);
  }
  return { results: found, invalid };
}

function hasPart(value: ParamValue, { index, key }: ResultReference): boolean {
  if (key !== undefined) return typeof value === 'object' && !Array.isArray(value) && Object.hasOwn(value, key);
  return !Array.isArray(value) || index === '*' || (index ?? 0) < value.length;
}

function addReferenced(pass: Variables, expression: string, value: ParamValue, { index, key }: ResultReference): void {
  const name = expression.replace(/\[\*\]$/, '');
  if (typeof value === 'string') pass.strings.set(expression, value);
  else if (Array.isArray(value)) {
    if (index === '*') pass.arrays.set(name, value);
    else pass.strings.set(expression, value[index ?? 0] ?? '');
  } else if (key !== undefined) pass.strings.set(expression, value[key] ?? '');
  else pass.objects.set(name, value);
}

/** What a task's own Pod template says goes before what all of the run get. */
export function podOf({ pod, pods }: PipelineRun, task: string): PodTemplate {
  const own = pods.get(task);
  return {
    env: { ...pod.env, ...own?.env },
    runAsUser: own?.runAsUser ?? pod.runAsUser,
    runAsGroup: own?.runAsGroup ?? pod.runAsGroup,
    volumes: own === undefined || own.volumes.length === 0 ? pod.volumes : own.volumes,
    task: own?.task ?? pod.task,
  };
}

/** What the run's workspaces are bound to, with the variables in their sub paths replaced. */
export function bindingsOf(plan: Known, { name, namespace, uid }: RunContext): Map<string, WorkspaceBinding> {
  const params = new Variables();
  for (const param of plan.run.params) params.addParam(param.name, plan.params[param.name] ?? param.value, 'pipeline');
  const contexts = Variables.of({
    'context.pipelineRun.name': name,
    'context.pipelineRun.namespace': namespace,
    'context.pipelineRun.uid': uid,
    'context.pipeline.name': plan.run.pipeline.kind === 'name' ? plan.run.pipeline.name : '',
  });
  const text = (path: string): string => contexts.text(params.text(path));
  return new Map(
    [...plan.workspaces].map(([key, binding]) => {
      if (binding.kind === 'unbound' || binding.subPath === undefined) return [key, binding];
      return [key, { ...binding, subPath: text(binding.subPath) }];
    }),
  );
}
