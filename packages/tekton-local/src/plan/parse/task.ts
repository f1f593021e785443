import type { Step, Task } from '../model.ts';
import { parseParamSpecs, parseParams, parseResult, parseWorkspaceDeclaration } from '../values.ts';
import type { Field } from '../yaml/field.ts';
import { parseContainer, parseSecurity } from './container.ts';
import { parseVolume } from './objects.ts';
import { parseSidecar } from './sidecar.ts';
import { withTemplate } from './template.ts';

const STEP_FIELDS =
  'name displayName image imagePullPolicy command args script env envFrom workingDir volumeMounts onError timeout ' +
  'securityContext computeResources results when workspaces';
/** What a step has once its StepAction is in it. */
const OF_ACTION = 'params actionParams';
const STEP_REASONS = {
  volumeDevices: 'there are no block devices for steps on this machine',
};

/** Reads a Task's spec, from a file or embedded in a pipeline. */
export function parseTaskSpec(spec: Field, name: string): Task {
  const template = spec.get('stepTemplate');
  const steps = spec.get('steps').list();
  return {
    name,
    params: parseParamSpecs(spec.get('params')),
    results: spec.get('results').map(parseResult),
    steps: steps.map((step, index) => parseStep(step, template, index)),
    sidecars: spec.get('sidecars').map(parseSidecar),
    template: template.present ? parseContainer(template) : undefined,
    volumes: spec.get('volumes').map(parseVolume),
    workspaces: spec.get('workspaces').map(parseWorkspaceDeclaration),
    field: spec,
  };
}

/** The step with what its template gives where it says nothing itself; lists are merged by name. */
function parseStep(field: Field, template: Field, index: number): Step {
  template.only(STEP_FIELDS, STEP_REASONS);
  if (/\$\(step\.results/.test(JSON.stringify(template.value) ?? ''))
    template.unsupported('results of steps in a template, which Tekton leaves as they are, are not supported');
  field.only(`${STEP_FIELDS} ${OF_ACTION}`, STEP_REASONS);
  const own = { ...parseContainer(field), name: field.get('name').text() || `unnamed-${index}` };
  const shared = parseContainer(template);
  if (shared.env.length > 0 && new Set(own.env.map(({ name: each }) => each)).size < own.env.length) {
    field.get('env').unsupported('has a variable twice, beside those of a template');
  }
  const step = {
    ...(template.present ? withTemplate(own, shared) : own),
    security: parseSecurity(field.get('securityContext'), template.get('securityContext')),
  };
  const declared = field.get('actionParams');
  if (!declared.present) return step;
  const given = parseParams(field.get('params'));
  return { ...step, action: { declared: parseParamSpecs(declared), given, own, template: shared } };
}
