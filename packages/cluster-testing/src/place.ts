import { join } from 'node:path';

/** The node's address, which is also its pods' gateway: a bridge of the cluster's own network that nothing else is in. */
export const NODE = '10.88.0.1';
export const POD_NETWORK = '10.88.0.0/16';
/** The addresses of Services. */
export const SERVICES = '10.96.0.0/16';
export const NODE_NAME = 'node1';
/**
 * What pods and whoever is in the cluster's network call the registry. A private address, which Tekton and Chains, like
 * everything of go-containerregistry's, reach without TLS.
 */
export const REGISTRY = `${NODE}:5000`;
/** Where repositories under `git` of the state folder are served from. */
export const GIT = `git://${NODE}`;
export const API_SERVER = `https://${NODE}:6443`;

/** What there is of a cluster: only the API server with Tekton's webhook, or a node that runs pods, with Tekton and Chains. */
export type Extent = 'admission' | 'node';

/** What the processes of a cluster are told. */
export interface Setup {
  readonly extent: Extent;
  /** Holds everything that the cluster writes. */
  readonly state: string;
  /** The folders with the programs. */
  readonly kubernetes: string;
  readonly webhook: string;
  readonly tekton: string;
  readonly chains: string;
  readonly debian: string;
  /** A folder of containerd's with the images that pods run, by the names that the pods call them; undefined without a node. */
  readonly images: string | undefined;
  /** Of the first user, who may do everything. */
  readonly token: string;
  /** What is different from this machine's in chains-config. */
  readonly chainsConfig: Readonly<Record<string, string>>;
}

/** Files and folders in a state folder. */
export const inState = {
  setup: (state: string): string => join(state, 'setup.json'),
  cluster: (state: string): string => join(state, 'cluster.json'),
  log: (state: string, part: string): string => join(state, 'log', `${part}.log`),
  kubeconfig: (state: string): string => join(state, 'kubeconfig'),
  publicKey: (state: string): string => join(state, 'cosign.pub'),
  /** For the PATH of whoever works with the cluster. */
  programs: (state: string): string => join(state, 'bin'),
  /** There where it did not come up: its logs are kept then. */
  failed: (state: string): string => join(state, 'failed'),
  control: (state: string): string => join(state, 'control.sock'),
  /** What ended without being told to: a file for each part. */
  dead: (state: string): string => join(state, 'dead'),
  git: (state: string): string => join(state, 'git'),
} as const;

/** A kubeconfig with one login. */
export function kubeconfig(server: string, ca: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'cluster', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name: 'user', user: { token } }],
    contexts: [{ name: 'cluster', context: { cluster: 'cluster', user: 'user', namespace: 'default' } }],
    'current-context': 'cluster',
  });
}
