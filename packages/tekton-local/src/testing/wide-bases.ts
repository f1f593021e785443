const head = (kind: string, name: string): object => ({ apiVersion: 'tekton.dev/v1', kind, metadata: { name } });
const echo = { image: 'image', script: 'echo' };
const word = { results: [{ name: 'word' }], steps: [echo] };

/**
 * Files that Tekton takes, in whose corners mutations rarely come otherwise: containers with all that they can say,
 * objects from task to task, and finally tasks that do all that other tasks do.
 */
export const wideBases: unknown[][] = [containers(), objects(), lastOnes(), actions(), included()];

/** What steps, their template and sidecars share: variables, volumes, workspaces of their own. */
function containers(): unknown[] {
  return [
    {
      ...head('TaskRun', 'containers'),
      spec: {
        params: [
          { name: 'text', value: 'work' },
          { name: 'list', value: ['a', 'b'] },
        ],
        workspaces: [
          { name: 'all', emptyDir: {}, subPath: 'sub' },
          { name: 'more', emptyDir: {} },
        ],
        stepSpecs: [{ name: 'make', computeResources: { limits: { memory: '64Mi' } } }],
        sidecarSpecs: [{ name: 'beside', computeResources: { limits: { memory: '64Mi' } } }],
        podTemplate: { env: [{ name: 'P', value: 'p' }], securityContext: { runAsUser: 1000 } },
        taskSpec: {
          params: [
            { name: 'text' },
            { name: 'list', type: 'array' },
            { name: 'map', type: 'object', properties: { one: {} }, default: { one: '/tmp' } },
          ],
          results: [{ name: 'word', type: 'string', value: '$(steps.make.results.word)' }, { name: 'own' }],
          workspaces: [
            { name: 'all', mountPath: '/all/$(params.text)' },
            { name: 'more', optional: true, readOnly: true },
          ],
          volumes: [
            { name: '$(params.text)', emptyDir: {} },
            { name: 'settings', configMap: { name: 'settings-$(params.text)', optional: true } },
            { name: 'login', secret: { secretName: '$(params.list[0])', optional: true } },
            {
              name: 'both',
              projected: { sources: [{ configMap: { name: 'settings', optional: true } }] },
            },
          ],
          stepTemplate: {
            image: 'image',
            env: [
              { name: 'T', value: '$(params.text)' },
              { name: 'A', value: 'template' },
            ],
            envFrom: [{ prefix: 'X_', configMapRef: { name: '$(params.text)', optional: true } }],
            workingDir: '$(params.map.one)',
            volumeMounts: [{ name: 'settings', mountPath: '/settings' }],
            securityContext: { runAsGroup: 1000 },
          },
          steps: [
            {
              name: 'make',
              results: [{ name: 'word' }, { name: 'list', type: 'array' }],
              script: '#!/bin/sh\necho > $(step.results.word.path)',
              env: [
                { name: 'A', value: '$(params.list[1])' },
                { name: 'K', valueFrom: { secretKeyRef: { name: '$(params.text)', key: 'k', optional: true } } },
              ],
              volumeMounts: [
                { name: '$(params.text)', mountPath: '/mnt/$(params.text)', subPath: '$(params.list[0])' },
                { name: 'login', mountPath: '/login', readOnly: true },
              ],
              workspaces: [{ name: 'all', mountPath: '/elsewhere' }],
              timeout: '1m',
            },
            {
              command: ['sh', '-c', '$(params.list[*])'],
              args: ['$(steps.make.results.word)', '$(workspaces.all.path)', '$(workspaces.more.bound)'],
              onError: 'continue',
              when: [{ input: '$(steps.make.results.word)', operator: 'in', values: ['$(params.list[*])', 'x'] }],
              computeResources: { requests: { cpu: '100m' } },
            },
          ],
          sidecars: [
            {
              name: 'beside',
              image: 'image-$(params.text)',
              script: 'echo $(workspaces.all.path)',
              env: [{ name: 'S', value: '$(params.map.one)' }],
              volumeMounts: [{ name: '$(params.text)', mountPath: '/mnt' }],
              workspaces: [{ name: 'all' }],
              readinessProbe: { exec: { command: ['test', '-f', '$(params.text)'] }, periodSeconds: 1 },
            },
            { image: 'image', command: ['serve'], args: ['$(params.list[*])'] },
          ],
        },
      },
    },
  ];
}

