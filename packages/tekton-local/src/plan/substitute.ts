import type { ParamValue } from './model.ts';

/** A `$(…)` that Tekton replaces. */
export interface Reference {
  /** As written, e.g. `$(tasks.build.results.IMAGE_URL)`. */
  text: string;
  /** `params`, `tasks`, `context`, `workspaces`, `results`, `steps`, `step` or `finally`, then the names. */
  names: string[];
  /** What follows in brackets: `[*]` or `[0]`. */
  index?: '*' | number | undefined;
}

/** What references stand for at one place. */
export interface Scope {
  params: Readonly<Record<string, ParamValue>>;
  /** Results of tasks that have ended, by task name. */
  tasks?: ReadonlyMap<string, Readonly<Record<string, ParamValue>>>;
  /** Everything else, by its dotted name: `context.taskRun.name`, `workspaces.source.path`. */
  values: Readonly<Record<string, string>>;
}

/** Thrown when a reference stands for nothing, or for something that does not fit in its place. */
export class UnresolvedReference extends Error {
  override readonly name = 'UnresolvedReference';
  readonly reference: Reference;

  constructor(reference: Reference, message: string) {
    super(`${reference.text} ${message}`);
    this.reference = reference;
  }
}

// Anything else in $( ) is left alone: a shell's own substitution looks the same.
const REFERENCE = /\$\(((?:params|tasks|finally|context|workspaces|results|steps|step)[.[][^()\s]*)\)/g;
const SEGMENT = /\.([\w-]+)|\[(?:"([^"\]]+)"|'([^'\]]+)'|(\*)|(\d+))\]/y;

/** All references in a text, in order. */
export function referencesIn(text: string): Reference[] {
  return [...text.matchAll(REFERENCE)].flatMap(([whole, inner]) => parseReference(whole, inner ?? '') ?? []);
}

/** All references in a value of any shape. */
export function referencesInValue(value: ParamValue): Reference[] {
  if (typeof value === 'string') return referencesIn(value);
  return (Array.isArray(value) ? value : Object.values(value)).flatMap(referencesIn);
}

/** Replaces the references of a text once; what they bring in is not looked at again. */
export function substituteString(text: string, scope: Scope): string {
  return text.replace(REFERENCE, (whole: string, inner: string) => {
    const reference = parseReference(whole, inner);
    if (reference === undefined) return whole;
    const value = resolve(reference, scope);
    if (typeof value === 'string') return value;
    throw new UnresolvedReference(reference, 'is not a string and cannot stand inside one');
  });
}

/** Replaces the references of a list; an item that is nothing but `$(…[*])` becomes the items of that array. */
export function substituteList(list: readonly string[], scope: Scope): string[] {
  return list.flatMap((item) => {
    const value = wholeValue(item, scope);
    if (value === undefined) return [substituteString(item, scope)];
    if (Array.isArray(value)) return value;
    if (typeof value === 'string') return [value];
    throw new UnresolvedReference({ text: item, names: [] }, 'is an object and cannot be part of a list');
  });
}

/** Replaces the references of a param's value. */
export function substituteValue(value: ParamValue, scope: Scope): ParamValue {
  if (Array.isArray(value)) return substituteList(value, scope);
  if (typeof value === 'string') return wholeValue(value, scope) ?? substituteString(value, scope);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substituteString(item, scope)]));
}

/** Kubernetes' own `$(NAME)` in command, args and env: the environment's variables; `$$(NAME)` is the text itself. */
export function expandEnvironment(text: string, env: ReadonlyMap<string, string>): string {
  return text.replace(/\$\$|\$\(([A-Za-z_.-][\w.-]*)\)/g, (whole: string, name: string | undefined) => {
    if (name === undefined) return '$';
    return env.get(name) ?? whole;
  });
}

function wholeValue(text: string, scope: Scope): ParamValue | undefined {
  const references = referencesIn(text);
  const only = references[0];
  if (references.length !== 1 || only?.text !== text || only.index !== '*') return undefined;
  return resolve(only, scope);
}

function parseReference(text: string, inner: string): Reference | undefined {
  const root = /^\w+/.exec(inner)?.[0] ?? '';
  const names = [root];
  let index: '*' | number | undefined;
  SEGMENT.lastIndex = root.length;
  while (SEGMENT.lastIndex < inner.length) {
    if (index !== undefined) return undefined;
    const segment = SEGMENT.exec(inner);
    if (segment === null) return undefined;
    const [, plain, double, single, star, digits] = segment;
    const name = plain ?? double ?? single;
    if (name !== undefined) names.push(name);
    else if (star !== undefined) index = '*';
    else index = Number(digits);
  }
  return { text, names, index };
}

function resolve(reference: Reference, scope: Scope): ParamValue {
  const [root, ...rest] = reference.names;
  if (root === 'params') return pick(reference, own(scope.params, rest[0]), rest.slice(1));
  if ((root === 'tasks' || root === 'finally') && rest[1] === 'results') {
    const results = scope.tasks?.get(rest[0] ?? '');
    return pick(reference, results === undefined ? undefined : own(results, rest[2]), rest.slice(3));
  }
  const value = own(scope.values, reference.names.join('.'));
  if (value === undefined || reference.index !== undefined)
    throw new UnresolvedReference(reference, 'is not known here');
  return value;
}

function pick(reference: Reference, value: ParamValue | undefined, keys: readonly string[]): ParamValue {
  if (value === undefined) throw new UnresolvedReference(reference, 'has no value');
  const key = keys[0];
  if (key !== undefined) {
    const member = typeof value === 'object' && !Array.isArray(value) ? own(value, key) : undefined;
    if (member === undefined || keys.length > 1) throw new UnresolvedReference(reference, 'has no such key');
    return member;
  }
  if (reference.index === undefined) {
    if (typeof value !== 'string')
      throw new UnresolvedReference(reference, 'is not a string; write [*], an index or a key');
    return value;
  }
  if (reference.index === '*') {
    if (typeof value === 'string') throw new UnresolvedReference(reference, 'is a string, not an array');
    return value;
  }
  const item = Array.isArray(value) ? value[reference.index] : undefined;
  if (item === undefined) throw new UnresolvedReference(reference, 'is outside the array');
  return item;
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string | undefined): Value | undefined {
  return key !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}
