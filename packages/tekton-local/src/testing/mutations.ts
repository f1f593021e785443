import fc from 'fast-check';

/** A change of one place of an object. */
interface Edit {
  /** Chooses the place. */
  at: number;
  change: 'replace' | 'remove' | 'rename' | 'repeat' | 'add';
  value: unknown;
  key: string;
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
  '$(steps.make.results.word)',
  '$(steps.step-make.exitCode.path)',
  '$(steps.make.exitCode.path)',
  '$(credentials.path)',
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
  0,
  1,
  -1,
  1.5,
  true,
  false,
  null,
];

const KEYS =
  'name value params default type properties tasks finally results workspaces when input operator values runAfter retries timeout onError matrix include taskSpec taskRef steps script command args env image optional readOnly mountPath subPath description Name surprise emptyDir volumeClaimTemplate stepTemplate volumes enum resolver kind'.split(
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
  change: fc.constantFrom<Edit['change'][]>('replace', 'replace', 'replace', 'remove', 'rename', 'repeat', 'add'),
  value,
  key: fc.constantFrom(...KEYS),
});

/** Files that Tekton takes, changed in one to three places; as JSON, which is YAML too. */
export const mutation: fc.Arbitrary<string> = fc
  .tuple(fc.nat(BASES().length - 1), fc.array(edit, { minLength: 1, maxLength: 2 }))
  .map(([base, edits]) => {
    const documents = edits.reduce<unknown>(apply, BASES()[base]) as unknown[];
    return documents.map((document) => JSON.stringify(document, null, 1)).join('\n---\n');
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

function apply(documents: unknown, { at, change, value: given, key }: Edit): unknown {
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
    else if (typeof parent[index] !== 'object') parent[index] = structuredClone(given);
    return copy;
  }
  const { [place.key]: before } = parent;
  if (change === 'remove') delete parent[place.key];
  else if (change === 'rename') {
    delete parent[place.key];
    parent[key] = before;
  } else if (change === 'add') parent[key] = structuredClone(given);
  else if (change === 'replace') parent[place.key] = structuredClone(given);
  return copy;
}

function BASES(): unknown[][] {
  const params = [
    { name: 'text', type: 'string', default: 'hello' },
    { name: 'list', type: 'array', default: ['a', 'b'] },
    { name: 'map', type: 'object', properties: { one: { type: 'string' }, two: {} }, default: { one: '1', two: '2' } },
  ];
  const make = {
    results: [
      { name: 'word' },
      { name: 'list', type: 'array' },
      { name: 'map', type: 'object', properties: { one: { type: 'string' } } },
    ],
    steps: [
      {
        name: 'make',
        image: 'image',
        results: [{ name: 'word' }],
        script: 'echo $(params.text) > $(results.word.path); echo x > $(step.results.word.path)',
        env: [{ name: 'A', value: '$(params.list[0])' }],
      },
      {
        name: 'use',
        image: 'image',
        command: ['sh', '-c'],
        args: ['cat $0', '$(steps.make.results.word)', '$(params.list[*])'],
      },
    ],
  };
  const use = {
    params: [
      { name: 'own', default: 'o' },
      { name: 'all', type: 'array', default: [] },
    ],
    workspaces: [{ name: 'all', optional: true }],
    results: [{ name: 'word', description: 'a word' }],
    stepTemplate: { env: [{ name: 'T', value: '$(params.own)' }] },
    volumes: [{ name: 'work', emptyDir: {} }],
    steps: [
      {
        image: 'image',
        workingDir: '$(workspaces.all.path)',
        onError: 'continue',
        timeout: '1m',
        script: 'echo $(params.own) $(context.taskRun.name) > $(results.word.path)',
        volumeMounts: [{ name: 'work', mountPath: '/work', subPath: 'x' }],
      },
      { name: 'after', image: 'image', args: ['$(params.all[*])', '$(steps.step-unnamed-0.exitCode.path)'] },
    ],
  };
  const pipelineSpec = {
    params,
    workspaces: [{ name: 'all', optional: true }],
    tasks: [
      { name: 'first', taskSpec: make },
      {
        name: 'second',
        runAfter: ['first'],
        params: [
          { name: 'own', value: '$(tasks.first.results.word) $(params.text)' },
          { name: 'all', value: ['$(params.list[*])', '$(tasks.first.results.list[0])'] },
        ],
        workspaces: [{ name: 'all', workspace: 'all' }],
        when: [{ input: '$(params.text)', operator: 'in', values: ['hello', '$(params.list[*])'] }],
        timeout: '10m',
        taskSpec: use,
      },
      {
        name: 'each',
        matrix: { params: [{ name: 'own', value: ['$(params.list[*])', 'c'] }] },
        retries: 1,
        taskSpec: {
          params: [{ name: 'own' }],
          results: [{ name: 'word' }],
          steps: [{ image: 'image', script: 'echo $(params.own)' }],
        },
      },
      {
        name: 'gather',
        onError: 'continue',
        params: [
          { name: 'all', value: ['$(tasks.each.results.word[*])'] },
          { name: 'text', value: 'own' },
        ],
        taskSpec: {
          steps: [{ image: 'image', script: 'echo $(params.text) $(params.map.one)', args: ['$(params.all[*])'] }],
        },
      },
    ],
    finally: [
      {
        name: 'last',
        params: [{ name: 'own', value: '$(tasks.status) $(tasks.first.status) $(tasks.first.results.word)' }],
        taskSpec: {
          params: [{ name: 'own' }],
          results: [{ name: 'word' }],
          steps: [{ image: 'image', script: 'echo $(params.own)' }],
        },
      },
    ],
    results: [
      { name: 'word', value: '$(tasks.first.results.word)' },
      { name: 'list', type: 'array', value: '$(tasks.first.results.list[*])' },
      { name: 'map', value: { one: '$(tasks.first.results.map.one)', last: '$(finally.last.results.word)' } },
    ],
  };
  const head = (kind: string, name: string): object => ({ apiVersion: 'tekton.dev/v1', kind, metadata: { name } });
  const given = [
    { name: 'text', value: 'hello' },
    { name: 'list', value: ['x', 'y'] },
    { name: 'extra', value: 'e' },
  ];
  const more = {
    params: given,
    workspaces: [{ name: 'all', emptyDir: {} }],
    timeouts: { pipeline: '2h', tasks: '1h' },
  };
  const referenced = {
    ...pipelineSpec,
    tasks: [
      { name: 'first', taskRef: { name: 'make' } },
      { ...pipelineSpec.tasks[1], taskSpec: undefined, taskRef: { name: 'use', kind: 'Task' } },
      ...pipelineSpec.tasks.slice(2),
    ],
  };
  const declared = { ...make, params };
  return [
    [{ ...head('PipelineRun', 'embedded'), spec: { ...more, pipelineSpec } }],
    [
      { ...head('PipelineRun', 'referenced'), spec: { ...more, pipelineRef: { name: 'pipeline' } } },
      { ...head('Pipeline', 'pipeline'), spec: referenced },
      { ...head('Task', 'make'), spec: declared },
      { ...head('Task', 'use'), spec: use },
    ],
    [
      {
        ...head('TaskRun', 'task'),
        spec: {
          params: given,
          workspaces: [{ name: 'all', emptyDir: {} }],
          taskSpec: { ...use, params: [...params, ...use.params] },
        },
      },
    ],
    [
      {
        ...head('PipelineRun', 'propagated'),
        spec: {
          ...more,
          pipelineSpec: {
            ...pipelineSpec,
            params: undefined,
            workspaces: undefined,
            tasks: [
              pipelineSpec.tasks[0],
              {
                name: 'second',
                taskSpec: {
                  steps: [
                    {
                      image: 'image',
                      script: 'echo $(params.text) $(tasks.first.results.word) $(workspaces.all.path)',
                      args: ['$(params.list[*])'],
                    },
                  ],
                },
              },
            ],
            finally: undefined,
            results: undefined,
          },
        },
      },
    ],
  ];
}