/** Objects and arrays from task to task, whole and in parts, by params, defaults and what is propagated. */
function objects(): unknown[] {
  const maker = {
    params: [{ name: 'map', type: 'object', properties: { one: {}, two: {} }, default: { one: '1', two: '2' } }],
    results: [
      { name: 'map', type: 'object', properties: { one: {}, two: {} } },
      { name: 'list', type: 'array' },
      { name: 'word' },
    ],
    steps: [{ image: 'image', args: ['$(params.map.one)', '$(params.map.two)'] }],
  };
  const taker = {
    params: [
      { name: 'map', type: 'object', properties: { one: {}, two: {} }, default: { one: '', two: 'default' } },
      { name: 'list', type: 'array' },
      { name: 'word', default: '$(params.other)' },
      { name: 'other', default: 'other' },
    ],
    results: [{ name: 'word' }],
    steps: [{ image: 'image', command: ['$(params.list[*])'], args: ['$(params.map.one)', '$(params.word)'] }],
  };
  return [
    {
      ...head('PipelineRun', 'objects'),
      spec: {
        params: [{ name: 'map', value: { one: 'run' } }],
        pipelineRef: { name: 'objects' },
        taskRunSpecs: [{ pipelineTaskName: 'taking', timeout: '10m', computeResources: { limits: { cpu: '1' } } }],
      },
    },
    {
      ...head('Pipeline', 'objects'),
      spec: {
        params: [
          { name: 'map', type: 'object', properties: { one: {}, two: {} }, default: { one: '1', two: '2' } },
          { name: 'list', type: 'array', default: ['$(params.text)', 'b'] },
          { name: 'text', default: 'text' },
        ],
        tasks: [
          { name: 'first', params: [{ name: 'map', value: '$(params.map[*])' }], taskRef: { name: 'maker' } },
          {
            name: 'taking',
            params: [
              { name: 'map', value: { one: '$(tasks.first.results.map.one)', two: '$(params.map.two)' } },
              { name: 'list', value: '$(tasks.first.results.list[*])' },
              { name: 'word', value: '$(tasks.first.results.list[1]) $(tasks.first.results.map.two)' },
            ],
            taskRef: { name: 'taker' },
          },
          {
            name: 'checked',
            runAfter: ['taking'],
            when: [
              {
                input: '$(tasks.first.results.map.one)',
                operator: 'notin',
                values: ['$(tasks.first.results.list[*])'],
              },
              { input: '$(params.list[0])', operator: 'in', values: ['$(params.text)'] },
            ],
            params: [
              { name: 'map', value: '$(tasks.first.results.map[*])' },
              { name: 'list', value: ['$(tasks.first.results.list[*])', '$(tasks.taking.results.word)', 'x'] },
            ],
            taskRef: { name: 'taker', kind: 'Task' },
          },
          {
            name: 'each',
            matrix: { params: [{ name: 'word', value: '$(tasks.first.results.list[*])' }] },
            params: [{ name: 'list', value: ['$(params.list[*])'] }],
            taskRef: { name: 'taker' },
          },
        ],
        results: [
          { name: 'map', type: 'object', value: '$(tasks.first.results.map[*])' },
          { name: 'one', value: '$(tasks.first.results.map.one)' },
          { name: 'second', value: '$(tasks.first.results.list[1])' },
        ],
      },
    },
    { ...head('Task', 'maker'), spec: maker },
    { ...head('Task', 'taker'), spec: taker },
  ];
}

/** Finally tasks with results of others, conditions, matrices, retries and workspaces. */
function lastOnes(): unknown[] {
  return [
    {
      ...head('PipelineRun', 'last'),
      spec: {
        params: [{ name: 'list', value: ['x', 'y'] }],
        workspaces: [{ name: 'all', emptyDir: {} }],
        timeouts: { pipeline: '1h', finally: '10m' },
        pipelineSpec: {
          workspaces: [{ name: 'all' }],
          tasks: [
            { name: 'first', taskSpec: { ...word, results: [{ name: 'word' }, { name: 'list', type: 'array' }] } },
            { name: 'second', runAfter: ['first'], retries: 1, timeout: '5m', taskSpec: word },
            { name: 'checked', onError: 'continue', runAfter: ['second'], taskSpec: word },
          ],
          finally: [
            {
              name: 'last',
              retries: 2,
              timeout: '1m',
              workspaces: [{ name: 'own', workspace: 'all', subPath: 'sub' }],
              params: [
                { name: 'word', value: '$(tasks.second.results.word)' },
                { name: 'state', value: '$(tasks.checked.status) $(tasks.checked.reason)' },
              ],
              taskSpec: {
                params: [{ name: 'word' }, { name: 'state' }],
                workspaces: [{ name: 'own' }],
                steps: [{ image: 'image', args: ['$(params.word)', '$(params.state)', '$(workspaces.own.path)'] }],
              },
            },
            {
              name: 'cleanup',
              when: [
                { input: '$(tasks.status)', operator: 'in', values: ['Succeeded', 'Completed'] },
                { input: '$(tasks.first.results.word)', operator: 'notin', values: ['$(tasks.first.results.list[*])'] },
              ],
              matrix: {
                params: [
                  { name: 'a', value: ['$(tasks.first.results.word)', '$(params.list[*])'] },
                  { name: 'b', value: ['$(tasks.checked.status)'] },
                ],
              },
              taskSpec: {
                params: [{ name: 'a' }, { name: 'b' }],
                results: [{ name: 'word' }],
                steps: [{ image: 'image', args: ['$(params.a)', '$(params.b)'] }],
              },
            },
            { name: 'always', onError: 'continue', taskSpec: word },
          ],
          results: [
            { name: 'word', value: '$(tasks.checked.results.word)' },
            { name: 'always', value: '$(finally.always.results.word)' },
          ],
        },
      },
    },
  ];
}

