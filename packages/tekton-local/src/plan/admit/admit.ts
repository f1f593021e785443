import { parseGoDuration } from '@multi-image/kit/durations';
import { METADATA } from '../decode/metadata-shapes.ts';
import {
  PIPELINE_RUN_SPEC,
  PIPELINE_SPEC,
  STATUS,
  STEP_ACTION_SPEC,
  TASK_RUN_SPEC,
  TASK_SPEC,
} from '../decode/schema.ts';
import { checkShape, isEmpty, type Shape } from '../decode/shape.ts';
import { expressionsIn, resultReference } from '../replace/expressions.ts';
import type { Field } from '../yaml/field.ts';
import { admitMetadata } from './metadata.ts';
import {
  admitParamName,
  admitUniqueNames,
  admitValues,
  type DeclaredParam,
  declaredParams,
  knownParams,
} from './params.ts';
import {
  admitObjectProperties,
  admitPipelineAlone,
  admitPipelineParamUsage,
  admitPipelineSpec,
  admitPropagatedWorkspaces,
  givenParams,
  textsIn,
} from './pipeline.ts';
import { admitReference } from './reference.ts';
import { admitStepAction } from './step-action.ts';
import { mergedSteps } from './step-texts.ts';
import { admitArraysInStep, admitKeyedLists, admitParamUsage, admitTaskSpec } from './task.ts';

/** The kinds of Tekton's that a file may have for tekton-local. */
export type Kind = 'PipelineRun' | 'TaskRun' | 'Pipeline' | 'Task' | 'StepAction';

const SHAPES: Readonly<Record<Kind, Shape>> = {
  PipelineRun: PIPELINE_RUN_SPEC,
  TaskRun: TASK_RUN_SPEC,
  Pipeline: PIPELINE_SPEC,
  Task: TASK_SPEC,
  StepAction: STEP_ACTION_SPEC,
};

/** The fields of an object of that kind. */
export function shapeOf(kind: Kind): Shape {
  const shape: Shape = { apiVersion: 'string', kind: 'string', metadata: METADATA, spec: SHAPES[kind] };
  return kind === 'PipelineRun' || kind === 'TaskRun' ? { ...shape, status: STATUS[kind] } : shape;
}

/**
 * Notes everything for which a cluster with Tekton (v1.15, as it is installed) would not take an object: unknown fields,
 * wrong types, and what its webhook refuses. Says nothing of what this machine can't do.
 *
 * @param document Of `tekton.dev/v1` (a StepAction's of `v1beta1`), already read as such.
 */
export function admit(document: Field, kind: Kind): void {
  if (!checkShape(document, shapeOf(kind))) return;
  admitMetadata(document.get('metadata'));
  const spec = document.get('spec');
  if (kind === 'Task') {
    admitTaskSpec(spec);
    admitKeyedLists(spec);
    for (const step of spec.get('steps').items()) {
      admitValues(step.get('params'));
      admitValues(step.get('ref', 'params'));
    }
    admitObjectProperties(spec.get('params'));
    admitParamUsage(spec, knownParams(declaredParams(spec.get('params'))));
  } else if (kind === 'Pipeline') {
    admitPipelineSpec(spec);
    admitPipelineAlone(spec);
  } else if (kind === 'StepAction') admitStepAction(spec);
  else if (kind === 'PipelineRun') admitPipelineRun(spec);
  else admitTaskRun(spec);
}

function admitPipelineRun(spec: Field): void {
  const [reference, embedded] = [spec.get('pipelineRef'), spec.get('pipelineSpec')];
  if (!reference.present && !embedded.present) spec.invalid('needs a pipelineRef or a pipelineSpec');
  if (reference.present && embedded.present) spec.invalid('has pipelineRef and pipelineSpec; expected one of them');
  if (reference.present) admitReference(reference);
  admitValues(reference.get('params'));
  if (embedded.present) {
    admitPipelineSpec(embedded);
    admitInlinePipeline(spec);
    if (spec.origin.isOlder) admitPropagatedWorkspaces(spec);
  }
  admitUniqueNames(spec.get('params'), 'params', true);
  admitValues(spec.get('params'));
  for (const param of spec.get('params').items()) {
    for (const expression of textsIn(param.get('value')).flatMap(expressionsIn)) {
      if (resultReference(expression) !== undefined) {
        param.get('value').invalid(`$(${expression}) can't be known before the run starts`);
      }
    }
  }
  admitTimeouts(spec.get('timeouts'));
  admitStatus(spec.get('status'), ['PipelineRunPending', 'Cancelled', 'CancelledRunFinally', 'StoppedRunFinally']);
  admitBindings(spec.get('workspaces'), false);
  for (const item of spec.get('taskRunSpecs').items()) admitTaskRunSpec(item, spec.get('timeouts'));
}

