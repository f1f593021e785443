import { findCycle } from '@multi-image/kit/cycles';
import { isEmpty } from '../decode/shape.ts';
import { expressionsIn, looksLikeResult, resultReference, variablesIn } from '../replace/expressions.ts';
import { parseParamValue, typeOf } from '../values.ts';
import type { Field } from '../yaml/field.ts';
import {
  admitAlone,
  admitKnown,
  admitNoArray,
  admitNoObject,
  admitObjectKeys,
  admitParamSpecs,
  admitUniqueNames,
  admitValues,
  declaredParams,
  type KnownParams,
  knownParams,
} from './params.ts';
import { admitReference, isLabel } from './reference.ts';
import { mergedSteps, type StepText, textsOfStep } from './step-texts.ts';
import { admitParamUsage, admitTaskSpec } from './task.ts';
import { admitWhen } from './when.ts';

/** Tekton's default for a matrix. */
const MOST_COMBINATIONS = 256;
const ROOTS = ['params', 'tasks', 'finally', 'context', 'workspaces', 'results'];

/** Notes what Tekton's webhook refuses in a Pipeline's spec, wherever that is. */
export function admitPipelineSpec(spec: Field): void {
  const groups = { tasks: spec.get('tasks').items(), finally: spec.get('finally').items() };
  const all = [...groups.tasks, ...groups.finally];
  // One without tasks ends as soon as it starts, and well.
  if (isEmpty(spec.value)) spec.invalid('is empty');
  if (groups.tasks.length === 0 && groups.finally.length > 0)
    spec.get('finally').invalid('a Pipeline needs more than finally tasks');
  const names = { tasks: namesOf(groups.tasks), finally: namesOf(groups.finally) };
  const seen = new Set<string>();
  for (const task of all) {
    const name = task.get('name').text();
    if (!isLabel(name)) task.get('name').invalid(`${JSON.stringify(name)} is no name: letters a-z, digits and -`);
    if (seen.has(name)) task.get('name').invalid(`there are two tasks named ${JSON.stringify(name)}`);
    seen.add(name);
    admitPipelineTask(task);
  }
  admitGraph(groups.tasks, names.tasks);
  admitParamSpecs(spec.get('params'), false);
  admitContext(groups.tasks.at(-1));
  admitContext(groups.finally.at(-1));
  for (const task of groups.tasks) admitNoStatus(task);
  for (const task of groups.finally) admitFinally(task, names);
  admitWorkspaces(spec.get('workspaces'));
  for (const result of spec.get('results').items()) admitPipelineResult(result, names);
  admitMatrixResults(groups.tasks);
}

function namesOf(tasks: readonly Field[]): Set<string> {
  return new Set(tasks.map((task) => task.get('name').text()));
}

function admitPipelineTask(task: Field): void {
  const kinds = ['taskRef', 'taskSpec', 'pipelineRef', 'pipelineSpec'].filter((key) => task.get(key).present);
  if (kinds.length === 0) task.invalid('needs a taskRef or a taskSpec');
  if (kinds.length > 1) task.invalid(`has ${kinds.join(' and ')}; expected one of them`);
  for (const key of ['pipelineRef', 'pipelineSpec']) {
    if (task.get(key).present) task.get(key).unsupported('pipelines in pipelines are an alpha feature of Tekton');
  }
  const onError = task.get('onError').text();
  if (onError !== '' && !onError.startsWith('$(params')) {
    if (onError !== 'continue' && onError !== 'stopAndFail') {
      task.get('onError').invalid(`expected continue or stopAndFail, found ${JSON.stringify(onError)}`);
    }
    if (onError === 'continue' && Number(task.get('retries').value ?? 0) > 0) {
      task.get('onError').invalid('continue and retries exclude each other');
    }
  }
  admitTaskOf(task);
  admitUniqueNames(task.get('params'), 'params');
  admitWhen(task.get('when'));
  admitMatrix(task);
  const matrix = allParams(task).map((param) => param.get('value'));
  const inMatrix = matrix.map((field) => ({ field, expressions: textsIn(field).flatMap(expressionsIn) }));
  for (const { field, expressions } of [...expressionsOf(task), ...inMatrix]) {
    const unknown = unknownRoot(expressions);
    if (unknown !== undefined) field.invalid(unknown);
  }
  for (const param of task.get('params').items()) {
    const texts = textsIn(param.get('value')).filter((text) =>
      /\$\(tasks\.[^.]+\.(?:inputs|outputs)\.[^.)]+\)/.test(text),
    );
    if (texts.length > 0) {
      param
        .get('value')
        .unsupported("needs Tekton's feature flag enable-artifacts, which is off where nobody turned it on");
    }
  }
}

