import { posix } from 'node:path';
import { parseGoDuration } from '@multi-image/kit/durations';
import { ARTIFACT, firstStepResult, STEP_ARTIFACT } from '../replace/expressions.ts';
import type { Field } from '../yaml/field.ts';
import {
  admitAlone,
  admitKnown,
  admitNoArray,
  admitNoObject,
  admitObjectKeys,
  admitParamSpecs,
  admitProperties,
  admitUniqueNames,
  declaredParams,
  type KnownParams,
  knownParams,
} from './params.ts';
import { admitReference, isLabel } from './reference.ts';
import { mergedSteps, type StepTexts, textsOfStep } from './step-texts.ts';
import { admitWhen } from './when.ts';

const RESULT_NAME = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

/** Notes what Tekton's webhook refuses in a Task's spec, wherever that is. */
export function admitTaskSpec(spec: Field): void {
  const steps = spec.get('steps');
  if (steps.items().length === 0) steps.invalid('a Task needs at least one step');
  admitUniqueNames(spec.get('volumes'), 'volumes');
  admitWorkspaces(spec);
  for (const [index, step] of mergedSteps(spec).entries()) admitStep(spec.get('steps').items()[index] ?? spec, step);
  admitStepNames(steps);
  for (const sidecar of spec.get('sidecars').items()) admitSidecar(sidecar);
  admitParamSpecs(spec.get('params'), true);
  const known = knownParams(declaredParams(spec.get('params')));
  const results = new Set(
    spec
      .get('results')
      .items()
      .map((result) => result.get('name').text()),
  );
  for (const step of mergedSteps(spec)) {
    admitArraysInStep(step, known);
    for (const { field, text } of textsOfStep(step)) {
      admitKnown(field, text, 'context.taskRun', new Set(['name', 'namespace', 'uid']));
      admitKnown(field, text, 'context.task', new Set(['name', 'retry-count']));
    }
    admitKnown(step.get('script'), step.get('script').text(), 'results', results);
  }
  for (const result of spec.get('results').items()) admitResult(result);
}

/** Notes params in steps that nothing declares, where the declarations are known to be all. */
export function admitParamUsage(spec: Field, known: KnownParams): void {
  for (const step of mergedSteps(spec)) {
    for (const { field, text } of textsOfStep(step)) {
      admitKnown(field, text, 'params', known.all);
      admitObjectKeys(field, text, 'params', known.objects);
      if (field.key !== 'onError') admitNoObject(field, text, 'params', new Set(known.objects.keys()));
    }
  }
}

/** Notes arrays in a step where a string has to be, or with something beside them. */
export function admitArraysInStep(step: StepTexts, { arrays }: KnownParams): void {
  for (const { field, text, isItem } of textsOfStep(step)) {
    if (field.key === 'onError') continue;
    if (isItem) admitAlone(field, text, 'params', arrays);
    else admitNoArray(field, text, 'params', arrays);
  }
}

function admitWorkspaces(spec: Field): void {
  const mounts = [...spec.get('steps').items(), spec.get('stepTemplate')].flatMap((container) =>
    container
      .get('volumeMounts')
      .items()
      .map((mount) => cleanPath(mount.get('mountPath').text())),
  );
  const paths = new Set(mounts);
  const workspaces = spec.get('workspaces');
  admitUniqueNames(workspaces, 'workspaces');
  const names = new Set<string>();
  for (const workspace of workspaces.items()) {
    const name = workspace.get('name').text();
    const path = cleanPath(workspace.get('mountPath').text() || `/workspace/${name}`);
    if (paths.has(path)) workspace.invalid(`something else is mounted at ${path}`);
    paths.add(path);
    names.add(name);
  }
  for (const container of [...spec.get('steps').items(), ...spec.get('sidecars').items()]) {
    for (const used of container.get('workspaces').items()) {
      const name = used.get('name').text();
      if (!names.has(name)) used.get('name').invalid(`the task has no workspace ${JSON.stringify(name)}`);
    }
  }
}

/** As Go cleans paths: nothing is `.`. */
function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 ? clean.replace(/\/$/, '') : clean;
}

function admitStepNames(steps: Field): void {
  const seen = new Set<string>();
  for (const step of steps.items()) {
    const name = step.get('name').text();
    if (name === '') continue;
    if (seen.has(name)) step.get('name').invalid(`there are two steps named ${JSON.stringify(name)}`);
    seen.add(name);
  }
}

