import { olderBases } from './older-bases.ts';
import { podBases } from './pod-bases.ts';
import { wideBases } from './wide-bases.ts';

/** Files that Tekton takes, each as its documents: what mutations start from. */
export const mutationBases: readonly (readonly unknown[])[] = [
  ...makeBases(),
  ...wideBases,
  ...podBases,
  ...olderBases,
];

function makeBases(): unknown[][] {
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
      pipelineSpec.tasks[2],
      // Nothing is propagated into a Pipeline of its own.
      {
        ...pipelineSpec.tasks[3],
        taskSpec: {
          params: [{ name: 'all', type: 'array' }, { name: 'text' }],
          steps: [{ image: 'image', args: ['$(params.all[*])', '$(params.text)'] }],
        },
      },
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
    ...moreBases(head),
  ];
}

/** What the others have not: StepActions, conditions everywhere, what is said for single tasks, included combinations. */
function moreBases(head: (kind: string, name: string) => object): unknown[][] {
  const action = {
    ...head('StepAction', 'say'),
    apiVersion: 'tekton.dev/v1beta1',
    spec: {
      params: [
        { name: 'text', default: 'from $(params.own)' },
        { name: 'own', default: 'action' },
        { name: 'given', type: 'array' },
        { name: 'parts', type: 'object', properties: { one: {}, two: {} }, default: { one: '1', two: '2' } },
        { name: 'volume', default: 'work' },
      ],
      results: [{ name: 'word' }],
      image: 'image-$(params.own)',
      env: [{ name: 'A', value: '$(params.given[1]) $(params.parts.one)' }],
      workingDir: '/work',
      volumeMounts: [{ name: '$(params.volume)', mountPath: '/work' }],
      args: ['$(params.given[*])', '$(params.text)', '$(params.parts.two)'],
    },
  };
  const acting = {
    params: [
      { name: 'text', default: 't' },
      { name: 'list', type: 'array', default: ['a', 'b'] },
      { name: 'map', type: 'object', properties: { one: { type: 'string' } }, default: { one: '1' } },
    ],
    results: [{ name: 'word', value: '$(steps.make.results.word)' }],
    volumes: [{ name: 'work', emptyDir: {} }],
    stepTemplate: { env: [{ name: 'T', value: '$(params.text)' }], workingDir: '/' },
    steps: [
      {
        name: 'make',
        image: 'image',
        results: [
          { name: 'word' },
          { name: 'list', type: 'array' },
          { name: 'map', type: 'object', properties: { one: { type: 'string' } } },
        ],
        script: 'echo > $(step.results.word.path)',
      },
      {
        name: 'act',
        ref: { name: 'say' },
        onError: 'continue',
        params: [
          { name: 'text', value: '$(params.text)' },
          { name: 'given', value: '$(params.list[*])' },
          { name: 'parts', value: { one: '$(params.map.one)', two: 'x' } },
        ],
      },
      {
        name: 'again',
        ref: { name: 'say' },
        when: [{ input: '$(steps.make.results.word)', operator: 'notin', values: ['', '$(params.text)'] }],
        params: [
          { name: 'text', value: '$(steps.make.results.word)' },
          { name: 'given', value: '$(steps.make.results.list[*])' },
          { name: 'parts', value: '$(steps.make.results.map[*])' },
        ],
      },
    ],
  };
  const word = { results: [{ name: 'word' }], steps: [{ image: 'image', script: 'echo' }] };
  const checked = {
    ...head('PipelineRun', 'checked'),
    spec: {
      params: [
        { name: 'text', value: 'hello' },
        { name: 'list', value: ['x', 'y'] },
        { name: 'error', value: 'continue' },
      ],
      timeouts: { pipeline: '1h', tasks: '40m', finally: '20m' },
      taskRunTemplate: { podTemplate: { securityContext: { runAsUser: 1000 }, env: [{ name: 'P', value: 'p' }] } },
      taskRunSpecs: [
        { pipelineTaskName: 'first', podTemplate: { nodeSelector: { disk: 'ssd' } }, timeout: '30m' },
        {
          pipelineTaskName: 'checked',
          serviceAccountName: 'builder',
          stepSpecs: [{ name: 's', computeResources: {} }],
        },
      ],
      workspaces: [
        { name: 'all', emptyDir: {}, subPath: '$(params.text)' },
        {
          name: 'more',
          volumeClaimTemplate: {
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        },
      ],
      pipelineSpec: {
        params: [
          { name: 'text' },
          { name: 'list', type: 'array', default: [] },
          { name: 'error', default: 'stopAndFail' },
          { name: 'late', default: '$(params.text)-$(context.pipelineRun.name)' },
        ],
        workspaces: [{ name: 'all' }, { name: 'more', optional: true }],
        tasks: [
          {
            name: 'first',
            retries: 2,
            workspaces: [{ name: 'all', workspace: 'all', subPath: 'sub/$(context.pipelineRun.name)' }],
            taskSpec: {
              ...acting,
              workspaces: [{ name: 'all', mountPath: '/data', readOnly: true }],
              results: [
                { name: 'word' },
                { name: 'list', type: 'array' },
                { name: 'map', type: 'object', properties: { one: { type: 'string' } } },
              ],
              steps: [
                {
                  name: 's',
                  image: 'image',
                  script: 'ls $(workspaces.all.path)',
                  computeResources: { limits: { memory: '64Mi' } },
                },
              ],
            },
          },
          {
            name: 'checked',
            onError: '$(params.error)',
            when: [
              { input: '$(tasks.first.results.word)', operator: 'notin', values: ['no'] },
              { input: '$(workspaces.more.bound)', operator: 'in', values: ['true'] },
            ],
            params: [{ name: 'parts', value: '$(tasks.first.results.map[*])' }],
            taskSpec: {
              params: [{ name: 'parts', type: 'object', properties: { one: {} } }],
              workspaces: [{ name: 'more', optional: true }],
              results: [{ name: 'word' }],
              steps: [{ name: 's', image: 'image', onError: 'continue', args: ['$(params.parts.one)'] }],
              sidecars: [
                {
                  name: 'beside',
                  image: 'image',
                  script: 'sleep 1',
                  env: [{ name: 'S', value: '$(params.parts.one)' }],
                },
              ],
            },
          },
          {
            name: 'each',
            runAfter: ['checked'],
            matrix: {
              params: [
                { name: 'a', value: '$(params.list[*])' },
                { name: 'b', value: ['1', '$(tasks.first.results.word)'] },
              ],
              include: [
                {
                  name: 'more',
                  params: [
                    { name: 'a', value: 'x' },
                    { name: 'c', value: 'in x' },
                  ],
                },
                { name: 'other', params: [{ name: 'a', value: 'z' }] },
              ],
            },
            taskSpec: {
              ...word,
              params: [{ name: 'a' }, { name: 'b', default: 'b' }, { name: 'c', default: '' }],
              steps: [{ image: 'image', args: ['$(params.a)', '$(params.b)', '$(params.c)', '$(params.late)'] }],
            },
          },
          {
            name: 'gather',
            matrix: { params: [{ name: 'a', value: '$(tasks.each.results.word[*])' }] },
            params: [{ name: 'count', value: '$(tasks.each.matrix.length)' }],
            taskSpec: {
              params: [{ name: 'a' }, { name: 'count' }],
              steps: [{ image: 'image', args: ['$(params.a) $(params.count)'] }],
            },
          },
        ],
        finally: [
          {
            name: 'last',
            when: [{ input: '$(tasks.checked.status)', operator: 'in', values: ['Succeeded', 'None', 'Failed'] }],
            params: [
              { name: 'own', value: '$(tasks.first.results.list[*])' },
              { name: 'state', value: '$(tasks.checked.reason) $(tasks.status)' },
            ],
            taskSpec: { ...word, params: [{ name: 'own', type: 'array' }, { name: 'state' }] },
          },
          {
            name: 'cleanup',
            when: [
              { input: '$(tasks.first.results.word)', operator: 'in', values: ['$(params.list[*])', '$(params.text)'] },
            ],
            workspaces: [{ name: 'more' }],
            taskSpec: {
              workspaces: [{ name: 'more' }],
              steps: [{ image: 'image', script: 'rm $(workspaces.more.path)' }],
            },
          },
        ],
        results: [
          { name: 'word', value: 'of $(tasks.first.results.word)' },
          { name: 'one', value: '$(tasks.first.results.map.one)' },
          { name: 'all', type: 'array', value: '$(tasks.each.results.word[*])' },
          { name: 'last', value: '$(finally.last.results.word)' },
        ],
      },
    },
  };
  checked.spec.pipelineSpec.results[0] = { name: 'word', value: '$(tasks.first.results.word)' };
  return [
    [action, { ...head('TaskRun', 'acting'), spec: { params: [{ name: 'text', value: 'x' }], taskSpec: acting } }],
    [
      {
        ...head('PipelineRun', 'acting'),
        spec: {
          params: [{ name: 'own', value: 'run' }],
          pipelineSpec: { tasks: [{ name: 'first', taskSpec: acting }] },
        },
      },
      action,
    ],
    [checked],
    [{ ...head('PipelineRun', 'skipping'), spec: { pipelineSpec: skipping(word) } }],
    [
      {
        ...head('TaskRun', 'referring'),
        spec: {
          retries: 1,
          timeout: '10m',
          serviceAccountName: 'builder',
          podTemplate: { securityContext: { runAsNonRoot: true } },
          params: [{ name: 'text', value: 'x' }],
          taskRef: { name: 'act', kind: 'Task' },
        },
      },
      { ...head('Task', 'act'), spec: acting },
      action,
    ],
    [
      {
        ...head('PipelineRun', 'older'),
        apiVersion: 'tekton.dev/v1beta1',
        spec: {
          serviceAccountName: 'builder',
          timeout: '1h',
          pipelineSpec: {
            tasks: [
              {
                name: 'first',
                taskSpec: { ...word, steps: [{ image: 'image', resources: { limits: { cpu: '1' } }, script: 'echo' }] },
              },
            ],
          },
        },
      },
    ],
  ];
}

/** Tasks that are not started, for each reason that there is, and those that come after them. */
function skipping(word: object): object {
  const spec = { ...word, steps: [{ image: 'image', script: 'echo' }] };
  const never = [{ input: 'a', operator: 'in', values: ['b'] }];
  const after = (name: string): object => ({ name: `after-${name}`, runAfter: [name], taskSpec: spec });
  const needs = (from: string): object => ({ params: [{ name: 'text', value: `$(tasks.${from}.results.word)` }] });
  return {
    tasks: [
      { name: 'first', taskSpec: spec },
      { name: 'second', when: never, taskSpec: spec },
      after('second'),
      { name: 'checked', ...needs('second'), taskSpec: spec },
      { ...after('checked'), when: [{ input: '$(tasks.first.results.word)', operator: 'in', values: ['w'] }] },
      after('after-checked'),
      {
        name: 'each',
        ...needs('second'),
        when: [{ input: '$(tasks.second.results.word)', operator: 'notin', values: ['b'] }],
        taskSpec: spec,
      },
      after('each'),
      { name: 'gather', ...needs('first'), when: never, taskSpec: spec },
      after('gather'),
    ],
    finally: [{ name: 'last', ...needs('second'), when: never, taskSpec: spec }],
  };
}
