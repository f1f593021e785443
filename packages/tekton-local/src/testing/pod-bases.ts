const head = (kind: string, name: string): object => ({ apiVersion: 'tekton.dev/v1', kind, metadata: { name } });

/** Files that Tekton takes, with all that containers, their volumes and their Pods can say. */
export const podBases: unknown[][] = [containers(), volumes(), pods()];

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

/** Volumes of all kinds that steps can have, in Tasks, in Pod templates, and as workspaces. */
function volumes(): unknown[] {
  const items = [{ key: 'key', path: 'path', mode: 256 }];
  return [
    {
      ...head('PipelineRun', 'volumes'),
      spec: {
        params: [
          { name: 'text', value: 'settings' },
          { name: 'map', value: { one: 'login' } },
        ],
        taskRunTemplate: {
          podTemplate: { volumes: [{ name: 'of-all', configMap: { name: 'settings', items, defaultMode: 420 } }] },
        },
        taskRunSpecs: [
          {
            pipelineTaskName: 'second',
            podTemplate: {
              volumes: [
                { name: 'own', secret: { secretName: 'login', items: [{ key: 'k', path: 'p' }] } },
                { name: 'claimed', persistentVolumeClaim: { claimName: 'claim', readOnly: true } },
              ],
            },
          },
        ],
        workspaces: [
          { name: 'all', configMap: { name: 'settings', items, optional: true } },
          { name: 'more', secret: { secretName: 'login', defaultMode: 256 } },
          {
            name: 'both',
            projected: { sources: [{ secret: { name: 'login' } }, { configMap: { name: 'settings' } }] },
          },
          { name: 'claimed', persistentVolumeClaim: { claimName: 'claim' }, subPath: 'sub/$(params.text)' },
          { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
        ],
        pipelineSpec: {
          workspaces: [{ name: 'all' }, { name: 'more' }, { name: 'both' }, { name: 'claimed' }, { name: 'memory' }],
          tasks: [
            {
              name: 'first',
              workspaces: [{ name: 'all' }, { name: 'own', workspace: 'more' }, { name: 'claimed', subPath: 'deep' }],
              taskSpec: {
                workspaces: [{ name: 'all', readOnly: true }, { name: 'own', mountPath: '/own' }, { name: 'claimed' }],
                results: [{ name: 'word' }],
                volumes: [
                  { name: 'empty', emptyDir: {} },
                  { name: 'settings', configMap: { name: '$(params.text)', items, defaultMode: 292, optional: false } },
                  { name: 'login', secret: { secretName: '$(params.map.one)', items } },
                  {
                    name: 'both',
                    projected: {
                      defaultMode: 288,
                      sources: [
                        { secret: { name: '$(params.map.one)', items, optional: true } },
                        { configMap: { name: 'settings', items } },
                      ],
                    },
                  },
                ],
                steps: [
                  {
                    image: 'image',
                    script: 'ls $(workspaces.claimed.path) $(workspaces.claimed.claim) $(workspaces.all.volume)',
                    volumeMounts: [
                      { name: 'of-all', mountPath: '/of-all' },
                      { name: 'settings', mountPath: '/settings/$(params.text)', readOnly: true },
                      { name: 'login', mountPath: '/login', subPath: 'path' },
                      { name: 'both', mountPath: '/both' },
                      { name: 'empty', mountPath: '/tekton/home/x' },
                    ],
                    envFrom: [
                      { configMapRef: { name: '$(params.text)' } },
                      { prefix: 'L_', secretRef: { name: 'login' } },
                    ],
                    env: [
                      { name: 'K', valueFrom: { configMapKeyRef: { name: '$(params.text)', key: 'key' } } },
                      { name: 'N', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
                    ],
                  },
                ],
              },
            },
            {
              name: 'second',
              workspaces: [{ name: 'memory' }, { name: 'both' }],
              taskSpec: {
                workspaces: [{ name: 'memory' }, { name: 'both', optional: true }],
                volumes: [{ name: 'work', persistentVolumeClaim: { claimName: 'claim' } }],
                stepTemplate: { volumeMounts: [{ name: 'work', mountPath: '/work', subPath: '$(params.text)' }] },
                steps: [
                  {
                    name: 'has',
                    image: 'image',
                    volumeMounts: [{ name: 'own', mountPath: '/own' }],
                    workspaces: [{ name: 'memory', mountPath: '/memory' }],
                    script: 'ls $(workspaces.memory.path)',
                  },
                  { name: 'has-not', image: 'image', args: ['$(workspaces.both.bound)'] },
                ],
              },
            },
          ],
        },
      },
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { key: 'value' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'login' }, stringData: { key: 'value', k: 'v' } },
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'claim' }, spec: {} },
  ];
}

