import { parseGoDuration } from '@multi-image/kit/durations';
import { type Field, isMap } from './field.ts';
import type { Keys } from './kubernetes-yaml.ts';

/**
 * What a field holds: a scalar; a list, as `[shape]`; a map, as `{ '*': shape }`; an object by its fields' names.
 * `param` is what a param may be, `given` the same and there, `any` is not looked at.
 */
export type Shape =
  | 'string'
  | 'boolean'
  | 'integer'
  | 'duration'
  | 'quantity'
  | 'param'
  | 'given'
  | 'any'
  | readonly [Shape]
  | { readonly [name: string]: Shape };

const STRINGS: Shape = ['string'];
const PARAMS: Shape = [{ name: 'string', value: 'given' }];
const PROPERTIES: Shape = { '*': { type: 'string' } };
const RESULT = { name: 'string', type: 'string', description: 'string', properties: PROPERTIES } as const;
const PARAM_SPECS: Shape = [
  { name: 'string', type: 'string', description: 'string', properties: PROPERTIES, default: 'param', enum: STRINGS },
];
const KEY_REF: Shape = { name: 'string', key: 'string', optional: 'boolean' };
const RESOURCES: Shape = {
  limits: { '*': 'quantity' },
  requests: { '*': 'quantity' },
  claims: [{ name: 'string', request: 'string' }],
};
const ENV: Shape = [
  {
    name: 'string',
    value: 'string',
    valueFrom: {
      configMapKeyRef: KEY_REF,
      secretKeyRef: KEY_REF,
      fieldRef: { apiVersion: 'string', fieldPath: 'string' },
      fileKeyRef: { volumeName: 'string', path: 'string', key: 'string', optional: 'boolean' },
      resourceFieldRef: { containerName: 'string', resource: 'string', divisor: 'quantity' },
    },
  },
];
const ENV_FROM: Shape = [
  {
    prefix: 'string',
    configMapRef: { name: 'string', optional: 'boolean' },
    secretRef: { name: 'string', optional: 'boolean' },
  },
];
const SECURITY_CONTEXT: Shape = {
  allowPrivilegeEscalation: 'boolean',
  appArmorProfile: { type: 'string', localhostProfile: 'string' },
  capabilities: { add: STRINGS, drop: STRINGS },
  privileged: 'boolean',
  procMount: 'string',
  readOnlyRootFilesystem: 'boolean',
  runAsGroup: 'integer',
  runAsNonRoot: 'boolean',
  runAsUser: 'integer',
  seLinuxOptions: { user: 'string', role: 'string', type: 'string', level: 'string' },
  seccompProfile: { type: 'string', localhostProfile: 'string' },
  windowsOptions: 'any',
};
const CONTAINER = {
  image: 'string',
  imagePullPolicy: 'string',
  command: STRINGS,
  args: STRINGS,
  workingDir: 'string',
  env: ENV,
  envFrom: ENV_FROM,
  computeResources: RESOURCES,
  volumeMounts: [
    {
      name: 'string',
      mountPath: 'string',
      subPath: 'string',
      subPathExpr: 'string',
      readOnly: 'boolean',
      recursiveReadOnly: 'string',
      mountPropagation: 'string',
    },
  ],
  volumeDevices: [{ name: 'string', devicePath: 'string' }],
  securityContext: SECURITY_CONTEXT,
} as const satisfies Shape;
const WHEN: Shape = [{ input: 'string', operator: 'string', values: STRINGS, cel: 'string' }];
const REFERENCE = { name: 'string', resolver: 'string', params: PARAMS } as const;
const STEP: Shape = {
  ...CONTAINER,
  name: 'string',
  displayName: 'string',
  script: 'string',
  timeout: 'duration',
  onError: 'string',
  workspaces: [{ name: 'string', mountPath: 'string' }],
  params: PARAMS,
  ref: REFERENCE,
  results: [RESULT],
  when: WHEN,
  stdoutConfig: { path: 'string' },
  stderrConfig: { path: 'string' },
};
/** A StepAction's spec, in tekton.dev/v1beta1. */
export const STEP_ACTION_SPEC: Shape = {
  description: 'string',
  image: 'string',
  command: STRINGS,
  args: STRINGS,
  env: ENV,
  script: 'string',
  workingDir: 'string',
  params: PARAM_SPECS,
  results: [RESULT],
  securityContext: SECURITY_CONTEXT,
  volumeMounts: CONTAINER.volumeMounts,
};
const SIDECAR: Shape = {
  ...CONTAINER,
  name: 'string',
  script: 'string',
  workspaces: [{ name: 'string', mountPath: 'string' }],
  ports: 'any',
  livenessProbe: 'any',
  readinessProbe: 'any',
  startupProbe: 'any',
  lifecycle: 'any',
  terminationMessagePath: 'string',
  terminationMessagePolicy: 'string',
  stdin: 'boolean',
  stdinOnce: 'boolean',
  tty: 'boolean',
  restartPolicy: 'string',
};
const ITEMS: Shape = [{ key: 'string', path: 'string', mode: 'integer' }];
const EMPTY_DIR: Shape = { medium: 'string', sizeLimit: 'quantity' };
const CLAIM: Shape = { claimName: 'string', readOnly: 'boolean' };
const CONFIG_MAP: Shape = { name: 'string', items: ITEMS, defaultMode: 'integer', optional: 'boolean' };
const SECRET: Shape = { secretName: 'string', items: ITEMS, defaultMode: 'integer', optional: 'boolean' };
const PROJECTED: Shape = {
  defaultMode: 'integer',
  sources: [
    {
      configMap: { name: 'string', items: ITEMS, optional: 'boolean' },
      secret: { name: 'string', items: ITEMS, optional: 'boolean' },
      downwardAPI: 'any',
      serviceAccountToken: { audience: 'string', expirationSeconds: 'integer', path: 'string' },
      clusterTrustBundle: 'any',
      podCertificate: 'any',
    },
  ],
};
/** Kinds of volumes that no step gets here, whatever they say. */
const OTHER_VOLUMES: Record<string, Shape> = Object.fromEntries(
  (
    'awsElasticBlockStore azureDisk azureFile cephfs cinder csi downwardAPI ephemeral fc flexVolume flocker ' +
    'gcePersistentDisk gitRepo glusterfs hostPath image iscsi nfs photonPersistentDisk portworxVolume quobyte rbd ' +
    'scaleIO storageos vsphereVolume'
  )
    .split(' ')
    .map((name) => [name, 'any']),
);
const VOLUME: Shape = {
  ...OTHER_VOLUMES,
  name: 'string',
  emptyDir: EMPTY_DIR,
  configMap: CONFIG_MAP,
  secret: SECRET,
  persistentVolumeClaim: CLAIM,
  projected: PROJECTED,
};
const WORKSPACE: Shape = {
  name: 'string',
  description: 'string',
  mountPath: 'string',
  optional: 'boolean',
  readOnly: 'boolean',
};

