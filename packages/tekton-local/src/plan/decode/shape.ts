import { parseGoDuration } from '@multi-image/kit/durations';
import { type Field, isMap } from '../yaml/field.ts';
import type { Keys } from '../yaml/kubernetes-yaml.ts';

/**
 * What a field holds: a scalar; a list, as `[shape]`; a map, as `{ '*': shape }`; an object by its fields' names.
 * `param` is what a param may be, `given` the same and there, `port` is a number or a name, `written` what only a cluster
 * writes, `any` is not looked at.
 */
export type Shape =
  | 'string'
  | 'boolean'
  | 'integer'
  | 'int32'
  | 'time'
  | 'duration'
  | 'quantity'
  | 'port'
  | 'param'
  | 'given'
  | 'written'
  | 'any'
  | readonly [Shape]
  | { readonly [name: string]: Shape };

/** The shape of what is at a path, in which `*` is every item of a list. */
export function shapeAt(shape: Shape | undefined, [first, ...rest]: readonly string[]): Shape | undefined {
  if (first === undefined || shape === undefined || typeof shape === 'string') return shape;
  if (isListShape(shape)) return first === '*' ? shapeAt(shape[0], rest) : undefined;
  return shapeAt(Object.hasOwn(shape, first) ? shape[first] : undefined, rest);
}

const QUANTITY = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[KMGTPE]i|[numkMGTPE]|[eE][-+]?\d+)?$/;

/**
 * Notes each field that Tekton does not know or that holds something else than it should. Answers whether every known one
 * holds what it should: else nothing more can be said of the object.
 */
export function checkShape(field: Field, shape: Shape): boolean {
  if (!field.present) {
    // A param that is nothing has no value either.
    if (typeof field.key === 'number' && shapeAt(shape, ['value']) === 'given')
      field.get('value').invalid('is required');
    return true;
  }
  if (shape === 'any' || shape === 'param' || shape === 'given') return true;
  if (shape === 'written') {
    field.unsupported('is what a cluster has written: remove it');
    return true;
  }
  if (typeof shape === 'string') return checkScalar(field, shape);
  let isSo = true;
  if (isListShape(shape)) {
    if (!Array.isArray(field.value)) return field.expected('a list');
    for (const item of field.items()) isSo = checkShape(item, shape[0]) && isSo;
    return isSo;
  }
  if (!isMap(field.value)) return field.expected('an object');
  if (shape.value === 'given' && field.get('value').value === undefined) field.get('value').invalid('is required');
  const every = shape['*'];
  for (const key of Object.keys(field.value)) {
    const known = every ?? (Object.hasOwn(shape, key) ? shape[key] : undefined);
    if (known !== undefined) {
      isSo = checkShape(field.get(key), known) && isSo;
      continue;
    }
    const near = didYouMean(key, Object.keys(shape));
    field.get(key).invalid(`Tekton knows no such field${near === undefined ? '' : `; is ${near} meant?`}`);
  }
  return isSo;
}

/**
 * The value of an object without the fields that Tekton does not know, as its Go types read it.
 *
 * @param dropped Gets the keys that lead to each of them.
 */
export function withoutUnknown(value: unknown, shape: Shape | undefined, dropped: Keys[], keys: Keys = []): unknown {
  if (shape === undefined || typeof shape === 'string') return value;
  if (isListShape(shape)) {
    if (!Array.isArray(value)) return value;
    return value.map((item, index) => withoutUnknown(item, shape[0], dropped, [...keys, index]));
  }
  if (!isMap(value)) return value;
  const every = shape['*'];
  const known: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    const inside = every ?? (Object.hasOwn(shape, key) ? shape[key] : undefined);
    if (inside === undefined) dropped.push([...keys, key]);
    else known.push([key, withoutUnknown(item, inside, dropped, [...keys, key])]);
  }
  return dropped.length === 0 ? value : Object.fromEntries(known);
}

/** Whether it is that of a list. */
export function isListShape(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

/** The bits of the whole numbers that Go reads. */
const BITS = (kind: string): bigint => (kind === 'integer' ? 63n : 31n);
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)$/;

function checkScalar(field: Field, kind: Exclude<Shape & string, 'param' | 'given' | 'any' | 'written'>): boolean {
  const { value } = field;
  if (kind === 'string' || (kind === 'port' && typeof value === 'string')) {
    return typeof value === 'string' || field.expected('a string');
  }
  if (kind === 'boolean') return typeof value === 'boolean' || field.expected('true or false');
  if (kind === 'time') {
    const isTime = typeof value === 'string' && TIME.test(value) && !Number.isNaN(Date.parse(value));
    return isTime || field.expected('a time such as "2026-01-31T12:00:00Z"');
  }
  if (kind === 'integer' || kind === 'int32' || kind === 'port') {
    const isWhole = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
    if (!isWhole) return field.expected('a whole number');
    const limit = 1n << BITS(kind);
    const number = BigInt(value);
    return (number < limit && number >= -limit) || field.expected(`a whole number of ${BITS(kind) + 1n} bits`);
  }
  if (kind === 'duration') {
    const isDuration = typeof value === 'string' && parseGoDuration(value) !== undefined;
    return isDuration || field.expected('a duration such as "1h30m"');
  }
  const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
  return (typeof text === 'string' && QUANTITY.test(text.trim())) || field.expected('a quantity such as "64Mi"');
}

/** The known name that is meant, where case or an s is wrong. */
function didYouMean(key: string, known: readonly string[]): string | undefined {
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  return known.find((name) => same(name, key) || same(`${name}s`, key) || same(name, `${key}s`));
}

/** Whether an object says nothing: `{}`, or fields that are empty. */
export function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isMap(value)) return Object.values(value).every(isEmpty);
  return value === undefined || value === null || value === '' || value === false || value === 0;
}