/** What is wrong with expressions of a pipeline task of which one is of nothing that there is; undefined if none is. */
export function unknownRoot(expressions: readonly string[]): string | undefined {
  const found = expressions.find((expression) => !ROOTS.includes(expression.split('.')[0] ?? ''));
  if (found === undefined) return undefined;
  return `$(${found}) starts with none of ${ROOTS.join(', ')}; a shell's variable is written \${…}`;
}

function admitTaskOf(task: Field): void {
  const spec = task.get('taskSpec');
  const reference = task.get('taskRef');
  const kind = (reference.present ? reference : spec).get('kind').text();
  const version = (reference.present ? reference : spec).get('apiVersion').text();
  if (spec.present && spec.get('steps').items().length > 0 && (kind !== '' || version !== '')) {
    spec.invalid('has steps, and with them neither apiVersion nor kind');
  }
  if (kind !== '' && kind !== 'Task' ? true : version !== '') {
    if (kind === '') (reference.present ? reference : spec).get('kind').invalid('is required with apiVersion');
    if (kind === 'ClusterTask') {
      reference
        .get('kind')
        .invalid(
          'Tekton has no ClusterTasks since version 1.0; the resolver "cluster" finds the Task of another namespace',
        );
    } else if (!/^[^/]+\/[^/]+$/.test(version)) {
      (reference.present ? reference : spec)
        .get('apiVersion')
        .invalid('expected a group and a version: example.com/v1');
    }
    return;
  }
  if (spec.present) admitTaskSpec(spec);
  if (reference.present) admitReference(reference);
}

function admitGraph(tasks: readonly Field[], names: ReadonlySet<string>): void {
  const graph = new Map<string, string[]>();
  for (const task of tasks) {
    const needs: string[] = [];
    for (const { field, text } of textsWithResults(task)) {
      for (const expression of expressionsIn(text)) {
        const result = resultReference(expression);
        if (result === undefined) continue;
        if (!names.has(result.task)) field.invalid(`$(${expression}) refers to a task that is not in the pipeline`);
        else needs.push(result.task);
      }
    }
    for (const item of task.get('runAfter').items()) {
      if (!names.has(item.text())) item.invalid(`there is no task ${JSON.stringify(item.text())}`);
      else needs.push(item.text());
    }
    graph.set(task.get('name').text(), needs);
  }
  const cycle = findCycle(graph);
  if (cycle === undefined) return;
  const first = tasks.find((task) => task.get('name').text() === cycle[0]) ?? tasks[0];
  first?.invalid(`tasks wait for each other: ${cycle.join(' → ')}`);
}

/** The texts of a pipeline task in which results of other tasks may stand, and so say what it waits for. */
function textsWithResults(task: Field): { field: Field; text: string }[] {
  const values = allParams(task).flatMap((param) =>
    textsIn(param.get('value')).map((text) => ({ field: param.get('value'), text })),
  );
  const when = task
    .get('when')
    .items()
    .flatMap((item) => [item.get('input'), item.get('cel'), ...item.get('values').items()])
    .map((field) => ({ field, text: field.text() }));
  const spec = task.get('taskSpec');
  const containers = [...(spec.present ? mergedSteps(spec) : []), ...spec.get('sidecars').items()];
  // Not in where volumes are mounted.
  const isRead = ({ field, text }: StepText): boolean =>
    text.includes('$(') && field.key !== 'onError' && !field.keys.includes('volumeMounts');
  const steps = containers.flatMap((container) => [
    ...textsOfStep(container).filter(isRead),
    { field: container.get('imagePullPolicy'), text: container.get('imagePullPolicy').text() },
    ...container.get('env').items().flatMap(textsOfSource),
  ]);
  return [...values, ...when, ...steps];
}

