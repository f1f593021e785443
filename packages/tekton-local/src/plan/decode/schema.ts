import { METADATA, STRINGS } from './metadata-shapes.ts';
import { ENV, ENV_FROM, LIFECYCLE, POD_TEMPLATE, PORTS, PROBE, RESOURCES, SECURITY_CONTEXT } from './pod-shapes.ts';
import type { Shape } from './shape.ts';
import { CLAIM, CLAIM_SPEC, CONFIG_MAP, CSI, EMPTY_DIR, PROJECTED, SECRET, VOLUME } from './volume-shapes.ts';

// The fields of Tekton's own objects.

const PARAMS: Shape = [{ name: 'string', value: 'given' }];
const PROPERTIES: Shape = { '*': { type: 'string' } };
const RESULT = { name: 'string', type: 'string', description: 'string', properties: PROPERTIES } as const;
const PARAM_SPECS: Shape = [
  { name: 'string', type: 'string', description: 'string', properties: PROPERTIES, default: 'param', enum: STRINGS },
];
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
/** What v1beta1 has in steps as well. */
export const ONCE_IN_STEPS = {
  ports: PORTS,
  livenessProbe: PROBE,
  readinessProbe: PROBE,
  startupProbe: PROBE,
  lifecycle: LIFECYCLE,
  terminationMessagePath: 'string',
  terminationMessagePolicy: 'string',
  stdin: 'boolean',
  stdinOnce: 'boolean',
  tty: 'boolean',
} as const satisfies Shape;
const SIDECAR: Shape = {
  ...CONTAINER,
  ...ONCE_IN_STEPS,
  name: 'string',
  script: 'string',
  workspaces: [{ name: 'string', mountPath: 'string' }],
  restartPolicy: 'string',
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

const SAID_BY_A_CLUSTER = {
  observedGeneration: 'integer',
  conditions: 'written',
  annotations: { '*': 'string' },
  startTime: 'time',
  completionTime: 'time',
  results: 'written',
  provenance: 'written',
  spanContext: { '*': 'string' },
} as const satisfies Shape;
/** The status of a run, in a file that a cluster has written: what is more than a few words is not read. */
export const STATUS: Readonly<Record<'PipelineRun' | 'TaskRun', Shape>> = {
  PipelineRun: {
    ...SAID_BY_A_CLUSTER,
    finallyStartTime: 'time',
    childReferences: 'written',
    pipelineSpec: 'written',
    skippedTasks: 'written',
  },
  TaskRun: {
    ...SAID_BY_A_CLUSTER,
    podName: 'string',
    artifacts: 'written',
    retriesStatus: 'written',
    sidecars: 'written',
    steps: 'written',
    taskSpec: 'written',
  },
};

const CLAIM_TEMPLATE: Shape = {
  apiVersion: 'string',
  kind: 'string',
  metadata: METADATA,
  spec: CLAIM_SPEC,
  status: {
    phase: 'string',
    accessModes: STRINGS,
    capacity: { '*': 'quantity' },
    conditions: 'written',
    allocatedResources: 'written',
    allocatedResourceStatuses: 'written',
    currentVolumeAttributesClassName: 'string',
    modifyVolumeStatus: 'written',
  },
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
    csi: CSI,
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