const TASK_FIELDS = {
  displayName: 'string',
  description: 'string',
  params: PARAM_SPECS,
  results: [{ ...RESULT, value: 'param' }],
  steps: [STEP],
  stepTemplate: CONTAINER,
  sidecars: [SIDECAR],
  volumes: [VOLUME],
  workspaces: [WORKSPACE],
} as const satisfies Shape;

/** A Task's spec, in tekton.dev/v1. */
export const TASK_SPEC: Shape = TASK_FIELDS;

const PIPELINE_REF: Shape = { ...REFERENCE, apiVersion: 'string' };
const PIPELINE_TASK: Shape = {
  name: 'string',
  displayName: 'string',
  description: 'string',
  taskRef: { ...REFERENCE, apiVersion: 'string', kind: 'string' },
  taskSpec: {
    ...TASK_FIELDS,
    apiVersion: 'string',
    kind: 'string',
    spec: 'any',
    metadata: { labels: { '*': 'string' }, annotations: { '*': 'string' } },
  },
  pipelineRef: PIPELINE_REF,
  pipelineSpec: 'any',
  when: WHEN,
  retries: 'integer',
  runAfter: STRINGS,
  params: PARAMS,
  matrix: { params: PARAMS, include: [{ name: 'string', params: PARAMS }] },
  workspaces: [{ name: 'string', workspace: 'string', subPath: 'string' }],
  timeout: 'duration',
  onError: 'string',
};

