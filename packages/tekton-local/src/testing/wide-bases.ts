const head = (kind: string, name: string): object => ({ apiVersion: 'tekton.dev/v1', kind, metadata: { name } });
const echo = { image: 'image', script: 'echo' };
const word = { results: [{ name: 'word' }], steps: [echo] };

/**
 * Files that Tekton takes, in whose corners mutations rarely come otherwise: objects from task to task, finally tasks
 * that do all that other tasks do, limits of all kinds, and what nothing refers to.
 */
export const wideBases: unknown[][] = [objects(), lastOnes(), actions(), included(), limits(), beside()];

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

/** Limits of time and repetitions, everywhere that there are any, and results that come together from all of it. */
function limits(): unknown[] {
  const failing = { results: [{ name: 'word' }, { name: 'list', type: 'array' }], steps: [echo] };
  return [
    {
      ...head('PipelineRun', 'limits'),
      spec: {
        params: [
          { name: 'error', value: 'continue' },
          { name: 'map', value: { one: '1', two: '2' } },
        ],
        timeouts: { pipeline: '0s', tasks: '1h' },
        taskRunTemplate: { serviceAccountName: 'builder' },
        taskRunSpecs: [
          {
            pipelineTaskName: 'each',
            timeout: '20m',
            computeResources: { limits: { cpu: '2' } },
            metadata: { labels: { a: 'b' }, annotations: { c: 'd' } },
          },
          { pipelineTaskName: 'first', stepSpecs: [{ name: 's', computeResources: { requests: { cpu: '1' } } }] },
          { pipelineTaskName: 'last', podTemplate: {}, sidecarSpecs: [] },
        ],
        pipelineSpec: {
          params: [
            { name: 'error' },
            { name: 'map', type: 'object', properties: { one: {}, two: { type: 'string' } } },
            { name: 'retry', default: '$(params.error)-$(params.map.one)' },
          ],
          tasks: [
            {
              name: 'first',
              displayName: 'the $(params.map.one)st',
              description: 'says a word',
              retries: 3,
              timeout: '5m',
              taskSpec: { ...failing, steps: [{ ...echo, name: 's', timeout: '1m', onError: 'continue' }] },
            },
            {
              name: 'second',
              onError: '$(params.error)',
              params: [{ name: 'map', value: { one: '$(params.map.two)', two: '$(tasks.first.results.list[0])' } }],
              taskSpec: {
                params: [{ name: 'map', type: 'object', properties: { one: {}, two: {} } }],
                results: [{ name: 'map', type: 'object', properties: { one: {}, two: {} } }, { name: 'word' }],
                steps: [
                  { image: 'image', args: ['$(params.map.one)', '$(params.map.two)', '$(context.task.retry-count)'] },
                ],
              },
            },
            {
              name: 'each',
              retries: 1,
              timeout: '10m',
              when: [
                { input: '$(params.map.one)', operator: 'in', values: ['1', '$(tasks.first.results.list[*])'] },
                { input: '$(tasks.second.results.map.one)', operator: 'notin', values: [''] },
              ],
              matrix: {
                params: [
                  { name: 'a', value: ['1', '2'] },
                  { name: 'b', value: ['$(params.map.one)', '$(params.retry)'] },
                ],
                include: [
                  {
                    name: 'one',
                    params: [
                      { name: 'a', value: '1' },
                      { name: 'c', value: '$(params.map.two)' },
                    ],
                  },
                  { name: 'other', params: [{ name: 'a', value: '3' }] },
                ],
              },
              taskSpec: {
                params: [{ name: 'a' }, { name: 'b', default: '' }, { name: 'c', default: '$(context.taskRun.name)' }],
                results: [{ name: 'word' }],
                steps: [{ image: 'image', args: ['$(params.a)', '$(params.b)', '$(params.c)'] }],
              },
            },
          ],
          finally: [
            {
              name: 'last',
              retries: 1,
              timeout: '1m',
              when: [{ input: '$(tasks.second.reason)', operator: 'in', values: ['Failed', 'Succeeded', 'None', ''] }],
              params: [
                { name: 'all', value: ['$(tasks.first.results.list[*])', '$(tasks.each.status)', '$(tasks.status)'] },
                { name: 'map', value: '$(tasks.second.results.map[*])' },
              ],
              taskSpec: {
                params: [
                  { name: 'all', type: 'array' },
                  { name: 'map', type: 'object', properties: { one: {}, two: {} }, default: { one: '', two: '' } },
                ],
                results: [{ name: 'word' }],
                steps: [{ image: 'image', command: ['echo'], args: ['$(params.all[*])', '$(params.map.two)'] }],
              },
            },
            {
              name: 'each-last',
              matrix: { params: [{ name: 'w', value: '$(tasks.each.results.word[*])' }] },
              taskSpec: { params: [{ name: 'w' }], steps: [{ image: 'image', args: ['$(params.w)'] }] },
            },
          ],
          results: [
            {
              name: 'map',
              type: 'object',
              value: { one: '$(tasks.second.results.map.one)', two: '$(tasks.first.results.word)' },
            },
            { name: 'list', type: 'array', value: ['$(tasks.first.results.list[*])', '$(tasks.second.results.word)'] },
            { name: 'all', type: 'array', value: '$(tasks.each.results.word[*])' },
            { name: 'last', value: '$(finally.last.results.word)' },
          ],
        },
      },
    },
  ];
}

