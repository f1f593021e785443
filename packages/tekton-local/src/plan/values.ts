import { parseGoDuration } from '@multi-image/kit/durations';
import type { Param, ParamSpec, ParamType, ParamValue, ResultSpec, When, WorkspaceDeclaration } from './model.ts';
import { type Field, isMap } from './yaml/field.ts';
import { goJson } from './yaml/kubernetes-yaml.ts';

/** Params as they are declared. */
export function parseParamSpecs(params: Field): ParamSpec[] {
  return params.map((field) => {
    const given = field.get('default').present ? parseParamValue(field.get('default')) : undefined;
    return { name: field.get('name').text(), type: parseType(field, given), field, default: given };
  });
}

/** Params as they are given. */
export function parseParams(params: Field): Param[] {
  return params.map((field) => ({
    name: field.get('name').text(),
    value: parseParamValue(field.get('value')),
    field,
  }));
}

/**
 * The value of a param, of the type that Tekton gives it: lists of strings are arrays, objects of strings are objects, and
 * everything else is a string, which is its JSON where it is none.
 */
export function parseParamValue({ value }: Field): ParamValue {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  const isText = (item: unknown): boolean => typeof item === 'string' || item === null;
  if (Array.isArray(value)) return value.every(isText) ? value.map((item) => item ?? '') : goJson(value);
  if (!isMap(value) || !Object.values(value).every(isText)) return goJson(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, String(item ?? '')]));
}

/** A declared result, of a Task or of a step. */
export function parseResult(field: Field): ResultSpec {
  return {
    name: field.get('name').text(),
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
  return parseGoDuration(text);
}

/** `continue`, `stopAndFail`, or a variable that becomes one of them. */
export function parseOnError(field: Field): string {
  return field.text() || 'stopAndFail';
}

export function parseWorkspaceDeclaration(field: Field): WorkspaceDeclaration {
  return {
    name: field.get('name').text(),
    optional: field.get('optional').boolean() ?? false,
    readOnly: field.get('readOnly').boolean() ?? false,
    mountPath: field.get('mountPath').string(),
    field,
  };
}

/** The declared type; where none is, that of the default. */
function parseType(field: Field, given?: ParamValue): ParamType {
  const type = (['string', 'array', 'object'] as const).find((word) => word === field.get('type').value);
  if (type !== undefined) return type;
  if (field.get('properties').present) return 'object';
  return given === undefined ? 'string' : typeOf(given);
}

/** A condition of a pipeline task or a step. */
export function parseWhen(field: Field): When {
  return {
    input: field.get('input').text(),
    operator: field.get('operator').value === 'notin' ? 'notin' : 'in',
    values: field.get('values').strings() ?? [],
    field,
  };
}
