import type { Field } from './field.ts';
import type { ParamType, ParamValue } from './model.ts';
import { type Reference, referencesIn, referencesInValue } from './substitute.ts';

/** What may be referred to at one place of a file. */
export interface Known {
  params: ReadonlyMap<string, ParamType>;
  /** Declared results by task name; absent where results of tasks cannot be used. */
  tasks?: ReadonlyMap<string, ReadonlyMap<string, ParamType>> | undefined;
  /** The same of finally tasks: in the pipeline's results only. */
  finally?: ReadonlyMap<string, ReadonlyMap<string, ParamType>> | undefined;
  /** Dotted names of everything else. */
  values: ReadonlySet<string>;
}

/** Notes each reference in a value that stands for nothing, or for something of another shape. */
export function checkValue(field: Field, value: ParamValue, known: Known): void {
  if (typeof value === 'string') checkText(field, value, known, true);
  else if (Array.isArray(value)) for (const item of value) checkText(field, item, known, true);
  else for (const item of Object.values(value)) checkText(field, item, known, false);
}

/** As {@link checkValue}, for one string. With `whole`, it may be nothing but a whole array. */
export function checkText(field: Field, text: string, known: Known, whole = false): void {
  for (const reference of referencesIn(text)) {
    const message = checkReference(reference, known, whole && reference.text === text);
    if (message !== undefined) field.invalid(`${reference.text} ${message}`);
  }
}

/** Names of the tasks whose results a value needs. */
export function tasksIn(value: ParamValue): string[] {
  return referencesInValue(value).flatMap((reference) =>
    reference.names[0] === 'tasks' && reference.names[2] === 'results' ? (reference.names[1] ?? []) : [],
  );
}

function checkReference(reference: Reference, known: Known, whole: boolean): string | undefined {
  const [root, first, second, third] = reference.names;
  if (root === 'params') {
    const type = known.params.get(first ?? '');
    if (type === undefined) return 'refers to a param that is not declared';
    return checkShape(reference, type, reference.names.length - 2, whole);
  }
  if ((root === 'tasks' || root === 'finally') && second === 'results') {
    const group = root === 'tasks' ? known.tasks : known.finally;
    if (group === undefined) return 'cannot be used here; pass it as a param';
    const results = group.get(first ?? '');
    if (results === undefined) return 'refers to a task that is not in the pipeline';
    const type = results.get(third ?? '');
    if (type === undefined) return 'refers to a result that the task does not declare';
    return checkShape(reference, type, reference.names.length - 4, whole);
  }
  if (known.values.has(reference.names.join('.'))) return undefined;
  return 'is not known here';
}

function checkShape(reference: Reference, type: ParamType, keys: number, whole: boolean): string | undefined {
  if (keys > 1 || (keys === 1 && type !== 'object')) return `has a key, and is of type ${type}`;
  if (keys === 1) return undefined;
  if (reference.index === '*') {
    if (type === 'string') return 'is a string and has no items';
    return whole ? undefined : 'has to stand alone, since it is not a string';
  }
  if (typeof reference.index === 'number') return type === 'array' ? undefined : `has an index, and is of type ${type}`;
  return type === 'string' ? undefined : `is of type ${type}: write [*], an index or a key`;
}
