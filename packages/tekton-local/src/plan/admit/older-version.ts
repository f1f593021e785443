import { ONCE_IN_STEPS } from '../decode/schema.ts';
import { isEmpty, type Shape, shapeAt } from '../decode/shape.ts';
import { type Field, isMap } from '../yaml/field.ts';
import type { Keys } from '../yaml/kubernetes-yaml.ts';
import { type Kind, shapeOf } from './admit.ts';
import { admitPorts } from './task.ts';

// tekton.dev/v1beta1 as what it was made to: names that v1 has otherwise, and fields that it has no more.

type Path = readonly string[];
type Renamed = readonly [from: Path, to: Path];

/** What `tekton.dev/v1` calls otherwise, by kind; `*` is every item of a list. */
const RENAMED: Readonly<Record<Kind, readonly Renamed[]>> = {
  Task: ofTask('spec'),
  TaskRun: [...ofTask('spec', 'taskSpec'), ...ofOverrides('spec')],
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
    ...ofOverrides('spec', 'taskRunSpecs', '*'),
  ],
};

/** Where Tasks are in an object, by its kind. */
const TASKS: Readonly<Record<Kind, readonly Path[]>> = {
  Task: [['spec']],
  TaskRun: [['spec', 'taskSpec']],
  Pipeline: tasksIn('spec'),
  StepAction: [],
  PipelineRun: tasksIn('spec', 'pipelineSpec'),
};

function tasksIn(...at: string[]): Path[] {
  return ['tasks', 'finally'].map((group) => [...at, group, '*', 'taskSpec']);
}

function ofPipeline(...at: string[]): Renamed[] {
  return tasksIn(...at).flatMap((path) => ofTask(...path));
}

function ofTask(...at: string[]): Renamed[] {
  return [['steps', '*'], ['stepTemplate'], ['sidecars', '*']].map((place) => [
    [...at, ...place, 'resources'],
    [...at, ...place, 'computeResources'],
  ]);
}

function ofOverrides(...at: string[]): Renamed[] {
  const names = [
    ['stepOverrides', 'stepSpecs'],
    ['sidecarOverrides', 'sidecarSpecs'],
  ] as const;
  return names.flatMap(([from, to]): Renamed[] => [
    [
      [...at, from, '*', 'resources'],
      [...at, from, '*', 'computeResources'],
    ],
    [
      [...at, from],
      [...at, to],
    ],
  ]);
}

/** What a cluster wrote into a status. */
const ONCE_WRITTEN: Partial<Record<Kind, readonly string[]>> = {
  PipelineRun: ['taskRuns', 'runs', 'pipelineResults'],
  TaskRun: ['taskResults', 'cloudEvents', 'resourcesResult'],
};

type Fields = readonly [at: Path, fields: Readonly<Record<string, Shape>>];

/** What is made of each kind when it is asked for, and then kept: files of v1 need none of it. */
function oncePerKind<T extends object | string>(make: (kind: Kind) => T): (kind: Kind) => T {
  const made = new Map<Kind, T>();
  return (kind) => {
    const value = made.get(kind) ?? make(kind);
    made.set(kind, value);
    return value;
  };
}

/** Fields that v1 has no more, and that mean nothing: to Kubernetes, in a step. */
const droppedOf = oncePerKind((kind): readonly Fields[] => {
  const inSteps = TASKS[kind].flatMap((task): Fields[] => [
    [[...task, 'steps', '*'], ONCE_IN_STEPS],
    [[...task, 'stepTemplate'], { ...ONCE_IN_STEPS, name: 'string' }],
  ]);
  const gone = GONE[kind].map(
    (path): Fields => [path.slice(0, -1), { [path.at(-1) ?? '']: path.at(-1) === 'bundle' ? 'string' : 'any' }],
  );
  const written = ONCE_WRITTEN[kind] ?? [];
  return [...inSteps, ...gone, [['status'], Object.fromEntries(written.map((name) => [name, 'written']))]];
});

/** What v1beta1 still reads, to refuse it. */
const GONE: Readonly<Record<Kind, readonly Path[]>> = {
  Task: goneIn(TASKS.Task),
  TaskRun: [...goneIn([['spec'], ...TASKS.TaskRun]), ['spec', 'taskRef', 'bundle']],
  Pipeline: goneInPipeline('spec'),
  StepAction: [],
  PipelineRun: [['spec', 'resources'], ['spec', 'pipelineRef', 'bundle'], ...goneInPipeline('spec', 'pipelineSpec')],
};

