import { SELECTOR, STRINGS } from './metadata-shapes.ts';
import type { Shape } from './shape.ts';
import { VOLUME } from './volume-shapes.ts';

// The parts of Kubernetes' Pods that Tekton takes over.

const OPTIONS_OF_SECURITY = {
  appArmorProfile: { type: 'string', localhostProfile: 'string' },
  seLinuxOptions: { user: 'string', role: 'string', type: 'string', level: 'string' },
  seccompProfile: { type: 'string', localhostProfile: 'string' },
  windowsOptions: {
    gmsaCredentialSpecName: 'string',
    gmsaCredentialSpec: 'string',
    runAsUserName: 'string',
    hostProcess: 'boolean',
  },
} as const satisfies Shape;
const KEY_REF: Shape = { name: 'string', key: 'string', optional: 'boolean' };
export const RESOURCES: Shape = {
  limits: { '*': 'quantity' },
  requests: { '*': 'quantity' },
  claims: [{ name: 'string', request: 'string' }],
};
export const ENV: Shape = [
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
export const ENV_FROM: Shape = [
  {
    prefix: 'string',
    configMapRef: { name: 'string', optional: 'boolean' },
    secretRef: { name: 'string', optional: 'boolean' },
  },
];
export const SECURITY_CONTEXT: Shape = {
  allowPrivilegeEscalation: 'boolean',
  ...OPTIONS_OF_SECURITY,
  capabilities: { add: STRINGS, drop: STRINGS },
  privileged: 'boolean',
  procMount: 'string',
  readOnlyRootFilesystem: 'boolean',
  runAsGroup: 'integer',
  runAsNonRoot: 'boolean',
  runAsUser: 'integer',
};
const HANDLER = {
  exec: { command: STRINGS },
  httpGet: {
    path: 'string',
    port: 'port',
    host: 'string',
    scheme: 'string',
    httpHeaders: [{ name: 'string', value: 'string' }],
  },
  tcpSocket: { port: 'port', host: 'string' },
} as const satisfies Shape;
/** How a container says that it is there. */
export const PROBE: Shape = {
  ...HANDLER,
  grpc: { port: 'int32', service: 'string' },
  initialDelaySeconds: 'int32',
  timeoutSeconds: 'int32',
  periodSeconds: 'int32',
  successThreshold: 'int32',
  failureThreshold: 'int32',
  terminationGracePeriodSeconds: 'integer',
};
const HOOK: Shape = { ...HANDLER, sleep: { seconds: 'integer' } };
export const LIFECYCLE: Shape = { postStart: HOOK, preStop: HOOK, stopSignal: 'string' };
export const PORTS: Shape = [
  { name: 'string', hostPort: 'int32', containerPort: 'int32', protocol: 'string', hostIP: 'string' },
];
const NODE_TERM: Shape = {
  matchExpressions: [{ key: 'string', operator: 'string', values: STRINGS }],
  matchFields: [{ key: 'string', operator: 'string', values: STRINGS }],
};
const POD_TERM: Shape = {
  labelSelector: SELECTOR,
  namespaces: STRINGS,
  topologyKey: 'string',
  namespaceSelector: SELECTOR,
  matchLabelKeys: STRINGS,
  mismatchLabelKeys: STRINGS,
};
const POD_AFFINITY: Shape = {
  requiredDuringSchedulingIgnoredDuringExecution: [POD_TERM],
  preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 'int32', podAffinityTerm: POD_TERM }],
};
const AFFINITY: Shape = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [NODE_TERM] },
    preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 'int32', preference: NODE_TERM }],
  },
  podAffinity: POD_AFFINITY,
  podAntiAffinity: POD_AFFINITY,
};
const POD_SECURITY: Shape = {
  ...OPTIONS_OF_SECURITY,
  fsGroup: 'integer',
  fsGroupChangePolicy: 'string',
  runAsGroup: 'integer',
  runAsNonRoot: 'boolean',
  runAsUser: 'integer',
  seLinuxChangePolicy: 'string',
  supplementalGroups: ['integer'],
  supplementalGroupsPolicy: 'string',
  sysctls: [{ name: 'string', value: 'string' }],
};
export const POD_TEMPLATE: Shape = {
  env: ENV,
  securityContext: POD_SECURITY,
  nodeSelector: { '*': 'string' },
  tolerations: [{ key: 'string', operator: 'string', value: 'string', effect: 'string', tolerationSeconds: 'integer' }],
  affinity: AFFINITY,
  volumes: [VOLUME],
  runtimeClassName: 'string',
  automountServiceAccountToken: 'boolean',
  dnsPolicy: 'string',
  dnsConfig: { nameservers: STRINGS, searches: STRINGS, options: [{ name: 'string', value: 'string' }] },
  enableServiceLinks: 'boolean',
  priorityClassName: 'string',
  schedulerName: 'string',
  imagePullSecrets: [{ name: 'string' }],
  hostAliases: [{ ip: 'string', hostnames: STRINGS }],
  hostNetwork: 'boolean',
  hostUsers: 'boolean',
  topologySpreadConstraints: [
    {
      maxSkew: 'int32',
      topologyKey: 'string',
      whenUnsatisfiable: 'string',
      labelSelector: SELECTOR,
      minDomains: 'int32',
      nodeAffinityPolicy: 'string',
      nodeTaintsPolicy: 'string',
      matchLabelKeys: STRINGS,
    },
  ],
};