/** Pod templates with all that means nothing here, and containers with all of a security context and of probes. */
function pods(): unknown[] {
  const expressions = [{ key: 'disk', operator: 'In', values: ['ssd'] }];
  const podTemplate = {
    securityContext: {
      runAsUser: 1000,
      runAsGroup: 1000,
      runAsNonRoot: true,
      fsGroup: 1000,
      fsGroupChangePolicy: 'OnRootMismatch',
      supplementalGroups: [1, 2],
      seccompProfile: { type: 'RuntimeDefault' },
    },
    nodeSelector: { 'kubernetes.io/arch': 'arm64' },
    tolerations: [{ key: 'k', operator: 'Equal', value: 'v', effect: 'NoSchedule', tolerationSeconds: 60 }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: expressions }] },
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: expressions } }],
      },
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: 'host', labelSelector: { matchLabels: { app: 'a' }, matchExpressions: expressions } },
        ],
      },
    },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'zone',
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { a: 'b' } },
      },
    ],
    imagePullSecrets: [{ name: 'pull' }],
    priorityClassName: 'high',
    schedulerName: 'own',
    runtimeClassName: 'fast',
    automountServiceAccountToken: false,
    enableServiceLinks: true,
    env: [{ name: 'HTTP', value: 'proxy' }],
  };
  const securityContext = {
    runAsUser: 1001,
    runAsGroup: 1001,
    runAsNonRoot: true,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { add: ['CHOWN'], drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  };
  const sidecar = { image: 'image', script: 'sleep 1' };
  return [
    {
      ...head('TaskRun', 'pods'),
      metadata: { name: 'pods', namespace: 'here', labels: { app: 'a' }, annotations: { 'example.com/why': 'why' } },
      spec: {
        podTemplate,
        serviceAccountName: 'builder',
        timeout: '0s',
        retries: 2,
        stepSpecs: [
          { name: 'first', computeResources: { limits: { cpu: '1', memory: '1Gi' }, requests: { memory: '64Mi' } } },
        ],
        sidecarSpecs: [{ name: 'web', computeResources: { limits: { cpu: 0.5 } } }],
        params: [
          { name: 'port', value: '8080' },
          { name: 'error', value: 'continue' },
        ],
        taskSpec: {
          displayName: 'pods',
          description: 'all of a Pod',
          params: [{ name: 'port' }, { name: 'error', default: 'stopAndFail' }],
          results: [{ name: 'word', description: 'of a step' }],
          stepTemplate: {
            securityContext: { capabilities: { drop: ['KILL'] }, runAsUser: 1 },
            computeResources: { limits: { memory: '2Gi' } },
            imagePullPolicy: 'IfNotPresent',
            command: ['sh'],
            args: ['-c'],
          },
          steps: [
            {
              name: 'first',
              displayName: 'the first',
              image: 'image',
              securityContext,
              imagePullPolicy: 'Never',
              onError: '$(params.error)',
              timeout: '0s',
              computeResources: { requests: { cpu: '1m', 'ephemeral-storage': '1Gi' } },
            },
            {
              name: 'second',
              image: 'image',
              command: ['cat'],
              args: ['$(steps.step-first.exitCode.path)'],
              onError: 'stopAndFail',
              when: [{ input: '$(params.port)', operator: 'in', values: ['80', '8080'] }],
            },
          ],
          sidecars: [
            {
              ...sidecar,
              name: 'web',
              ports: [{ name: 'web', containerPort: 8080, protocol: 'TCP' }],
              readinessProbe: {
                httpGet: { path: '/', port: 8080, scheme: 'HTTP', httpHeaders: [{ name: 'A', value: 'a' }] },
                initialDelaySeconds: 1,
                timeoutSeconds: 1,
                successThreshold: 1,
                failureThreshold: 3,
              },
              securityContext,
              envFrom: [{ prefix: 'P_', configMapRef: { name: 'settings', optional: true } }],
            },
            {
              ...sidecar,
              name: 'socket',
              readinessProbe: { tcpSocket: { port: 8080, host: '127.0.0.1' }, periodSeconds: 1 },
              computeResources: { limits: { memory: '64Mi' } },
              imagePullPolicy: 'Always',
              workingDir: '/work/$(params.port)',
            },
            { name: 'command', image: 'image', readinessProbe: { exec: { command: ['test', '$(params.port)'] } } },
          ],
        },
      },
    },
  ];
}
