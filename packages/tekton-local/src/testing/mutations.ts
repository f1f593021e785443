import fc from 'fast-check';
import type { Question } from './judge.ts';
import { mutationBases } from './mutation-bases.ts';
import { KEYS, ODD_ONES, SCALARS, VARIABLES } from './mutation-words.ts';

/** A change of one place of an object. */
interface Edit {
  /** Chooses the place. */
  at: number;
  change:
    | 'replace'
    | 'extend'
    | 'remove'
    | 'rename'
    | 'case'
    | 'repeat'
    | 'add'
    | 'graft'
    | 'join'
    | 'version'
    | 'lose';
  value: unknown;
  key: string;
  /** Which of what the bases have under the same name. */
  from: number;
}

const text: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...VARIABLES),
  fc
    .tuple(fc.constantFrom('', 'x ', '-'), fc.constantFrom(...VARIABLES), fc.constantFrom('', '/y', ' $(params.text)'))
    .map((parts) => parts.join('')),
);

const value: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: text, weight: 5 },
  { arbitrary: fc.constantFrom(...SCALARS), weight: 4 },
  {
    arbitrary: fc.constantFrom<unknown>([], {}, ['a', 'b'], ['a', 1], { one: '1' }, { one: 1 }, [['a']], [null]),
    weight: 2,
  },
  { arbitrary: fc.array(text, { maxLength: 2 }), weight: 1 },
);

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(100_000),
  change: fc.constantFrom<Edit['change'][]>(
    'replace',
    'replace',
    'extend',
    'extend',
    'remove',
    'rename',
    'repeat',
    'add',
    'graft',
    'graft',
    'graft',
    'join',
    'join',
    'case',
    'version',
    'lose',
  ),
  value,
  key: fc.constantFrom(...KEYS),
  from: fc.nat(10_000),
});

/** A file, and how its TaskRuns end. */
export interface Mutation {
  text: string;
  how: NonNullable<Question['run']>;
}

const ENDINGS: NonNullable<Mutation['how']['tasks']>[string][] = [
  { fails: true },
  { fails: true, results: { word: 'w' } },
  { results: {} },
  { results: { word: 'w', list: [], map: { one: 'o' } } },
  {
    results: { word: '$(params.text)', list: ['$(params.list[*])', 'second'], map: { one: '1', two: '2', three: '3' } },
  },
];

const how: fc.Arbitrary<Mutation['how']> = fc.oneof(
  { arbitrary: fc.constant({}), weight: 4 },
  {
    arbitrary: fc
      .array(
        fc.tuple(
          fc.constantFrom('first', 'second', 'each', 'gather', 'checked', 'taking', 'last', 'always', 'cleanup'),
          fc.constantFrom(...ENDINGS),
        ),
        { minLength: 1, maxLength: 2 },
      )
      .map((endings) => ({ tasks: Object.fromEntries(endings) })),
    weight: 3,
  },
);

/** Files that Tekton takes, changed in one to three places; as JSON, which is YAML too. */
export const mutation: fc.Arbitrary<Mutation> = fc
  .tuple(fc.nat(mutationBases.length - 1), fc.array(edit, { minLength: 1, maxLength: 3 }), how)
  .map(([base, edits, endings]) => {
    const documents = edits.reduce<unknown>(apply, mutationBases[base]) as unknown[];
    return { text: documents.map((document) => JSON.stringify(document, null, 1)).join('\n---\n'), how: endings };
  });

type Place = { parent: Record<string, unknown> | unknown[]; key: string | number };

function placesIn(parent: unknown, found: Place[] = []): Place[] {
  if (typeof parent !== 'object' || parent === null) return found;
  const map = parent as Record<string, unknown>;
  for (const key of Object.keys(map)) {
    if (!['apiVersion', 'kind', 'metadata', 'spec'].includes(key)) {
      found.push({ parent: map, key: Array.isArray(parent) ? Number(key) : key });
    }
    placesIn(map[key], found);
  }
  return found;
}

/** What the bases have under each name. */
const POOL = new Map<string | number, unknown[]>();
for (const { parent, key } of placesIn([mutationBases, ODD_ONES])) {
  if (!Array.isArray(parent)) POOL.set(key, [...(POOL.get(key) ?? []), parent[key]]);
}

/** Something that a base has under that name. */
function grafted(key: string | number, from: number): unknown {
  const all = POOL.get(key) ?? [];
  return structuredClone(all[from % all.length]);
}

function apply(documents: unknown, { at, change, value: given, key, from }: Edit): unknown {
  const copy = structuredClone(documents) as Record<string, unknown>[];
  if (change === 'lose') {
    const others = copy.filter(({ kind }) => kind !== 'PipelineRun' && kind !== 'TaskRun');
    return copy.filter((document) => document !== others[at % others.length]);
  }
  if (change === 'version') {
    const document = copy[at % copy.length];
    const versions = document?.kind === 'StepAction' ? ['v1beta1', 'v1alpha1'] : ['v1', 'v1beta1'];
    const other = versions.find((version) => document?.apiVersion !== `tekton.dev/${version}`);
    if (String(document?.apiVersion).startsWith('tekton.dev/'))
      Object.assign(document ?? {}, { apiVersion: `tekton.dev/${other}` });
    return copy;
  }
  // What Kubernetes says of its own objects is not judged.
  const places = copy
    .filter(({ apiVersion }) => String(apiVersion).startsWith('tekton.dev/'))
    .flatMap((document) => placesIn(document));
  const place = places[at % places.length];
  if (place === undefined) return copy;
  const { parent } = place;
  if (Array.isArray(parent)) {
    const index = Number(place.key);
    if (change === 'remove') parent.splice(index, 1);
    else if (change === 'repeat') parent.splice(index, 0, structuredClone(parent[index]));
    else if (change === 'add') parent.push(structuredClone(given));
    else if (change === 'extend') parent[index] = extended(parent[index], given);
    else if (typeof parent[index] !== 'object') parent[index] = structuredClone(given);
    return copy;
  }
  const { [place.key]: before } = parent;
  if (change === 'graft') {
    // In place of what is there, or beside it.
    const name = from % 3 === 0 && POOL.has(key) ? key : place.key;
    parent[name] = grafted(name, from);
  } else if (change === 'join') {
    const other = grafted(place.key, from);
    if (Array.isArray(before) && Array.isArray(other)) before.push(...other.slice(at % 2, 1 + (at % 3)));
    else if (isObject(before) && isObject(other)) parent[place.key] = { ...other, ...before };
  } else if (change === 'remove') delete parent[place.key];
  else if (change === 'rename') {
    delete parent[place.key];
    parent[key] = before;
  } else if (change === 'case') {
    const name = String(place.key);
    delete parent[name];
    parent[`${name.charAt(0).toUpperCase()}${name.slice(1)}`] = before;
  } else if (change === 'add') parent[key] = structuredClone(given);
  else if (change === 'extend') parent[place.key] = extended(before, given);
  else if (change === 'replace') parent[place.key] = structuredClone(given);
  return copy;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text with another after it, a list with one more item; what is neither stays. */
function extended(before: unknown, given: unknown): unknown {
  if (typeof before === 'string' && typeof given === 'string') return `${before}${given}`;
  return Array.isArray(before) ? [...before, structuredClone(given)] : before;
}
