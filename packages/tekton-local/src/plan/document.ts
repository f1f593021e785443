import { admit, type Kind, shapeOf } from './admit.ts';
import { withNamesInCase } from './case-of-names.ts';
import { Field, isMap } from './field.ts';
import type { Keys } from './kubernetes-yaml.ts';
import { withoutUnknown } from './shape.ts';

/**
 * An object of Tekton's as one of `tekton.dev/v1`, with everything noted for which a cluster would refuse it.
 *
 * @param document Of that kind.
 */
export function readObject(document: Field, kind: Kind): Field {
  const object = newest(document, kind);
  admit(object, kind);
  return object;
}

/**
 * An object as Pipelines as Code hands it on: what Tekton does not know is dropped, without a word there.
 *
 * @param notes Gets a word about it.
 */
export function knownAlone(document: Field, kind: Kind, notes: string[]): Field {
  const object = newest(document, kind);
  const dropped: Keys[] = [];
  const value = withoutUnknown(object.value, shapeOf(kind), dropped);
  if (dropped.length === 0) return object;
  for (const keys of dropped) {
    const { origin, path } = new Field(undefined, object.origin, keys);
    const note = `${origin.file}:${origin.placeOf(keys)?.line ?? 1}: Tekton has no field ${path}; Pipelines as Code drops it`;
    if (!notes.includes(note)) notes.push(note);
  }
  return new Field(value, object.origin, object.keys);
}

/** An object of Tekton's as one of `tekton.dev/v1`, whatever is wrong with it otherwise. */
function newest(document: Field, kind: Kind): Field {
  const version = document.get('apiVersion');
  const found = document.get('kind');
  if (found.value !== kind) found.expected(kind);
  const [newest, older] = kind === 'StepAction' ? ['v1beta1', 'v1alpha1'] : ['v1', 'v1beta1'];
  if (version.value !== `tekton.dev/${newest}` && version.value !== `tekton.dev/${older}`) {
    version.expected(`tekton.dev/${newest} or tekton.dev/${older}`);
  }
  return asNewest(document, kind);
}

type Renamed = readonly [from: readonly string[], to: readonly string[]];

/** What `tekton.dev/v1` calls otherwise, by kind; `*` is every item of a list. */
const RENAMED: Readonly<Record<Kind, readonly Renamed[]>> = {
  Task: ofTask('spec'),
  TaskRun: [
    ...ofTask('spec', 'taskSpec'),
    ...ofOverrides('spec', 'stepOverrides', 'stepSpecs'),
    ...ofOverrides('spec', 'sidecarOverrides', 'sidecarSpecs'),
  ],
  Pipeline: ofPipeline('spec'),
  StepAction: [],
  PipelineRun: [
    ...ofPipeline('spec', 'pipelineSpec'),
    [
      ['spec', 'serviceAccountName'],
      ['spec', 'taskRunTemplate', 'serviceAccountName'],
    ],
    [
      ['spec', 'podTemplate'],
      ['spec', 'taskRunTemplate', 'podTemplate'],
    ],
    [
      ['spec', 'timeout'],
      ['spec', 'timeouts', 'pipeline'],
    ],
    [
      ['spec', 'taskRunSpecs', '*', 'taskServiceAccountName'],
      ['spec', 'taskRunSpecs', '*', 'serviceAccountName'],
    ],
    [
      ['spec', 'taskRunSpecs', '*', 'taskPodTemplate'],
      ['spec', 'taskRunSpecs', '*', 'podTemplate'],
    ],
  ],
};

function ofPipeline(...at: string[]): Renamed[] {
  return ['tasks', 'finally'].flatMap((group) => ofTask(...at, group, '*', 'taskSpec'));
}

function ofTask(...at: string[]): Renamed[] {
  return [['steps', '*'], ['stepTemplate'], ['sidecars', '*']].map((place) => [
    [...at, ...place, 'resources'],
    [...at, ...place, 'computeResources'],
  ]);
}

function ofOverrides(at: string, from: string, to: string): Renamed[] {
  return [
    [
      [at, from, '*', 'resources'],
      [at, from, '*', 'computeResources'],
    ],
    [
      [at, from],
      [at, to],
    ],
  ];
}

/**
 * The object with the names of v1, in Tekton's own case; its fields still know what they are called in the file, and where
 * they are.
 */
function asNewest(document: Field, kind: Kind): Field {
  const written: [to: Keys, from: Keys][] = [];
  const isOlder = kind !== 'StepAction' && document.get('apiVersion').value === 'tekton.dev/v1beta1';
  let { value } = document;
  for (const [from, to] of isOlder ? RENAMED[kind] : []) value = rename(value, from, to, [], written);
  const twice: Keys[] = [];
  value = withNamesInCase(value, kind, { written, twice });
  // Tekton reads both, one over the other.
  for (const keys of twice) {
    new Field(undefined, document.origin, keys).unsupported(
      'is there twice, in two cases: tekton-local takes one of them',
    );
  }
  if (written.length === 0 && !isOlder) return document;
  const keysOf = (keys: Keys): Keys => {
    const found = written.findLast(([to]) => to.length <= keys.length && to.every((key, index) => keys[index] === key));
    return found === undefined ? keys : keysOf([...found[1], ...keys.slice(found[0].length)]);
  };
  const { origin } = document;
  return new Field(isOlder && isMap(value) ? { ...value, apiVersion: 'tekton.dev/v1' } : value, {
    ...origin,
    placeOf: (keys) => origin.placeOf(keysOf(keys)),
    writtenAs: keysOf,
  });
}

/** The value with what is at one path at another; both are the same but for their ends. */
function rename(
  value: unknown,
  from: readonly string[],
  to: readonly string[],
  at: Keys,
  written: [Keys, Keys][],
): unknown {
  const [first = '', ...rest] = from;
  if (Array.isArray(value) && first === '*') {
    return value.map((item, index) => rename(item, rest, to.slice(1), [...at, index], written));
  }
  if (!isMap(value) || !Object.hasOwn(value, first)) return value;
  if (rest.length > 0 && first === to[0]) {
    return { ...value, [first]: rename(value[first], rest, to.slice(1), [...at, first], written) };
  }
  const { [first]: moved, ...others } = value;
  // Said in both ways, it stays: v1 knows no such field, and says so.
  const target = to.reduce<unknown>((map, key) => (isMap(map) ? map[key] : undefined), value);
  if (moved === undefined || target !== undefined) return value;
  if (moved === null) return others;
  written.push([
    [...at, ...to],
    [...at, first],
  ]);
  return put(others, to, moved);
}

function put(map: Record<string, unknown>, [first = '', ...rest]: readonly string[], value: unknown): object {
  const inner = map[first];
  return { ...map, [first]: rest.length === 0 ? value : put(isMap(inner) ? inner : {}, rest, value) };
}