/** What names the ConfigMap or Secret that a variable is from. */
function textsOfSource(variable: Field): { field: Field; text: string }[] {
  return ['configMapKeyRef', 'secretKeyRef']
    .flatMap((kind) => ['name', 'key'].map((key) => variable.get('valueFrom', kind, key)))
    .map((field) => ({ field, text: field.text() }));
}

/** The params that a pipeline task gives, also by its matrix. */
function allParams(task: Field): Field[] {
  const matrix = task.get('matrix');
  const included = matrix
    .get('include')
    .items()
    .flatMap((item) => item.get('params').items());
  return [...task.get('params').items(), ...matrix.get('params').items(), ...included];
}

/** The strings of a param's value. */
export function textsIn(value: Field): string[] {
  const given = parseParamValue(value);
  if (typeof given === 'string') return [given];
  return Array.isArray(given) ? given : Object.values(given);
}

function expressionsOf(task: Field): { field: Field; expressions: string[] }[] {
  const params = task
    .get('params')
    .items()
    .map((param) => ({
      field: param.get('value'),
      expressions: textsIn(param.get('value')).flatMap(expressionsIn),
    }));
  const when = task
    .get('when')
    .items()
    .map((item) => ({
      field: item,
      expressions: [item.get('input'), item.get('cel'), ...item.get('values').items()].flatMap((field) =>
        expressionsIn(field.text()),
      ),
    }));
  return [...params, ...when];
}

/** Tekton looks at the params of the last task alone. */
function admitContext(task: Field | undefined): void {
  if (task === undefined) return;
  for (const param of allParams(task)) {
    for (const text of textsIn(param.get('value'))) {
      admitKnown(param.get('value'), text, 'context.pipelineRun', new Set(['name', 'namespace', 'uid']));
      admitKnown(param.get('value'), text, 'context.pipeline', new Set(['name']));
      admitKnown(param.get('value'), text, 'context.pipelineTask', new Set(['retries']));
    }
  }
}

function isStatus(expression: string): boolean {
  return expression.startsWith('tasks.') && /\.(?:status|reason)$/.test(expression);
}

function admitNoStatus(task: Field): void {
  for (const { field, expressions } of expressionsOf(task)) admitNoStatusIn(field, expressions);
}

/** Notes the status of tasks among the variables of a param or a `when` of a task that is no finally task. */
export function admitNoStatusIn(field: Field, expressions: readonly string[]): void {
  if (expressions.some(looksLikeResult)) return;
  const found = expressions.find(isStatus);
  if (found !== undefined) field.invalid(`$(${found}) is known to finally tasks alone`);
}

function admitFinally(task: Field, names: { tasks: ReadonlySet<string>; finally: ReadonlySet<string> }): void {
  if (task.get('runAfter').items().length > 0) task.get('runAfter').invalid('finally tasks have no order');
  for (const { field, expressions } of expressionsOf(task)) {
    for (const expression of expressions) {
      const result = resultReference(expression);
      if (result !== undefined && names.finally.has(result.task)) {
        field.invalid(`$(${expression}) is a finally task's, and they all run at once`);
      } else if (result !== undefined && !names.tasks.has(result.task)) {
        field.invalid(`$(${expression}) refers to a task that is not in the pipeline`);
      }
    }
    if (expressions.some(looksLikeResult)) continue;
    for (const expression of expressions) {
      const name = expression.replace(/^tasks\./, '').replace(/\.(?:status|reason)$/, '');
      if (!isStatus(expression) || expression === 'tasks.status' || names.tasks.has(name)) continue;
      field.invalid(`$(${expression}) refers to a task that is not in the pipeline`);
    }
  }
}

function admitWorkspaces(workspaces: Field): void {
  admitUniqueNames(workspaces, 'workspaces');
  for (const workspace of workspaces.items()) {
    if (workspace.get('name').text() === '') workspace.get('name').invalid('is required');
  }
}