function admitStep(place: Field, step: StepTexts): void {
  const texts = textsOfStep(step);
  const artifact = texts.find(({ field, text }) => ARTIFACT.test(text) && field.key !== 'name');
  if (artifact !== undefined) {
    artifact.field.unsupported("needs Tekton's feature flag enable-artifacts, which is off where nobody turned it on");
  }
  const has = (key: string): boolean => step.get(key).text() !== '' || step.get(key).items().length > 0;
  const ref = step.get('ref');
  if (ref.present) {
    admitReference(ref);
    for (const key of ['image', 'command', 'args', 'script', 'workingDir', 'volumeMounts', 'results']) {
      if (has(key)) step.get(key).invalid('comes from the StepAction that the step refers to');
    }
    if (step.get('env').present) step.get('env').invalid('comes from the StepAction that the step refers to');
  } else {
    if (step.get('params').items().length > 0) step.get('params').invalid('a step has params for a StepAction alone');
    if (!has('image')) place.get('image').invalid('is required');
    if (has('script') && has('command')) step.get('command').invalid('a step has either a script or a command');
  }
  const name = step.get('name').text();
  if (name !== '' && !isLabel(name))
    step.get('name').invalid(`${JSON.stringify(name)} is no name: letters a-z, digits and -`);
  if ((parseGoDuration(step.get('timeout').text()) ?? 0) < 0) step.get('timeout').invalid('is less than 0');
  for (const mount of step.get('volumeMounts').items()) {
    const path = cleanPath(mount.get('mountPath').text());
    if (path.startsWith('/tekton/') && !path.startsWith('/tekton/home'))
      mount.get('mountPath').invalid(`${path} is Tekton's own`);
    if (mount.get('name').text().startsWith('tekton-internal-')) mount.get('name').invalid("is a name of Tekton's own");
  }
  const onError = step.get('onError').text();
  if (onError !== '' && !onError.startsWith('$(params') && onError !== 'continue' && onError !== 'stopAndFail') {
    step.get('onError').invalid(`expected continue or stopAndFail, found ${JSON.stringify(onError)}`);
  }
  if (step.get('script').text().trim().startsWith('#!win'))
    step.get('script').unsupported('scripts for Windows are an alpha feature of Tekton');
  for (const key of ['stdoutConfig', 'stderrConfig']) {
    if (step.get(key).present) step.get(key).unsupported('is an alpha feature of Tekton');
  }
  for (const { field, text } of texts) {
    if (firstStepResult(text) === undefined) continue;
    const place = String(field.key);
    const mayBeHere =
      ['onError', 'value'].includes(place) || field.keys.includes('args') || field.keys.includes('command');
    if (!mayBeHere) field.invalid('results of steps can be in env, command and args alone');
  }
  for (const field of otherTexts(step)) {
    if (firstStepResult(field.text()) !== undefined || STEP_ARTIFACT.test(field.text())) {
      field.invalid('what is from other steps can be in env, command and args alone');
    }
  }
  const results = new Set(
    step
      .get('results')
      .items()
      .map((result) => result.get('name').text()),
  );
  if (step.get('results').present) admitKnown(step.get('script'), step.get('script').text(), 'step.results', results);
  for (const result of step.get('results').items()) admitResultType(result, true);
  admitWhen(step.get('when'));
}

/** Notes what is there twice in a Task of its own in lists that a cluster keeps by keys; specs inside of others it leaves alone. */
export function admitKeyedLists(spec: Field): void {
  for (const container of [...spec.get('steps').items(), spec.get('stepTemplate'), ...spec.get('sidecars').items()]) {
    admitPorts(container.get('ports'));
    admitUniqueNames(container.get('computeResources', 'claims'), 'claims');
  }
}

/** Notes ports that a container has twice. */
export function admitPorts(ports: Field): void {
  const seen = new Set<string>();
  for (const port of ports.items()) {
    const key = `${port.get('containerPort').value}/${port.get('protocol').value ?? 'TCP'}`;
    if (seen.has(key)) port.invalid(`the port ${key} is there twice`);
    seen.add(key);
  }
}

/** The texts of a step in which Tekton's webhook looks for what is from other steps, and for nothing else. */
function otherTexts(step: StepTexts): Field[] {
  const sources = step
    .get('envFrom')
    .items()
    .flatMap((item) => [item.get('prefix'), item.get('configMapRef', 'name'), item.get('secretRef', 'name')]);
  const devices = step
    .get('volumeDevices')
    .items()
    .flatMap((item) => [item.get('name'), item.get('devicePath')]);
  return [step.get('imagePullPolicy'), ...sources, ...devices];
}

function admitSidecar(sidecar: Field): void {
  if (sidecar.get('name').text() === 'tekton-log-results') sidecar.get('name').invalid("is a name of Tekton's own");
  // The older version leaves that to whoever makes the Pod.
  if (sidecar.origin.isOlder) return;
  if (sidecar.get('image').text() === '') sidecar.get('image').invalid('is required');
  if (sidecar.get('script').text() !== '' && sidecar.get('command').items().length > 0) {
    sidecar.get('command').invalid('a sidecar has either a script or a command');
  }
}

function admitResult(result: Field): void {
  if (!admitResultType(result, false)) return;
  const value = result.get('value');
  if (!value.present) return;
  if (typeof value.value === 'object') {
    value.invalid('expected a string');
    return;
  }
  const text = value.text();
  if (text === '') return;
  const named = firstStepResult(text);
  if (named === undefined) value.invalid('expected $(steps.<step>.results.<result>)');
  else if (!isLabel(named.step) || !RESULT_NAME.test(named.result))
    value.invalid(`${text} names no result of a step that can be`);
}

/**
 * Notes what is wrong with a result's name and type; answers whether its name is one. Of a step's own Tekton fills in
 * nothing: neither the type of one with keys, nor those of the keys.
 */
export function admitResultType(result: Field, ofStep: boolean): boolean {
  const name = result.get('name').text();
  if (!RESULT_NAME.test(name)) {
    result.get('name').invalid(`${JSON.stringify(name)} is no name: letters, digits, -, _ and .`);
    return false;
  }
  const inferred = result.get('properties').present && !ofStep ? 'object' : 'string';
  const type = result.get('type').text() || inferred;
  if (type === 'object') {
    if (!result.get('properties').present) result.get('properties').invalid('is required for an object');
    admitProperties(result, ofStep);
  } else if (type !== 'string' && type !== 'array') {
    result.get('type').invalid(`expected string, array or object, found ${JSON.stringify(type)}`);
  }
  return true;
}