/** StepActions in Tasks by name, with defaults, results and scripts of their own. */
function actions(): unknown[] {
  const action = (name: string, spec: object): object => ({
    ...head('StepAction', name),
    apiVersion: 'tekton.dev/v1beta1',
    spec,
  });
  return [
    {
      ...head('PipelineRun', 'acts'),
      spec: {
        pipelineSpec: {
          params: [{ name: 'list', type: 'array', default: ['p', 'q'] }],
          tasks: [
            {
              name: 'first',
              params: [{ name: 'list', value: ['$(params.list[*])', 'r'] }],
              taskRef: { name: 'acts' },
            },
            {
              name: 'second',
              params: [{ name: 'word', value: '$(tasks.first.results.word)' }],
              taskSpec: {
                params: [{ name: 'word' }],
                steps: [{ ref: { name: 'writes' }, params: [{ name: 'word', value: '$(params.word)' }] }],
              },
            },
          ],
        },
      },
    },
    {
      ...head('Task', 'acts'),
      spec: {
        params: [
          { name: 'list', type: 'array' },
          { name: 'map', type: 'object', properties: { one: {} }, default: { one: '$(context.taskRun.name)' } },
        ],
        results: [{ name: 'word', value: '$(steps.writes.results.word)' }],
        steps: [
          { name: 'writes', ref: { name: 'writes' }, params: [{ name: 'word', value: '$(params.list[1])' }] },
          {
            name: 'reads',
            ref: { name: 'reads' },
            timeout: '1m',
            when: [{ input: '$(steps.writes.results.word)', operator: 'notin', values: ['$(params.list[*])'] }],
            params: [
              { name: 'list', value: ['$(params.list[*])', '$(params.map.one)'] },
              { name: 'word', value: '$(steps.writes.results.word)' },
            ],
          },
        ],
      },
    },
    action('writes', {
      params: [{ name: 'word', default: 'word' }],
      results: [{ name: 'word' }],
      image: 'image',
      env: [{ name: 'WORD', value: '$(params.word)' }],
      script: 'echo $WORD > $(step.results.word.path)',
      securityContext: { runAsUser: 1000 },
    }),
    action('reads', {
      params: [
        { name: 'list', type: 'array', default: [] },
        { name: 'word' },
        { name: 'both', default: '$(params.word)!' },
        { name: 'map', type: 'object', properties: { one: {}, two: {} }, default: { one: '1', two: '2' } },
      ],
      image: 'image',
      command: ['cat', '$(params.list[*])'],
      args: ['$(params.word)', '$(params.both)', '$(params.map.one)', '$(params.list[0])'],
    }),
  ];
}

/** Combinations that are listed one by one, or with results in them. */
function included(): unknown[] {
  return [
    {
      ...head('PipelineRun', 'included'),
      spec: {
        pipelineSpec: {
          tasks: [
            { name: 'first', taskSpec: { ...word, results: [{ name: 'word' }, { name: 'list', type: 'array' }] } },
            {
              name: 'each',
              matrix: {
                include: [
                  { name: 'one', params: [{ name: 'a', value: '1' }] },
                  {
                    name: 'two',
                    params: [
                      { name: 'a', value: '$(tasks.first.results.word)' },
                      { name: 'b', value: 'b' },
                    ],
                  },
                ],
              },
              params: [{ name: 'always', value: '$(context.pipelineTask.retries)' }],
              taskSpec: {
                params: [{ name: 'a' }, { name: 'b', default: '' }, { name: 'always' }],
                results: [{ name: 'word' }],
                steps: [{ image: 'image', args: ['$(params.a)$(params.b)$(params.always)'] }],
              },
            },
            {
              name: 'gather',
              params: [
                { name: 'all', value: '$(tasks.each.results.word[*])' },
                { name: 'count', value: '$(tasks.each.matrix.length) $(tasks.each.matrix.word.length)' },
              ],
              taskSpec: {
                params: [{ name: 'all', type: 'array' }, { name: 'count' }],
                steps: [{ image: 'image', args: ['$(params.all[*])', '$(params.count)'] }],
              },
            },
            {
              name: 'checked',
              matrix: {
                params: [
                  { name: 'a', value: '$(tasks.first.results.list[*])' },
                  { name: 'b', value: ['x', '$(tasks.first.results.list[2])'] },
                ],
                include: [{ name: 'more', params: [{ name: 'c', value: 'c' }] }],
              },
              taskSpec: {
                params: [{ name: 'a' }, { name: 'b' }, { name: 'c', default: 'none' }],
                steps: [{ image: 'image', args: ['$(params.a)', '$(params.b)', '$(params.c)'] }],
              },
            },
          ],
        },
      },
    },
  ];
}
