import { parseDuration } from './duration.ts';
import { type Field, isMap } from './field.ts';
import type { ParamSpec, ResultSpec, Step, Task, Volume, VolumeMount, WorkspaceDeclaration } from './model.ts';
import type { ParamType, ParamValue } from './stand-in.ts';

const TASK_FIELDS = [
  'params',
  'results',
  'steps',
  'stepTemplate',
  'volumes',
  'workspaces',
  'description',
  'displayName',
];
const STEP_FIELDS = [
  'name',
  'displayName',
  'image',
  'imagePullPolicy',
  'command',
  'args',
  'script',
  'env',
  'workingDir',
  'volumeMounts',
  'onError',
  'timeout',
  'securityContext',
  'computeResources',
  'results',
];
const STEP_REASONS = {
  when: 'when in steps is not supported',
  ref: 'StepActions are not supported',
  params: 'StepActions are not supported',
  envFrom: 'there are no ConfigMaps and Secrets on this machine',
  workspaces: 'isolated workspaces are not supported',
  volumeDevices: 'there are no block devices for steps on this machine',
};

/** Reads a Task's spec, from a file or embedded in a pipeline. */
export function parseTaskSpec(spec: Field, name: string): Task {
  spec.only(TASK_FIELDS, { sidecars: 'sidecars are not supported' });
  if (!spec.present) spec.problem('invalid', 'is required');
  const template = spec.get('stepTemplate');
  template.only(STEP_FIELDS, STEP_REASONS);
  const steps = spec.get('steps').list();
  if (steps.length === 0) spec.get('steps').problem('invalid', 'a Task needs at least one step');
  return {
    name,
    params: parseParamSpecs(spec.get('params')),
    results: spec.get('results').list().map(parseResult),
    steps: steps.map((step, index) => parseStep(step, template, index)),
    volumes: spec.get('volumes').list().map(parseVolume),
    workspaces: spec.get('workspaces').list().map(parseWorkspaceDeclaration),
    field: spec,
  };
}

export function parseParamSpecs(params: Field): ParamSpec[] {
  const seen = new Set<string>();
  return params.list().map((field) => {
    field.only(['name', 'type', 'description', 'default', 'properties'], { enum: 'enum of params is not supported' });
    const name = field.get('name').requiredString();
    if (seen.has(name)) field.problem('invalid', `there are two params named ${JSON.stringify(name)}`);
    seen.add(name);
    const given = field.get('default').present ? parseParamValue(field.get('default')) : undefined;
    const type = parseType(field.get('type')) ?? inferType(field, given);
    if (given !== undefined && typeOf(given) !== type) {
      field.get('default').problem('invalid', `expected ${article(type)}, found ${article(typeOf(given))}`);
    }
    return { name, type, field, ...(given === undefined ? {} : { default: given }) };
  });
}

/** The value of a param: a string (numbers and booleans become one), a list of strings, or an object of strings. */
export function parseParamValue(field: Field): ParamValue {
  if (Array.isArray(field.value)) return field.list().map((item) => item.requiredString());
  if (isMap(field.value)) {
    return Object.fromEntries(field.entries().map(([key, value]) => [key, value.requiredString()]));
  }
  return field.string() ?? '';
}

export function typeOf(value: ParamValue): ParamType {
  if (typeof value === 'string') return 'string';
  return Array.isArray(value) ? 'array' : 'object';
}

export function article(type: ParamType): string {
  return type === 'string' ? 'a string' : `an ${type}`;
}

export function parseTimeout(field: Field): number | undefined {
  const text = field.string();
  if (text === undefined) return undefined;
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined)
    field.problem('invalid', `expected a duration such as 1h30m, found ${JSON.stringify(text)}`);
  return milliseconds;
}

export function parseOnError(field: Field): 'continue' | 'stopAndFail' {
  const text = field.string() ?? 'stopAndFail';
  if (text === 'continue' || text === 'stopAndFail') return text;
  field.problem('invalid', `expected continue or stopAndFail, found ${JSON.stringify(text)}`);
  return 'stopAndFail';
}

export function parseWorkspaceDeclaration(field: Field): WorkspaceDeclaration {
  field.only(['name', 'description', 'optional', 'readOnly', 'mountPath']);
  const mountPath = field.get('mountPath').string();
  return {
    name: field.get('name').requiredString(),
    optional: field.get('optional').boolean() ?? false,
    readOnly: field.get('readOnly').boolean() ?? false,
    ...(mountPath === undefined ? {} : { mountPath }),
    field,
  };
}

