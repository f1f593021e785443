import { METADATA, SELECTOR, STRINGS } from './metadata-shapes.ts';
import type { Shape } from './shape.ts';

// Volumes, as Kubernetes has them in Pods.

const ITEMS: Shape = [{ key: 'string', path: 'string', mode: 'int32' }];
export const EMPTY_DIR: Shape = { medium: 'string', sizeLimit: 'quantity' };
export const CLAIM: Shape = { claimName: 'string', readOnly: 'boolean' };
export const CONFIG_MAP: Shape = { name: 'string', items: ITEMS, defaultMode: 'int32', optional: 'boolean' };
export const SECRET: Shape = { secretName: 'string', items: ITEMS, defaultMode: 'int32', optional: 'boolean' };
export const CSI: Shape = {
  driver: 'string',
  readOnly: 'boolean',
  fsType: 'string',
  volumeAttributes: { '*': 'string' },
  nodePublishSecretRef: { name: 'string' },
};
/** What a claim asks for. */
export const CLAIM_SPEC: Shape = {
  accessModes: STRINGS,
  selector: SELECTOR,
  resources: { limits: { '*': 'quantity' }, requests: { '*': 'quantity' } },
  volumeName: 'string',
  storageClassName: 'string',
  volumeMode: 'string',
  dataSource: { apiGroup: 'string', kind: 'string', name: 'string' },
  dataSourceRef: { apiGroup: 'string', kind: 'string', name: 'string', namespace: 'string' },
  volumeAttributesClassName: 'string',
};
const OF_POD: Shape = [
  {
    path: 'string',
    fieldRef: { apiVersion: 'string', fieldPath: 'string' },
    resourceFieldRef: { containerName: 'string', resource: 'string', divisor: 'quantity' },
    mode: 'int32',
  },
];
export const PROJECTED: Shape = {
  defaultMode: 'int32',
  sources: [
    {
      configMap: { name: 'string', items: ITEMS, optional: 'boolean' },
      secret: { name: 'string', items: ITEMS, optional: 'boolean' },
      downwardAPI: { items: OF_POD },
      serviceAccountToken: { audience: 'string', expirationSeconds: 'integer', path: 'string' },
      clusterTrustBundle: {
        name: 'string',
        signerName: 'string',
        labelSelector: SELECTOR,
        optional: 'boolean',
        path: 'string',
      },
      podCertificate: {
        signerName: 'string',
        keyType: 'string',
        maxExpirationSeconds: 'int32',
        credentialBundlePath: 'string',
        keyPath: 'string',
        certificateChainPath: 'string',
        userAnnotations: { '*': 'string' },
      },
    },
  ],
};

/** Kinds of volumes that no step gets here, by the names of their fields. */
const OTHER_VOLUMES = {
  awsElasticBlockStore: 'volumeID fsType partition readOnly',
  azureDisk: 'diskName diskURI cachingMode fsType readOnly kind',
  azureFile: 'secretName shareName readOnly',
  cephfs: 'monitors path user secretFile secretRef readOnly',
  cinder: 'volumeID fsType readOnly secretRef',
  fc: 'targetWWNs lun fsType readOnly wwids',
  flexVolume: 'driver fsType secretRef readOnly options',
  flocker: 'datasetName datasetUUID',
  gcePersistentDisk: 'pdName fsType partition readOnly',
  gitRepo: 'repository revision directory',
  glusterfs: 'endpoints path readOnly',
  hostPath: 'path type',
  image: 'reference pullPolicy',
  iscsi:
    'targetPortal iqn lun iscsiInterface fsType readOnly portals chapAuthDiscovery chapAuthSession secretRef initiatorName',
  nfs: 'server path readOnly',
  photonPersistentDisk: 'pdID fsType',
  portworxVolume: 'volumeID fsType readOnly',
  quobyte: 'registry volume readOnly user group tenant',
  rbd: 'monitors image fsType pool user keyring secretRef readOnly',
  scaleIO: 'gateway system secretRef sslEnabled protectionDomain storagePool storageMode volumeName fsType readOnly',
  storageos: 'volumeName volumeNamespace fsType readOnly secretRef',
  vsphereVolume: 'volumePath fsType storagePolicyName storagePolicyID',
};
/** Those of their fields that are no strings. */
const NO_STRINGS: Readonly<Record<string, Shape>> = {
  chapAuthDiscovery: 'boolean',
  chapAuthSession: 'boolean',
  lun: 'int32',
  monitors: STRINGS,
  options: { '*': 'string' },
  partition: 'int32',
  portals: STRINGS,
  readOnly: 'boolean',
  secretRef: { name: 'string' },
  sslEnabled: 'boolean',
  targetWWNs: STRINGS,
  wwids: STRINGS,
};
export const VOLUME: Shape = {
  ...Object.fromEntries(
    Object.entries(OTHER_VOLUMES).map(([kind, fields]): [string, Shape] => [
      kind,
      Object.fromEntries(fields.split(' ').map((name) => [name, NO_STRINGS[name] ?? 'string'])),
    ]),
  ),
  name: 'string',
  csi: CSI,
  downwardAPI: { items: OF_POD, defaultMode: 'int32' },
  ephemeral: { volumeClaimTemplate: { metadata: METADATA, spec: CLAIM_SPEC } },
  emptyDir: EMPTY_DIR,
  configMap: CONFIG_MAP,
  secret: SECRET,
  persistentVolumeClaim: CLAIM,
  projected: PROJECTED,
};