function goneIn(places: readonly Path[]): Path[] {
  return places.map((at) => [...at, 'resources']);
}

function goneInPipeline(...at: string[]): Path[] {
  const tasks = ['tasks', 'finally'].map((group) => [...at, group, '*']);
  return [...goneIn([at, ...tasks, ...tasksIn(...at)]), ...tasks.map((task) => [...task, 'taskRef', 'bundle'])];
}

/** Notes what Tekton refuses in v1beta1 alone. */
export function admitOlder(document: Field, kind: Kind): void {
  const [timeout, timeouts] = [document.get('spec', 'timeout'), document.get('spec', 'timeouts')];
  if (kind === 'PipelineRun' && timeout.present && timeouts.present) {
    timeout.invalid('is said together with timeouts; expected one of them');
  }
  for (const field of GONE[kind].flatMap((path) => fieldsAt(document, path))) {
    // Of a Pipeline none of them is nothing.
    const isNone = ['Pipeline.spec', 'PipelineRun.spec.pipelineSpec'].includes(
      [kind, ...field.keys.slice(0, -1)].join('.'),
    );
    if (field.value === '' || (isNone && isEmpty(field.value))) continue;
    if (field.present) field.invalid('is gone from Tekton');
  }
}

/** Notes ports that a step of a Task of its own has twice: they mean nothing, and a cluster looks at them before they are dropped. */
export function admitOlderTask(document: Field): void {
  const spec = document.get('spec');
  for (const step of [...spec.get('steps').items(), spec.get('stepTemplate')]) admitPorts(step.get('ports'));
}

function fieldsAt(field: Field, [first, ...rest]: Path): Field[] {
  if (first === undefined) return [field];
  return first === '*' ? field.items().flatMap((item) => fieldsAt(item, rest)) : fieldsAt(field.get(first), rest);
}

/** The shape of an object in v1beta1, made of that in v1. */
export const olderShape: (kind: Kind) => Shape = oncePerKind((kind) => {
  // A name that is inside of another one was changed before that.
  const renamed = RENAMED[kind].toReversed().reduce((before, [from, to]) => {
    const moved = shapeAt(before, to);
    if (moved === undefined) return before;
    // The other timeouts of a run are named as they are now.
    const isBoth = from.at(-1) === 'timeout';
    return withShape(isBoth ? before : withShape(before, to, undefined), from, moved);
  }, shapeOf(kind));
  const whole = droppedOf(kind).reduce((before, [at, fields]) => {
    return Object.entries(fields).reduce((each, [name, field]) => withShape(each, [...at, name], field), before);
  }, renamed);
  return kind === 'PipelineRun' ? withShape(whole, ['spec', 'taskRunTemplate'], undefined) : whole;
});

function withShape(shape: Shape, [first = '', ...rest]: Path, field: Shape | undefined): Shape {
  if (typeof shape === 'string') return shape;
  if (first === '*') return [withShape((shape as readonly [Shape])[0], rest, field)];
  const { [first]: before, ...others } = shape as Readonly<Record<string, Shape>>;
  const now = rest.length === 0 ? field : withShape(before ?? {}, rest, field);
  return now === undefined ? others : { ...others, [first]: now };
}

/**
 * The value of an object of v1beta1 with the names of v1.
 *
 * @param written Gets the keys that are others now, and what they were.
 */
export function withNewNames(value: unknown, kind: Kind, written: [to: Keys, from: Keys][]): unknown {
  const kept = droppedOf(kind).reduce((before, [at, fields]) => without(before, at, fields), value);
  return RENAMED[kind].reduce((before, [from, to]) => rename(before, from, to, [], written), kept);
}

function without(value: unknown, [first, ...rest]: Path, fields: Readonly<Record<string, Shape>>): unknown {
  if (first === '*') return Array.isArray(value) ? value.map((item: unknown) => without(item, rest, fields)) : value;
  if (!isMap(value)) return value;
  if (first === undefined)
    return Object.fromEntries(Object.entries(value).filter(([key]) => !Object.hasOwn(fields, key)));
  return Object.hasOwn(value, first) ? { ...value, [first]: without(value[first], rest, fields) } : value;
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