/** A Pipeline's spec, in tekton.dev/v1. */
export const PIPELINE_SPEC: Shape = {
  displayName: 'string',
  description: 'string',
  params: PARAM_SPECS,
  tasks: [PIPELINE_TASK],
  finally: [PIPELINE_TASK],
  results: [{ name: 'string', type: 'string', description: 'string', value: 'given' }],
  workspaces: [{ name: 'string', description: 'string', optional: 'boolean' }],
};

const POD_SECURITY: Shape = {
  appArmorProfile: 'any',
  fsGroup: 'integer',
  fsGroupChangePolicy: 'string',
  runAsGroup: 'integer',
  runAsNonRoot: 'boolean',
  runAsUser: 'integer',
  seLinuxChangePolicy: 'string',
  seLinuxOptions: 'any',
  seccompProfile: { type: 'string', localhostProfile: 'string' },
  supplementalGroups: ['integer'],
  supplementalGroupsPolicy: 'string',
  sysctls: [{ name: 'string', value: 'string' }],
  windowsOptions: 'any',
};
const POD_TEMPLATE: Shape = {
  env: ENV,
  securityContext: POD_SECURITY,
  nodeSelector: { '*': 'string' },
  tolerations: 'any',
  affinity: 'any',
  volumes: [VOLUME],
  runtimeClassName: 'string',
  automountServiceAccountToken: 'boolean',
  dnsPolicy: 'string',
  dnsConfig: 'any',
  enableServiceLinks: 'boolean',
  priorityClassName: 'string',
  schedulerName: 'string',
  imagePullSecrets: [{ name: 'string' }],
  hostAliases: 'any',
  hostNetwork: 'boolean',
  hostUsers: 'boolean',
  topologySpreadConstraints: 'any',
};
const CLAIM_TEMPLATE: Shape = {
  apiVersion: 'string',
  kind: 'string',
  metadata: 'any',
  spec: {
    accessModes: STRINGS,
    selector: {
      matchLabels: { '*': 'string' },
      matchExpressions: [{ key: 'string', operator: 'string', values: STRINGS }],
    },
    resources: { limits: { '*': 'quantity' }, requests: { '*': 'quantity' } },
    volumeName: 'string',
    storageClassName: 'string',
    volumeMode: 'string',
    dataSource: { apiGroup: 'string', kind: 'string', name: 'string' },
    dataSourceRef: { apiGroup: 'string', kind: 'string', name: 'string', namespace: 'string' },
    volumeAttributesClassName: 'string',
  },
  status: 'any',
};
const BINDINGS: Shape = [
  {
    name: 'string',
    subPath: 'string',
    emptyDir: EMPTY_DIR,
    persistentVolumeClaim: CLAIM,
    volumeClaimTemplate: CLAIM_TEMPLATE,
    configMap: CONFIG_MAP,
    secret: SECRET,
    projected: PROJECTED,
    csi: 'any',
  },
];
const SPECS: Shape = [{ name: 'string', computeResources: RESOURCES }];

/** A PipelineRun's spec, in tekton.dev/v1. */
export const PIPELINE_RUN_SPEC: Shape = {
  pipelineRef: PIPELINE_REF,
  pipelineSpec: PIPELINE_SPEC,
  params: PARAMS,
  status: 'string',
  timeouts: { pipeline: 'duration', tasks: 'duration', finally: 'duration' },
  taskRunTemplate: { podTemplate: POD_TEMPLATE, serviceAccountName: 'string' },
  workspaces: BINDINGS,
  taskRunSpecs: [
    {
      pipelineTaskName: 'string',
      serviceAccountName: 'string',
      podTemplate: POD_TEMPLATE,
      stepSpecs: SPECS,
      sidecarSpecs: SPECS,
      metadata: { labels: { '*': 'string' }, annotations: { '*': 'string' } },
      computeResources: RESOURCES,
      timeout: 'duration',
    },
  ],
  managedBy: 'string',
};

/** A TaskRun's spec, in tekton.dev/v1. */
export const TASK_RUN_SPEC: Shape = {
  debug: { breakpoints: { onFailure: 'string', beforeSteps: STRINGS } },
  params: PARAMS,
  serviceAccountName: 'string',
  taskRef: { ...REFERENCE, apiVersion: 'string', kind: 'string' },
  taskSpec: TASK_SPEC,
  status: 'string',
  statusMessage: 'string',
  retries: 'integer',
  timeout: 'duration',
  podTemplate: POD_TEMPLATE,
  workspaces: BINDINGS,
  stepSpecs: SPECS,
  sidecarSpecs: SPECS,
  computeResources: RESOURCES,
  managedBy: 'string',
};

