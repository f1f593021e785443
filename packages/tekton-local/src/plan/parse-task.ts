import { parseDuration } from '@multi-image/kit/durations';
import type { ParamType, ParamValue } from '../stand-in.ts';
import { type Field, isMap } from './field.ts';
import type { ParamSpec, ResultSpec, Task, Volume, WorkspaceDeclaration } from './model.ts';
import { parseStep } from './parse-step.ts';

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
/** Reads a Task's spec, from a file or embedded in a pipeline. */
export function parseTaskSpec(spec: Field, name: string): Task {
  spec.only(TASK_FIELDS, { sidecars: 'sidecars are not supported' });
  if (!spec.present) spec.problem('INVALID', 'is required');
  const template = spec.get('stepTemplate');
  const steps = spec.get('steps').list();
  if (steps.length === 0) spec.get('steps').problem('INVALID', 'a Task needs at least one step');
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
    if (seen.has(name)) field.problem('INVALID', `there are two params named ${JSON.stringify(name)}`);
    seen.add(name);
    const given = field.get('default').present ? parseParamValue(field.get('default')) : undefined;
    const type = parseType(field.get('type')) ?? inferType(field, given);
    if (given !== undefined && typeOf(given) !== type) {
      field.get('default').problem('INVALID', `expected ${article(type)}, found ${article(typeOf(given))}`);
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
    field.problem('INVALID', `expected a duration such as 1h30m, found ${JSON.stringify(text)}`);
  return milliseconds;
}

export function parseOnError(field: Field): 'continue' | 'stopAndFail' {
  const text = field.string() ?? 'stopAndFail';
  if (text === 'continue' || text === 'stopAndFail') return text;
  field.problem('INVALID', `expected continue or stopAndFail, found ${JSON.stringify(text)}`);
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
  field.problem('INVALID', `expected string, array or object, found ${JSON.stringify(text)}`);
  return 'string';
}

function inferType(field: Field, given: ParamValue | undefined): ParamType {
  if (given !== undefined) return typeOf(given);
  return field.get('properties').present ? 'object' : 'string';
}

export function parseResult(field: Field): ResultSpec {
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
      source.problem('UNSUPPORTED', `there is no ${kind} on this machine, and it is not optional`);
    }
  }
  return { name, kind, field };
}
