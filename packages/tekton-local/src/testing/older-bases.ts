// Files of tekton.dev/v1beta1 that Tekton takes, with what that has otherwise than v1, or has and v1 no more.

const head = (kind: string, name: string): object => ({ apiVersion: 'tekton.dev/v1beta1', kind, metadata: { name } });
const echo = { image: 'image', script: 'echo' };
const word = { results: [{ name: 'word' }], steps: [echo] };
const limits = { limits: { cpu: '1', memory: '64Mi' }, requests: { cpu: '100m' } };

/** A Task's spec with all that v1beta1 says of containers. */
const task = {
  params: [
    { name: 'text', default: 'hello' },
    { name: 'list', type: 'array', default: ['a', 'b'] },
    { name: 'map', type: 'object', properties: { one: {} }, default: { one: '1' } },
  ],
  results: [
    { name: 'word', value: '$(steps.make.results.word)' },
    { name: 'list', type: 'array' },
  ],
  workspaces: [{ name: 'all', optional: true, mountPath: '/all' }],
  volumes: [{ name: 'work', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } }],
  stepTemplate: {
    name: 'template',
    image: 'image',
    env: [{ name: 'T', value: '$(params.text)' }],
    resources: { limits: { memory: '1Gi' } },
    ports: [{ containerPort: 80 }],
    readinessProbe: { httpGet: { path: '/', port: 'web' } },
    terminationMessagePolicy: 'File',
    tty: false,
  },
  steps: [
    {
      name: 'make',
      results: [{ name: 'word' }],
      script: 'echo $(params.text) > $(step.results.word.path)',
      resources: limits,
      livenessProbe: { exec: { command: ['true'] }, periodSeconds: 1 },
      startupProbe: { tcpSocket: { port: 80 } },
      lifecycle: { preStop: { exec: { command: ['true'] } } },
      terminationMessagePath: '/message',
      stdin: true,
      stdinOnce: true,
    },
    {
      image: 'image',
      args: ['$(params.list[*])', '$(params.map.one)', '$(steps.make.results.word)', '$(workspaces.all.path)'],
      volumeMounts: [{ name: 'work', mountPath: '/work' }],
      timeout: '1m',
      onError: 'continue',
    },
  ],
  sidecars: [{ name: 'beside', image: 'image', script: 'sleep 1', resources: limits }],
};