function parseType(field: Field): ParamType | undefined {
  const text = field.string();
  if (text === undefined) return undefined;
  if (text === 'string' || text === 'array' || text === 'object') return text;
  field.problem('invalid', `expected string, array or object, found ${JSON.stringify(text)}`);
  return 'string';
}

function inferType(field: Field, given: ParamValue | undefined): ParamType {
  if (given !== undefined) return typeOf(given);
  return field.get('properties').present ? 'object' : 'string';
}

function parseResult(field: Field): ResultSpec {
  field.only(['name', 'type', 'description', 'properties', 'value']);
  const value = field.get('value').string();
  return {
    name: field.get('name').requiredString(),
    type: parseType(field.get('type')) ?? inferType(field, undefined),
    field,
    ...(value === undefined ? {} : { value }),
  };
}

function parseVolume(field: Field): Volume {
  const name = field.get('name').requiredString();
  const kinds = ['emptyDir', 'configMap', 'secret'] as const;
  field.only(['name', ...kinds], { hostPath: 'a step sees no folder of this machine' });
  const kind = kinds.find((candidate) => field.get(candidate).present) ?? 'emptyDir';
  if (kind !== 'emptyDir') {
    const source = field.get(kind);
    if (source.get('optional').value !== true) {
      source.problem('unsupported', `there is no ${kind} on this machine, and it is not optional`);
    }
  }
  return { name, kind, field };
}

function parseMounts(field: Field): VolumeMount[] {
  return field.list().map((mount) => {
    mount.only(['name', 'mountPath', 'subPath', 'readOnly']);
    const mountPath = mount.get('mountPath').requiredString();
    const subPath = mount.get('subPath').string();
    return {
      name: mount.get('name').requiredString(),
      mountPath,
      readOnly: mount.get('readOnly').boolean() ?? false,
      ...(subPath === undefined ? {} : { subPath }),
    };
  });
}

function parseEnv(field: Field): { name: string; value: string }[] {
  return field.list().map((item) => {
    item.only(['name', 'value'], { valueFrom: 'there are no ConfigMaps, Secrets and fields of a Pod on this machine' });
    return { name: item.get('name').requiredString(), value: item.get('value').string() ?? '' };
  });
}

/** The step with what its template gives where it says nothing itself; lists are merged by name. */
function parseStep(field: Field, template: Field, index: number): Step {
  field.only(STEP_FIELDS, STEP_REASONS);
  const either = (key: string): Field => (field.get(key).present ? field.get(key) : template.get(key));
  const command = either('command').strings();
  const script = field.get('script').string();
  if (script !== undefined && field.get('command').present) {
    field.get('command').problem('invalid', 'a step has either a script or a command');
  }
  const workingDir = either('workingDir').string();
  const timeout = parseTimeout(field.get('timeout'));
  const image = either('image');
  const results = field.get('results').list().map(parseResult);
  const env = new Map(
    [...parseEnv(template.get('env')), ...parseEnv(field.get('env'))].map((item) => [item.name, item]),
  );
  const mounts = [...parseMounts(template.get('volumeMounts')), ...parseMounts(field.get('volumeMounts'))];
  const security = either('securityContext');
  security.only(
    [
      'runAsUser',
      'runAsGroup',
      'runAsNonRoot',
      'readOnlyRootFilesystem',
      'allowPrivilegeEscalation',
      'capabilities',
      'seccompProfile',
    ],
    { privileged: 'no step runs with the rights of this machine' },
  );
  const runAsUser = security.get('runAsUser').integer();
  const runAsGroup = security.get('runAsGroup').integer();
  const computeResources = either('computeResources').value;
  return {
    name: field.get('name').string() ?? `unnamed-${index}`,
    image: image.requiredString(),
    ...(command === undefined || script !== undefined ? {} : { command }),
    args: either('args').strings() ?? [],
    ...(script === undefined ? {} : { script }),
    env: [...env.values()],
    ...(workingDir === undefined ? {} : { workingDir }),
    volumeMounts: [...new Map(mounts.map((mount) => [mount.mountPath, mount])).values()],
    onError: parseOnError(field.get('onError')),
    ...(timeout === undefined ? {} : { timeout }),
    ...(runAsUser === undefined ? {} : { runAsUser }),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    readOnlyRootFilesystem: security.get('readOnlyRootFilesystem').boolean() ?? false,
    results,
    ...(computeResources === undefined ? {} : { computeResources }),
    field,
  };
}