function admitPipelineResult(result: Field, names: { tasks: ReadonlySet<string>; finally: ReadonlySet<string> }): void {
  const value = result.get('value');
  const expressions = textsIn(value).flatMap(expressionsIn);
  const results = expressions.filter(looksLikeResult);
  if (results.length === 0) {
    value.invalid('expected results of tasks: $(tasks.<task>.results.<result>)');
    return;
  }
  for (const expression of results) {
    if (resultReference(expression) === undefined) value.invalid(`$(${expression}) is no reference to a result`);
  }
  const given = parseParamValue(value);
  if (typeof given !== 'string') return;
  // Whatever stands beside the references, Tekton takes for one.
  for (const part of given.split('$').filter((item) => item !== '')) {
    const reference = resultReference(`$${part}`.replace(/^\$\(/, '').replace(/\)$/, ''));
    if (reference !== undefined && names[reference.root].has(reference.task)) continue;
    value.invalid(`${JSON.stringify(`$${part}`)} refers to no result of a task in the pipeline`);
    return;
  }
}

function admitMatrix(task: Field): void {
  const matrix = task.get('matrix');
  const params = matrix.get('params').items();
  const include = matrix.get('include').items();
  const given = new Set(
    task
      .get('params')
      .items()
      .map((param) => param.get('name').text()),
  );
  for (const param of [...params, ...include.flatMap((item) => item.get('params').items())]) {
    if (given.has(param.get('name').text())) param.invalid('is a param of the task as well');
  }
  if (params.length === 0 && include.length === 0) return;
  admitUniqueNames(matrix.get('params'), 'params');
  for (const item of include) admitUniqueNames(item.get('params'), 'params');
  const lists = params.map((param) => {
    const value = parseParamValue(param.get('value'));
    return [param.get('name').text(), Array.isArray(value) ? value : []] as const;
  });
  const count = lists.reduce((product, [, list]) => product * Math.max(1, list.length), params.length === 0 ? 0 : 1);
  const added = params.length === 0 ? include.length : 0;
  if (count + added > MOST_COMBINATIONS) matrix.invalid(`has more than ${MOST_COMBINATIONS} combinations`);
}

function admitMatrixResults(tasks: readonly Field[]): void {
  const byName = new Map(tasks.map((task) => [task.get('name').text(), task]));
  const isMatrix = (task: Field | undefined): boolean =>
    (task?.get('matrix', 'params').items().length ?? 0) + (task?.get('matrix', 'include').items().length ?? 0) > 0;
  for (const param of tasks.flatMap((task) => task.get('params').items())) {
    for (const expression of textsIn(param.get('value')).flatMap(expressionsIn).filter(looksLikeResult)) {
      const reference = resultReference(expression);
      const producer = byName.get(reference?.task ?? expression.split('.')[1] ?? '');
      if (!isMatrix(producer)) continue;
      if (!expression.endsWith('[*]')) {
        param.get('value').invalid(`$(${expression}) is of a matrix, all of whose results are taken together: [*]`);
        continue;
      }
      for (const result of producer?.get('taskSpec', 'results').items() ?? []) {
        const type = result.get('type').text() || (result.get('properties').present ? 'object' : 'string');
        if (result.get('name').text() === reference?.result && type !== 'string') {
          param.get('value').invalid(`$(${expression}) is of a matrix, whose results have to be strings`);
        }
      }
    }
  }
}

/** Notes params that a Pipeline's tasks use and nothing declares, where the declarations are known to be all. */
export function admitPipelineParamUsage(tasks: readonly Field[], params: KnownParams): void {
  // Of an object without properties any key may be asked for.
  const known = { ...params, objects: new Map([...params.objects].filter(([, keys]) => keys.size > 0)) };
  for (const task of tasks) {
    for (const param of task.get('params').items()) admitGivenValue(param.get('value'), known);
    const matrix = task.get('matrix');
    for (const param of matrix.get('params').items()) {
      const value = parseParamValue(param.get('value'));
      if (Array.isArray(value)) for (const item of value) admitItem(param.get('value'), item, known);
    }
    for (const param of matrix
      .get('include')
      .items()
      .flatMap((item) => item.get('params').items())) {
      const value = parseParamValue(param.get('value'));
      if (typeof value === 'string') admitString(param.get('value'), value, known);
    }
    for (const item of task.get('when').items()) {
      admitString(item.get('input'), item.get('input').text(), known);
      for (const value of item.get('values').items()) {
        const array = /^\$\(params\.(.*)\[\*\]\)$/.exec(value.text())?.[1];
        if (array !== undefined && known.arrays.has(array)) admitItem(value, value.text(), known);
        else admitString(value, value.text(), known);
      }
    }
  }
}

