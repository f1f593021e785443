import { isMap } from '../yaml/field.ts';
import type { Keys } from '../yaml/kubernetes-yaml.ts';
import { isListShape, type Shape, shapeAt } from './shape.ts';

type Path = readonly string[];

/** What a Pod template has that Tekton's own descriptions leave open. */
const podTemplate = (...at: string[]): Path[] => ['affinity', 'securityContext', 'volumes'].map((key) => [...at, key]);
const CLAIM: Path = ['spec', 'workspaces', '*', 'volumeClaimTemplate'];

/**
 * What is inside of others, whose fields' names Go's reader takes in any case: nothing looks at them before it does. Of both
 * versions together.
 */
const INSIDE: Readonly<Record<string, readonly Path[]>> = {
  Task: [['spec', 'volumes']],
  TaskRun: [['spec', 'taskSpec'], CLAIM, ...podTemplate('spec', 'podTemplate')],
  PipelineRun: [
    ['spec', 'pipelineSpec'],
    CLAIM,
    ...podTemplate('spec', 'podTemplate'),
    ...podTemplate('spec', 'taskRunTemplate', 'podTemplate'),
    ...podTemplate('spec', 'taskRunSpecs', '*', 'podTemplate'),
    ...podTemplate('spec', 'taskRunSpecs', '*', 'taskPodTemplate'),
  ],
  Pipeline: ['tasks', 'finally'].map((group) => ['spec', group, '*', 'taskSpec']),
};

/**
 * The value of an object with what is inside of it as Go reads that: fields named as Tekton names them, and what an object
 * has under a key that is null.
 *
 * @param whole The shape of the object.
 * @param names Gets what was named otherwise, and what is there under two names.
 */
export function withNamesInCase(value: unknown, kind: string, whole: Shape, names: NamesInCase): unknown {
  return (INSIDE[kind] ?? []).reduce((before, path) => at(before, path, shapeAt(whole, path), [], names), value);
}

/** What names in other cases came to. */
export interface NamesInCase {
  /** The keys as they are, and as they were written. */
  readonly written: [to: Keys, from: Keys][];
  /** The keys, as they were written, of fields that are there in another case as well. */
  readonly twice: Keys[];
}

function at(value: unknown, [first, ...rest]: Path, shape: Shape | undefined, keys: Keys, names: NamesInCase): unknown {
  if (first === undefined) return inCase(value, shape, keys, names);
  if (first === '*') {
    if (!Array.isArray(value)) return value;
    const items = value.map((item: unknown, index) => at(item, rest, shape, [...keys, index], names));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  if (!isMap(value) || !Object.hasOwn(value, first)) return value;
  const inside = at(value[first], rest, shape, [...keys, first], names);
  return inside === value[first] ? value : { ...value, [first]: inside };
}

function inCase(value: unknown, shape: Shape | undefined, keys: Keys, names: NamesInCase): unknown {
  if (shape === undefined || typeof shape === 'string' || isCased(value, shape)) return value;
  if (isListShape(shape)) {
    if (!Array.isArray(value)) return value;
    return value.map((item, index) => inCase(item, shape[0], [...keys, index], names));
  }
  if (!isMap(value)) return value;
  const every = shape['*'];
  const own = Object.keys(value);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item], index): [string, unknown][] => {
      if (every !== undefined) {
        // As Go reads it, a key without anything is there all the same.
        const value = item === null && typeof every === 'object' ? {} : item;
        return [[key, inCase(value, every, [...keys, key], names)]];
      }
      const known = nameOf(key, shape);
      if (known === undefined) return [[key, item]];
      if (known !== key) {
        const here: Keys = [...keys, key];
        if (Object.hasOwn(value, known) || own.slice(0, index).some((other) => nameOf(other, shape) === known)) {
          names.twice.push(here);
          return [];
        }
        names.written.push([[...keys, known], here]);
      }
      return [[known, inCase(item, shape[known], [...keys, known], names)]];
    }),
  );
}

/** Whether everything is named as Tekton names it and no key is null, as in almost all files. */
function isCased(value: unknown, shape: Shape | undefined): boolean {
  if (shape === undefined || typeof shape === 'string') return true;
  if (isListShape(shape)) return !Array.isArray(value) || value.every((item) => isCased(item, shape[0]));
  if (!isMap(value)) return true;
  const every = shape['*'];
  for (const key of Object.keys(value)) {
    if (every === undefined && nameOf(key, shape) !== key) return false;
    if (every !== undefined && typeof every === 'object' && value[key] === null) return false;
    if (!isCased(value[key], every ?? shape[key])) return false;
  }
  return true;
}

function nameOf(key: string, shape: Readonly<Record<string, Shape>>): string | undefined {
  if (Object.hasOwn(shape, key)) return key;
  return Object.keys(shape).find((name) => name.toLowerCase() === key.toLowerCase());
}