/** What mutations of v1beta1 start from, each file as its documents. */
export const olderBases: unknown[][] = [
  [
    {
      ...head('PipelineRun', 'older'),
      spec: {
        serviceAccountName: 'builder',
        timeout: '1h',
        podTemplate: { nodeSelector: { disk: 'ssd' }, securityContext: { runAsUser: 1000 } },
        params: [
          { name: 'text', value: 'given' },
          { name: 'list', value: ['x', 'y'] },
        ],
        workspaces: [{ name: 'all', emptyDir: {} }],
        taskRunSpecs: [
          {
            pipelineTaskName: 'first',
            taskServiceAccountName: 'other',
            taskPodTemplate: { env: [{ name: 'P', value: 'p' }] },
            stepOverrides: [{ name: 'make', resources: limits }],
            sidecarOverrides: [{ name: 'beside', resources: { limits: { memory: '64Mi' } } }],
            metadata: { labels: { app: 'own' }, annotations: { why: 'why' } },
            timeout: '30m',
          },
          { pipelineTaskName: 'each', computeResources: limits },
        ],
        pipelineSpec: {
          params: [{ name: 'text' }, { name: 'list', type: 'array' }],
          workspaces: [{ name: 'all' }],
          tasks: [
            {
              name: 'first',
              taskSpec: task,
              timeout: '20m',
              retries: 1,
              workspaces: [{ name: 'all', workspace: 'all', subPath: 'sub' }],
            },
            {
              name: 'each',
              matrix: {
                params: [{ name: 'a', value: ['$(params.list[*])', '$(tasks.first.results.word)'] }],
                include: [{ name: 'more', params: [{ name: 'b', value: 'b' }] }],
              },
              taskSpec: {
                ...word,
                params: [{ name: 'a' }, { name: 'b', default: '' }],
                steps: [{ image: 'image', args: ['$(params.a)$(params.b)'], resources: {} }],
              },
            },
          ],
          finally: [
            {
              name: 'last',
              when: [{ input: '$(tasks.first.status)', operator: 'in', values: ['Succeeded', '$(params.text)'] }],
              params: [{ name: 'all', value: '$(tasks.each.results.word[*])' }],
              taskSpec: {
                params: [{ name: 'all', type: 'array' }],
                steps: [{ image: 'image', args: ['$(params.all[*])'], resources: { limits: { cpu: 1 } } }],
              },
            },
          ],
          results: [
            { name: 'word', description: '', value: '$(tasks.first.results.word)' },
            { name: 'list', type: 'array', value: '$(tasks.first.results.list[*])' },
          ],
        },
      },
    },
  ],
  [
    {
      ...head('PipelineRun', 'referring'),
      spec: {
        pipelineRef: { name: 'pipeline', apiVersion: 'tekton.dev/v1beta1' },
        timeouts: { pipeline: '2h', tasks: '90m', finally: '10m' },
        params: [{ name: 'map', value: { one: 'given' } }],
      },
    },
    {
      ...head('Pipeline', 'pipeline'),
      spec: {
        displayName: 'all of it',
        params: [
          { name: 'map', type: 'object', properties: { one: {} } },
          { name: 'list', type: 'array', default: ['$(params.text)'] },
          { name: 'text', default: 'text' },
        ],
        tasks: [
          {
            name: 'first',
            taskRef: { name: 'task', kind: 'Task', apiVersion: '' },
            params: [
              { name: 'map', value: '$(params.map[*])' },
              { name: 'list', value: ['$(params.list[*])', '$(context.pipelineRun.name)'] },
            ],
          },
          {
            name: 'second',
            runAfter: ['first'],
            params: [{ name: 'word', value: '$(tasks.first.results.list[1])' }],
            taskSpec: {
              metadata: { labels: { app: 'own' } },
              params: [{ name: 'word' }],
              results: [{ name: 'word' }],
              stepTemplate: { resources: limits, workingDir: '/' },
              steps: [{ image: 'image', command: ['echo'], args: ['$(params.word)'] }],
            },
          },
        ],
        finally: [{ name: 'last', taskRef: { name: 'newest' }, onError: 'continue' }],
        results: [{ name: 'word', value: '$(tasks.second.results.word)' }],
      },
    },
    { ...head('Task', 'task'), spec: task },
    { ...head('Task', 'newest'), apiVersion: 'tekton.dev/v1', spec: word },
  ],
  [
    {
      ...head('TaskRun', 'older'),
      spec: {
        serviceAccountName: 'builder',
        timeout: '10m',
        retries: 1,
        podTemplate: { securityContext: { fsGroup: 1000 }, tolerations: [{ key: 'k', operator: 'Exists' }] },
        params: [{ name: 'text', value: 'given' }],
        workspaces: [{ name: 'all', emptyDir: {} }],
        stepOverrides: [{ name: 'make', resources: { limits: { memory: '32Mi' } } }],
        sidecarOverrides: [{ name: 'beside', resources: {} }],
        taskSpec: task,
      },
    },
  ],
  [
    {
      ...head('TaskRun', 'referring'),
      spec: {
        params: [{ name: 'list', value: ['x'] }],
        computeResources: limits,
        taskRef: { name: 'task', kind: 'Task' },
        workspaces: [{ name: 'all', volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'] } } }],
      },
    },
    { ...head('Task', 'task'), spec: { ...task, steps: [...task.steps, { name: 'acts', ref: { name: 'action' } }] } },
    {
      ...head('StepAction', 'action'),
      apiVersion: 'tekton.dev/v1alpha1',
      spec: { params: [{ name: 'text', default: 't' }], image: 'image', args: ['$(params.text)'] },
    },
  ],
];