/** What every object of Kubernetes may say of itself. */
export const METADATA: Shape = {
  name: 'string',
  generateName: 'string',
  namespace: 'string',
  labels: { '*': 'string' },
  annotations: { '*': 'string' },
  finalizers: STRINGS,
  ownerReferences: 'any',
  uid: 'string',
  resourceVersion: 'string',
  generation: 'integer',
  creationTimestamp: 'any',
  deletionTimestamp: 'any',
  deletionGracePeriodSeconds: 'integer',
  selfLink: 'string',
  managedFields: 'any',
};

const QUANTITY = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[KMGTPE]i|[numkMGTPE]|[eE][-+]?\d+)?$/;

/**
 * Notes each field that Tekton does not know or that holds something else than it should. Answers whether every known one
 * holds what it should: else nothing more can be said of the object.
 */
export function checkShape(field: Field, shape: Shape): boolean {
  if (!field.present || shape === 'any' || shape === 'param' || shape === 'given') return true;
  if (typeof shape === 'string') return checkScalar(field, shape);
  const all = (checked: boolean[]): boolean => !checked.includes(false);
  if (isListShape(shape)) {
    if (!Array.isArray(field.value)) return field.expected('a list');
    return all(field.items().map((item) => checkShape(item, shape[0])));
  }
  if (!isMap(field.value)) return field.expected('an object');
  if (shape.value === 'given' && field.get('value').value === undefined) field.get('value').invalid('is required');
  const every = shape['*'];
  return all(
    field.members().map(([key, value]) => {
      const known = every ?? (Object.hasOwn(shape, key) ? shape[key] : undefined);
      if (known !== undefined) return checkShape(value, known);
      const near = didYouMean(key, Object.keys(shape));
      value.invalid(`Tekton knows no such field${near === undefined ? '' : `; is ${near} meant?`}`);
      return true;
    }),
  );
}

/**
 * The value of an object without the fields that Tekton does not know, as its Go types read it.
 *
 * @param dropped Gets the keys that lead to each of them.
 */
export function withoutUnknown(value: unknown, shape: Shape | undefined, dropped: Keys[], keys: Keys = []): unknown {
  if (shape === undefined || typeof shape === 'string') return value;
  if (isListShape(shape)) {
    if (!Array.isArray(value)) return value;
    return value.map((item, index) => withoutUnknown(item, shape[0], dropped, [...keys, index]));
  }
  if (!isMap(value)) return value;
  const every = shape['*'];
  const known: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    const inside = every ?? (Object.hasOwn(shape, key) ? shape[key] : undefined);
    if (inside === undefined) dropped.push([...keys, key]);
    else known.push([key, withoutUnknown(item, inside, dropped, [...keys, key])]);
  }
  return dropped.length === 0 ? value : Object.fromEntries(known);
}

function isListShape(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function checkScalar(field: Field, kind: 'string' | 'boolean' | 'integer' | 'duration' | 'quantity'): boolean {
  const { value } = field;
  if (kind === 'string') return typeof value === 'string' || field.expected('a string');
  if (kind === 'boolean') return typeof value === 'boolean' || field.expected('true or false');
  if (kind === 'integer')
    return typeof value === 'bigint' || Number.isInteger(value) || field.expected('a whole number');
  if (kind === 'duration') {
    const isDuration = typeof value === 'string' && parseGoDuration(value) !== undefined;
    return isDuration || field.expected('a duration such as "1h30m"');
  }
  const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
  return (typeof text === 'string' && QUANTITY.test(text.trim())) || field.expected('a quantity such as "64Mi"');
}

/** The known name that is meant, where case or an s is wrong. */
function didYouMean(key: string, known: readonly string[]): string | undefined {
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  return known.find((name) => same(name, key) || same(`${name}s`, key) || same(name, `${key}s`));
}

/** Whether an object says nothing: `{}`, or fields that are empty. */
export function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isMap(value)) return Object.values(value).every(isEmpty);
  return value === undefined || value === null || value === '' || value === false || value === 0;
}