function admitStatus(status: Field, words: readonly string[]): void {
  const word = status.text();
  if (word !== '' && !words.includes(word))
    status.invalid(`expected ${words.join(', ')}, found ${JSON.stringify(word)}`);
}

const millisecondsOf = (field: Field): number | undefined => parseGoDuration(field.text());
/** Tekton's own, where a run says none. */
const DEFAULT_LIMIT = 3_600_000;

function admitTimeouts(timeouts: Field): void {
  if (!timeouts.present) return;
  for (const key of ['pipeline', 'tasks', 'finally']) {
    if ((millisecondsOf(timeouts.get(key)) ?? 0) < 0) timeouts.get(key).invalid('is less than 0');
  }
  const own = millisecondsOf(timeouts.get('pipeline'));
  const limit = own ?? DEFAULT_LIMIT;
  const said = own === undefined ? 'the hour that a run has where it says nothing else' : 'timeouts.pipeline';
  const parts = ['tasks', 'finally'].map((key) => ({
    field: timeouts.get(key),
    part: millisecondsOf(timeouts.get(key)),
  }));
  for (const { field, part } of parts) {
    if (part === undefined || limit === 0) continue;
    if (part > limit) field.invalid(`is more than ${said}`);
    if (part === 0) field.invalid(`has no limit, which is more than ${said}`);
  }
  const [tasks, last] = parts.map(({ part }) => part);
  if (tasks !== undefined && last !== undefined && tasks + last > limit) {
    timeouts.get('tasks').invalid(`is, together with finally, more than ${said}`);
  }
}

function admitTaskRunSpec(item: Field, timeouts: Field): void {
  admitSpecs(item);
  const timeout = millisecondsOf(item.get('timeout'));
  if (timeout === undefined) return;
  const pipeline = timeouts.get('pipeline');
  // What v1beta1 calls timeout is not looked at here.
  const whole = pipeline.path === 'spec.timeout' ? undefined : millisecondsOf(pipeline);
  const limit = millisecondsOf(timeouts.get('tasks')) ?? whole ?? DEFAULT_LIMIT;
  if (timeout < 0) item.get('timeout').invalid('is less than 0');
  else if (limit !== 0 && timeout > limit) item.get('timeout').invalid('is more than the timeout of the tasks');
}

/** Notes what is wrong with what a run says of the resources of a TaskRun and of its containers. */
function admitSpecs(item: Field): void {
  for (const specs of [item.get('stepSpecs'), item.get('sidecarSpecs')]) admitNamedSpecs(specs);
  const steps = item.get('stepSpecs').items();
  for (const each of [item, ...steps, ...item.get('sidecarSpecs').items()]) {
    admitUniqueNames(each.get('computeResources', 'claims'), 'claims');
  }
  if (item.get('computeResources').present && steps.some((step) => !isEmpty(step.get('computeResources').value))) {
    item.get('computeResources').invalid('is said of the task and of its steps; expected one of them');
  }
}

function admitNamedSpecs(specs: Field): void {
  admitUniqueNames(specs, 'steps', true);
  for (const spec of specs.items()) if (spec.get('name').text() === '') spec.get('name').invalid('is required');
}

function admitBindings(bindings: Field, lower: boolean): void {
  admitUniqueNames(bindings, 'workspaces', lower);
  for (const binding of bindings.items()) {
    const kinds = [
      'volumeClaimTemplate',
      'persistentVolumeClaim',
      'emptyDir',
      'configMap',
      'secret',
      'projected',
      'csi',
    ];
    const found = kinds.filter((kind) => binding.get(kind).present);
    if (found.length !== 1) {
      binding.invalid(`expected one of ${kinds.join(', ')}, found ${found.join(' and ') || 'none'}`);
      continue;
    }
    const needs = [
      ['persistentVolumeClaim', 'claimName'],
      ['configMap', 'name'],
      ['secret', 'secretName'],
      ['csi', 'driver'],
    ] as const;
    for (const [kind, key] of needs) {
      if (binding.get(kind).present && binding.get(kind, key).text() === '')
        binding.get(kind, key).invalid('is required');
    }
    if (binding.get('projected').present && binding.get('projected', 'sources').items().length === 0) {
      binding.get('projected', 'sources').invalid('needs at least one source');
    }
  }
}