function admitGivenValue(field: Field, known: KnownParams): void {
  const value = parseParamValue(field);
  if (Array.isArray(value)) for (const item of value) admitItem(field, item, known);
  else if (typeof value === 'object') for (const item of Object.values(value)) admitString(field, item, known);
  else {
    const whole = variablesIn(value, 'params')[0];
    // Whatever the whole of it is.
    if (whole?.text === value && /^[_a-zA-Z0-9.-]+\[\*\]$/.test(whole.rest))
      admitKnown(field, value, 'params', known.all);
    else admitString(field, value, known);
  }
}

function admitString(field: Field, text: string, known: KnownParams): void {
  admitKnown(field, text, 'params', known.all);
  admitObjectKeys(field, text, 'params', known.objects);
  admitNoObject(field, text, 'params', new Set(known.objects.keys()));
  admitNoArray(field, text, 'params', known.arrays);
}

function admitItem(field: Field, text: string, known: KnownParams): void {
  admitKnown(field, text, 'params', known.all);
  admitObjectKeys(field, text, 'params', known.objects);
  admitNoObject(field, text, 'params', new Set(known.objects.keys()));
  admitAlone(field, text, 'params', known.arrays);
}

/** Notes what Tekton's webhook refuses in a Pipeline alone: nothing is propagated into it. */
export function admitPipelineAlone(spec: Field): void {
  const params = declaredParams(spec.get('params'));
  const workspaces = namesOf(spec.get('workspaces').items());
  const groups = ['tasks', 'finally'].map((group) => spec.get(group).items());
  // Of its own params it asks that where a task is inside of it.
  if (groups.flat().some((task) => task.get('taskSpec').present)) admitObjectProperties(spec.get('params'));
  for (const tasks of groups) {
    for (const task of tasks) {
      const matrix = task.get('matrix');
      const included = matrix.get('include').items();
      const references = [task.get('taskRef'), task.get('pipelineRef')];
      for (const params of [task, matrix, ...included, ...references].map((of) => of.get('params'))) {
        admitValues(params);
      }
      const embedded = task.get('taskSpec');
      if (embedded.present) {
        const own = [...declaredParams(embedded.get('params')), ...params];
        admitObjectProperties(embedded.get('params'));
        admitParamUsage(embedded, knownParams(own));
      }
      admitWorkspacesUsed(task, workspaces);
    }
    admitPipelineParamUsage(tasks, knownParams(params));
  }
}

/** Notes workspaces of a pipeline task that are none of these, or are there twice. */
function admitWorkspacesUsed(task: Field, known: ReadonlySet<string>): void {
  admitUniqueNames(task.get('workspaces'), 'workspaces');
  for (const used of task.get('workspaces').items()) {
    const name = used.get('workspace').text() || used.get('name').text();
    if (!known.has(name)) used.invalid(`the pipeline has no workspace ${JSON.stringify(name)}`);
  }
}

/** Notes workspaces that neither a PipelineRun nor the Pipeline in it nor a task before has: v1beta1 alone looks for them. */
export function admitPropagatedWorkspaces(spec: Field): void {
  const embedded = spec.get('pipelineSpec');
  const known = namesOf([...spec.get('workspaces').items(), ...embedded.get('workspaces').items()]);
  for (const task of [...embedded.get('tasks').items(), ...embedded.get('finally').items()]) {
    for (const name of namesOf(task.get('workspaces').items())) known.add(name);
    admitWorkspacesUsed(task, known);
  }
}

/** Notes objects without declared keys. */
export function admitObjectProperties(params: Field): void {
  for (const [index, param] of declaredParams(params).entries()) {
    if (param.type !== 'object' || param.properties !== undefined) continue;
    params.items()[index]?.get('properties').invalid('is required for an object');
  }
}

/** What a run's params declare where they are propagated: their names and the types of their values. */
export function givenParams(params: Field): Map<string, { type: string; properties?: readonly string[] | undefined }> {
  return new Map(
    params.items().map((param) => {
      const value = parseParamValue(param.get('value'));
      const properties = typeOf(value) === 'object' ? Object.keys(value) : undefined;
      return [param.get('name').text(), { type: typeOf(value), properties }];
    }),
  );
}