/** Objects that nothing refers to, which a cluster takes or refuses all the same. */
function beside(): unknown[] {
  return [
    { ...head('PipelineRun', 'alone'), spec: { pipelineSpec: { tasks: [{ name: 'first', taskSpec: word }] } } },
    {
      ...head('Pipeline', 'beside'),
      spec: {
        params: [
          { name: 'text', default: 't' },
          { name: 'list', type: 'array' },
        ],
        workspaces: [{ name: 'all', optional: true, description: 'all' }],
        tasks: [
          { name: 'first', taskRef: { resolver: 'git', params: [{ name: 'url', value: '$(params.text)' }] } },
          {
            name: 'second',
            runAfter: ['first'],
            params: [{ name: 'all', value: ['$(params.list[*])', '$(tasks.first.results.word)'] }],
            when: [{ input: '$(params.text)', operator: 'in', values: ['$(params.list[*])'] }],
            taskSpec: {
              params: [{ name: 'all', type: 'array' }],
              volumes: [{ name: 'work', emptyDir: {} }],
              steps: [
                { image: 'image', args: ['$(params.all[*])'], volumeMounts: [{ name: 'work', mountPath: '/w' }] },
              ],
              sidecars: [{ name: 'beside', image: 'image', lifecycle: { preStop: { exec: { command: ['true'] } } } }],
            },
          },
        ],
        finally: [{ name: 'last', taskRef: { name: 'nowhere' }, workspaces: [{ name: 'all' }] }],
        results: [{ name: 'word', value: '$(tasks.first.results.word)' }],
      },
    },
    {
      ...head('StepAction', 'beside'),
      apiVersion: 'tekton.dev/v1beta1',
      spec: {
        description: 'nobody asks for it',
        params: [{ name: 'text' }, { name: 'volume' }],
        results: [{ name: 'word' }, { name: 'list', type: 'array' }],
        image: 'image',
        script: 'echo > $(step.results.word.path)',
        env: [{ name: 'A', value: '$(params.text)' }],
        volumeMounts: [{ name: '$(params.volume)', mountPath: '/w' }],
        securityContext: { runAsUser: 1 },
      },
    },
    {
      ...head('Task', 'beside'),
      spec: { params: [{ name: 'text' }], steps: [{ image: '$(params.text)', script: 'x' }] },
    },
  ];
}
