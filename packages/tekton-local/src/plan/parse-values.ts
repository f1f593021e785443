import { parseDuration } from '@multi-image/kit/durations';
import { type Field, isMap } from './field.ts';
import type { Param, ParamSpec, ParamType, ParamValue, ResultSpec, WorkspaceDeclaration } from './model.ts';

/** Params as they are declared. */
export function parseParamSpecs(params: Field): ParamSpec[] {
  const isTwice = repeats();
  return params.map((field) => {
    field.only('name type description default properties', { enum: 'enum of params is not supported' });
    const name = field.get('name').requiredString();
    if (isTwice(name)) field.invalid(`there are two params named ${JSON.stringify(name)}`);
    const given = field.get('default').present ? parseParamValue(field.get('default')) : undefined;
    const type = parseType(field.get('type')) ?? inferType(field, given);
    if (given !== undefined && typeOf(given) !== type) {
      field.get('default').invalid(`expected ${article(type)}, found ${article(typeOf(given))}`);
    }
    return { name, type, field, default: given };
  });
}

/** Params as they are given. */
export function parseParams(params: Field): Param[] {
  const isTwice = repeats();
  return params.map((field) => {
    field.only('name value');
    const name = field.get('name').requiredString();
    if (isTwice(name)) field.invalid(`there are two params named ${JSON.stringify(name)}`);
    if (!field.get('value').present) field.get('value').invalid('is required');
    return { name, value: parseParamValue(field.get('value')), field };
  });
}

/** The value of a param: a string (numbers and booleans become one), a list of strings, or an object of strings. */
export function parseParamValue(field: Field): ParamValue {
  if (Array.isArray(field.value)) return field.map((item) => item.requiredString());
  if (isMap(field.value)) {
    return Object.fromEntries(field.entries().map(([key, value]) => [key, value.requiredString()]));
  }
  return field.string() ?? '';
}

/** A declared result, of a Task or of a step. */
export function parseResult(field: Field): ResultSpec {
  field.only('name type description properties value');
  return {
    name: field.get('name').requiredString(),
    type: parseType(field.get('type')) ?? inferType(field, undefined),
    value: field.get('value').string(),
    field,
  };
}

export function typeOf(value: ParamValue): ParamType {
  if (typeof value === 'string') return 'string';
  return Array.isArray(value) ? 'array' : 'object';
}

/** The type in a sentence. */
export function article(type: ParamType): string {
  return type === 'string' ? 'a string' : `an ${type}`;
}

/** Milliseconds. */
export function parseTimeout(field: Field): number | undefined {
  const text = field.string();
  if (text === undefined) return undefined;
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) field.invalid(`expected a duration such as 1h30m, found ${JSON.stringify(text)}`);
  return milliseconds;
}

export function parseOnError(field: Field): 'continue' | 'stopAndFail' {
  const text = field.string() ?? 'stopAndFail';
  if (text === 'continue' || text === 'stopAndFail') return text;
  field.invalid(`expected continue or stopAndFail, found ${JSON.stringify(text)}`);
  return 'stopAndFail';
}

export function parseWorkspaceDeclaration(field: Field): WorkspaceDeclaration {
  field.only('name description optional readOnly mountPath');
  return {
    name: field.get('name').requiredString(),
    optional: field.get('optional').boolean() ?? false,
    readOnly: field.get('readOnly').boolean() ?? false,
    mountPath: field.get('mountPath').string(),
    field,
  };
}

/** Whether a name was there before. */
function repeats(): (name: string) => boolean {
  const seen = new Set<string>();
  return (name) => {
    const isRepeated = seen.has(name);
    seen.add(name);
    return isRepeated;
  };
}

function parseType(field: Field): ParamType | undefined {
  const text = field.string();
  if (text === undefined) return undefined;
  if (text === 'string' || text === 'array' || text === 'object') return text;
  field.invalid(`expected string, array or object, found ${JSON.stringify(text)}`);
  return 'string';
}

function inferType(field: Field, given: ParamValue | undefined): ParamType {
  if (given !== undefined) return typeOf(given);
  return field.get('properties').present ? 'object' : 'string';
}
