import fc from 'fast-check';
import type { Question } from './judge.ts';
import { mutationBases } from './mutation-bases.ts';

/** A change of one place of an object. */
interface Edit {
  /** Chooses the place. */
  at: number;
  change: 'replace' | 'extend' | 'remove' | 'rename' | 'repeat' | 'add' | 'graft';
  value: unknown;
  key: string;
  /** Which of what the bases have under the same name. */
  from: number;
}

const VARIABLES = [
  '$(params.text)',
  '$(params.list)',
  '$(params.list[*])',
  '$(params.list[0])',
  '$(params.list[7])',
  '$(params.map)',
  '$(params.map[*])',
  '$(params.map.one)',
  '$(params.map.none)',
  '$(params["text"])',
  "$(params['list'][*])",
  '$(params.none)',
  '$(params.text.a.b)',
  '$(inputs.params.text)',
  '$(tasks.first.results.word)',
  '$(tasks.first.results.list[*])',
  '$(tasks.first.results.list[1])',
  '$(tasks.first.results.list[9])',
  '$(tasks.first.results.map.one)',
  '$(tasks.first.results.map[*])',
  '$(tasks.first.results.none)',
  '$(tasks.none.results.word)',
  '$(tasks.each.results.word[*])',
  '$(tasks.each.results.word)',
  '$(tasks.each.matrix.length)',
  '$(tasks.first.status)',
  '$(tasks.first.reason)',
  '$(tasks.status)',
  '$(finally.last.results.word)',
  '$(context.pipelineRun.name)',
  '$(context.pipelineRun.none)',
  '$(context.pipeline.name)',
  '$(context.pipelineTask.retries)',
  '$(context.taskRun.name)',
  '$(context.task.retry-count)',
  '$(context.none.name)',
  '$(workspaces.all.path)',
  '$(workspaces.all.bound)',
  '$(workspaces.none.path)',
  '$(results.word.path)',
  '$(results.none.path)',
  '$(step.results.word.path)',
  '$(steps.make.results.list[*])',
  '$(steps.make.results.map.one)',
  '$(params.given)',
  '$(params.given[1])',
  '$(params.parts.one)',
  '$(params.parts[*])',
  '$(tasks.first.results.map)',
  '$(tasks.checked.results.word)',
  '$(tasks.each.matrix.word.length)',
  '$(workspaces.more.path)',
  '$(workspaces.all.volume)',
  '$(workspaces.all.claim)',
  '$(steps.make.results.word)',
  '$(steps.step-make.exitCode.path)',
  '$(steps.make.exitCode.path)',
  '$(credentials.path)',
  '$(context.taskRun.none)',
  '$(context.task.name)',
  '$(params.list[1])',
  '$(params.text[0])',
  '$(params["map"])',
  '$(params.map["one"])',
  '$(tasks.first.results.map.none)',
  '$(tasks.first.results.list)',
  '$(tasks.first.results["word"])',
  '$(tasks.each.results.word[1])',
  '$(tasks.each.results.none[*])',
  '$(tasks.none.status)',
  '$(tasks.checked.status)',
  '$(tasks.second.results.word)',
  '$(finally.last.status)',
  '$(step.results.none.path)',
  '$(steps.make.results.none)',
  '$(steps.none.results.word)',
  '$(steps.make.results.list[1])',
  '$(workspaces.more.claim)',
  '$(workspaces.more.bound)',
  '$(workspaces.all)',
  '$(artifacts.path)',
  '$(step.artifacts.path)',
  '$$(params.text)',
  '$(params.text',
  '$(params.)',
  '#!win',
  '$(HOME)',
  '$(date)',
];

const SCALARS = [
  '',
  'word',
  'first',
  'second',
  'Not-A-Name',
  'a_b',
  'continue',
  'stopAndFail',
  'in',
  'notin',
  'exists',
  'string',
  'array',
  'object',
  'Task',
  '1h',
  '0s',
  '-1h',
  '90',
  '64Mi',
  '1.5.5',
  '/tekton/results',
  '/workspace/all',
  '/workspace/more',
  '2h',
  'Never',
  0,
  1,
  -1,
  1.5,
  true,
  false,
  null,
];

const KEYS =
  'name value params default type properties tasks finally results workspaces when input operator values runAfter retries timeout onError matrix include taskSpec taskRef stepSpecs podTemplate taskRunSpecs pipelineTaskName sidecars ref computeResources envFrom valueFrom securityContext pipeline steps script command args env image optional readOnly mountPath subPath description Name surprise emptyDir volumeClaimTemplate stepTemplate volumes enum resolver kind cel workspace claimName configMap secret projected persistentVolumeClaim timeouts taskRunTemplate serviceAccountName displayName readinessProbe imagePullPolicy prefix items optional stepSpecs sidecarSpecs retries pipelineSpec pipelineRef debug breakpoint labels annotations'.split(
    ' ',
  );

const text: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...VARIABLES),
  fc
    .tuple(fc.constantFrom('', 'x ', '-'), fc.constantFrom(...VARIABLES), fc.constantFrom('', '/y', ' $(params.text)'))
    .map((parts) => parts.join('')),
);

const value: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: text, weight: 5 },
  { arbitrary: fc.constantFrom<unknown>(...SCALARS), weight: 4 },
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

const how: fc.Arbitrary<Mutation['how']> = fc.oneof(
  { arbitrary: fc.constant({}), weight: 4 },
  {
    arbitrary: fc
      .tuple(
        fc.constantFrom('first', 'second', 'each', 'gather', 'checked', 'taking', 'last', 'always', 'cleanup'),
        fc.constantFrom<NonNullable<Mutation['how']['tasks']>[string]>(
          { fails: true },
          { fails: true, results: { word: 'w' } },
          { results: {} },
          { results: { word: 'w', list: [], map: { one: 'o' } } },
        ),
      )
      .map(([task, ending]) => ({ tasks: { [task]: ending } })),
    weight: 2,
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
for (const { parent, key } of placesIn(mutationBases)) {
  if (!Array.isArray(parent)) POOL.set(key, [...(POOL.get(key) ?? []), parent[key]]);
}

/** Something that a base has under that name. */
function grafted(key: string | number, from: number): unknown {
  const all = POOL.get(key) ?? [];
  return structuredClone(all[from % all.length]);
}

function apply(documents: unknown, { at, change, value: given, key, from }: Edit): unknown {
  const copy: unknown[] = structuredClone(documents) as unknown[];
  // Not the documents themselves.
  const places = placesIn(copy).filter(({ parent }) => parent !== copy);
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
  } else if (change === 'remove') delete parent[place.key];
  else if (change === 'rename') {
    delete parent[place.key];
    parent[key] = before;
  } else if (change === 'add') parent[key] = structuredClone(given);
  else if (change === 'extend') parent[place.key] = extended(before, given);
  else if (change === 'replace') parent[place.key] = structuredClone(given);
  return copy;
}

/** A text with another after it, a list with one more item; what is neither stays. */
function extended(before: unknown, given: unknown): unknown {
  if (typeof before === 'string' && typeof given === 'string') return `${before}${given}`;
  return Array.isArray(before) ? [...before, structuredClone(given)] : before;
}