/** The params that embedded specs see: those of the run, of the pipeline, and what its tasks give and declare. */
function admitInlinePipeline(spec: Field): void {
  const embedded = spec.get('pipelineSpec');
  const known = new Map<string, DeclaredParam>();
  for (const [name, param] of givenParams(spec.get('params'))) known.set(name, { name, ...param });
  combine(known, embedded.get('params'));
  const tasks = embedded.get('tasks').items();
  for (const task of tasks) {
    for (const [name, param] of givenParams(task.get('params'))) {
      const before = known.get(name);
      if (before === undefined) known.set(name, { name, ...param });
      else if (param.properties !== undefined && before.properties !== undefined) {
        known.set(name, { ...before, properties: [...before.properties, ...param.properties] });
      }
    }
    combine(known, task.get('taskSpec', 'params'));
  }
  const params = knownParams([...known.values()]);
  for (const task of tasks) {
    const own = task.get('taskSpec');
    if (own.get('steps').items().length === 0) continue;
    for (const step of mergedSteps(own)) admitArraysInStep(step, params);
    admitParamUsage(own, params);
  }
  for (const param of known.values()) {
    if (
      param.type === 'object' &&
      param.properties === undefined &&
      tasks.some((task) => task.get('taskSpec').present)
    ) {
      embedded.get('params').invalid(`the object ${param.name} has no properties`);
    }
  }
  if (tasks.some((task) => task.get('taskSpec', 'steps').items().length > 0)) {
    for (const param of known.values()) admitParamName(spec.get('params'), param);
  }
  admitPipelineParamUsage(tasks, params);
}

/** Adds declared params to those that are given already. */
function combine(known: Map<string, DeclaredParam>, params: Field): void {
  for (const [index, param] of declaredParams(params).entries()) {
    const before = known.get(param.name);
    if (before === undefined) {
      known.set(param.name, param);
      continue;
    }
    const hasObject = typeof param.default === 'object' && !Array.isArray(param.default);
    if ((before.type === 'object' || hasObject) && param.properties === undefined) {
      params.items()[index]?.get('properties').invalid('is required for an object');
    } else if (before.type === 'object') known.set(param.name, { ...before, properties: param.properties });
  }
}

function admitTaskRun(spec: Field): void {
  const [reference, embedded] = [spec.get('taskRef'), spec.get('taskSpec')];
  if (!reference.present && !embedded.present) spec.invalid('needs a taskRef or a taskSpec');
  if (reference.present && embedded.present) spec.invalid('has taskRef and taskSpec; expected one of them');
  if (reference.present) admitReference(reference);
  admitValues(reference.get('params'));
  admitUniqueNames(spec.get('params'), 'params', true);
  admitValues(spec.get('params'));
  if (embedded.present) {
    admitTaskSpec(embedded);
    const known = new Map<string, DeclaredParam>();
    for (const [name, param] of givenParams(spec.get('params'))) known.set(name, { name, ...param });
    combine(known, embedded.get('params'));
    const params = knownParams([...known.values()]);
    for (const param of known.values()) {
      admitParamName(spec.get('params'), param);
      if (param.type === 'object' && param.properties === undefined)
        embedded.get('params').invalid(`the object ${param.name} has no properties`);
    }
    for (const step of mergedSteps(embedded)) admitArraysInStep(step, params);
    admitParamUsage(embedded, params);
  }
  admitBindings(spec.get('workspaces'), true);
  if (spec.get('debug').present) spec.get('debug').invalid('is an alpha feature of Tekton');
  admitSpecs(spec);
  admitStatus(spec.get('status'), ['TaskRunCancelled', 'TaskRunPending']);
  if (Number(spec.get('retries').value ?? 0) < 0) spec.get('retries').invalid('is less than 0');
  if ((millisecondsOf(spec.get('timeout')) ?? 0) < 0) spec.get('timeout').invalid('is less than 0');
}
