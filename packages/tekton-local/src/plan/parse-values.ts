import { parseDuration } from '@multi-image/kit/durations';
import { type Field, isMap } from './field.ts';
import type { Param, ParamSpec, ParamType, ParamValue, ResultSpec, WorkspaceDeclaration } from './model.ts';

/** Params as they are declared. */
export function parseParamSpecs(params: Field): ParamSpec[] {
  const nameOf = nameReader();
  return params.map((field) => {
    field.only('name type description default properties', { enum: 'enum of params is not supported' });
    const name = nameOf(field);
    const given = field.get('default').present ? parseParamValue(field.get('default')) : undefined;
    const type = parseType(field, given);
    if (given !== undefined && typeOf(given) !== type) {
      field.get('default').invalid(`expected ${article(type)}, found ${article(typeOf(given))}`);
    }
    return { name, type, field, default: given };
  });
}

/** Params as they are given. */
export function parseParams(params: Field): Param[] {
  const nameOf = nameReader();
  return params.map((field) => {
    field.only('name value');
    const name = nameOf(field);
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
    type: parseType(field),
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
  return field.word('continue', 'stopAndFail') ?? 'stopAndFail';
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

/** Reads the names of a list of params, and notes those that were there before. */
function nameReader(): (param: Field) => string {
  const seen = new Set<string>();
  return (param) => {
    const name = param.get('name').requiredString();
    if (seen.has(name)) param.invalid(`there are two params named ${JSON.stringify(name)}`);
    seen.add(name);
    return name;
  };
}

/** The declared type; where none is, that of the default. */
function parseType(field: Field, given?: ParamValue): ParamType {
  const type = field.get('type').word('string', 'array', 'object');
  if (type !== undefined) return type;
  if (given !== undefined) return typeOf(given);
  return field.get('properties').present ? 'object' : 'string';
}
