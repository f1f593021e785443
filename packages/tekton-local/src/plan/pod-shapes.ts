import type { Shape } from './shape.ts';

// The parts of Kubernetes' Pods that Tekton takes over.

/** A list of strings. */
export const STRINGS: Shape = ['string'];
const LABELS: Shape = {
  matchLabels: { '*': 'string' },
  matchExpressions: [{ key: 'string', operator: 'string', values: STRINGS }],
};
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
/** How a container says that it is there. */
export const PROBE: Shape = {
  exec: { command: STRINGS },
  httpGet: {
    path: 'string',
    port: 'port',
    host: 'string',
    scheme: 'string',
    httpHeaders: [{ name: 'string', value: 'string' }],
  },
  tcpSocket: { port: 'port', host: 'string' },
  grpc: { port: 'int32', service: 'string' },
  initialDelaySeconds: 'int32',
  timeoutSeconds: 'int32',
  periodSeconds: 'int32',
  successThreshold: 'int32',
  failureThreshold: 'int32',
  terminationGracePeriodSeconds: 'integer',
};
export const PORTS: Shape = [
  { name: 'string', hostPort: 'int32', containerPort: 'int32', protocol: 'string', hostIP: 'string' },
];
const ITEMS: Shape = [{ key: 'string', path: 'string', mode: 'int32' }];
export const EMPTY_DIR: Shape = { medium: 'string', sizeLimit: 'quantity' };
export const CLAIM: Shape = { claimName: 'string', readOnly: 'boolean' };
export const CONFIG_MAP: Shape = { name: 'string', items: ITEMS, defaultMode: 'int32', optional: 'boolean' };
export const SECRET: Shape = { secretName: 'string', items: ITEMS, defaultMode: 'int32', optional: 'boolean' };
export const PROJECTED: Shape = {
  defaultMode: 'int32',
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
export const VOLUME: Shape = {
  ...OTHER_VOLUMES,
  name: 'string',
  emptyDir: EMPTY_DIR,
  configMap: CONFIG_MAP,
  secret: SECRET,
  persistentVolumeClaim: CLAIM,
  projected: PROJECTED,
};
const NODE_TERM: Shape = {
  matchExpressions: [{ key: 'string', operator: 'string', values: STRINGS }],
  matchFields: [{ key: 'string', operator: 'string', values: STRINGS }],
};
const POD_TERM: Shape = {
  labelSelector: LABELS,
  namespaces: STRINGS,
  topologyKey: 'string',
  namespaceSelector: LABELS,
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
      labelSelector: LABELS,
      minDomains: 'int32',
      nodeAffinityPolicy: 'string',
      nodeTaintsPolicy: 'string',
      matchLabelKeys: STRINGS,
    },
  ],
};
