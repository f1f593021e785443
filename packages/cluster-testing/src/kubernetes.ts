import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KubeApi } from './kube-api.ts';
import type { Part } from './parts.ts';
import { API_SERVER, inState, kubeconfig, NODE, SERVICES, type Setup } from './place.ts';

const ETCD = 'http://127.0.0.1:2379';
const isThere = async (url: string): Promise<boolean> => (await fetch(url)).ok;

/** What Kubernetes keeps its objects in. */
export function etcd({ state, debian }: Setup): Part {
  return {
    name: 'etcd',
    command: [
      join(debian, 'usr/bin/etcd'),
      `--data-dir=${join(state, 'etcd')}`,
      `--listen-client-urls=${ETCD}`,
      `--advertise-client-urls=${ETCD}`,
      '--listen-peer-urls=http://127.0.0.1:2380',
      // Nothing of it outlives this machine.
      '--unsafe-no-fsync',
    ],
    env: { ETCD_UNSUPPORTED_ARCH: process.arch },
    ready: () => isThere(`${ETCD}/health`),
  };
}

/** The API server; it makes its own certificate, and knows the first user by a token. */
export function apiServer(setup: Setup): Part {
  const { state, kubernetes, token } = setup;
  const keys = join(state, 'keys');
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  const serviceAccounts = join(keys, 'service-accounts.pem');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(serviceAccounts, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  const tokens = join(keys, 'tokens.csv');
  writeFileSync(tokens, `${token},admin,admin,system:masters\n`, { mode: 0o600 });
  return {
    name: 'kube-apiserver',
    command: [
      join(kubernetes, 'kubernetes'),
      'kube-apiserver',
      `--etcd-servers=${ETCD}`,
      `--advertise-address=${NODE}`,
      '--secure-port=6443',
      `--service-cluster-ip-range=${SERVICES}`,
      '--authorization-mode=RBAC',
      '--allow-privileged=true',
      // There is no kube-proxy: webhooks are reached by their endpoints.
      '--enable-aggregator-routing=true',
      `--token-auth-file=${tokens}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${serviceAccounts}`,
      `--service-account-signing-key-file=${serviceAccounts}`,
      `--cert-dir=${keys}`,
    ],
    ready: async () => {
      if (!existsSync(certificateFile(state))) return false;
      const ca = readFileSync(certificateFile(state), 'utf8');
      const api = new KubeApi({ server: API_SERVER, ca, token });
      try {
        if ((await api.request('GET', '/readyz')).status !== 200) return false;
      } finally {
        api.close();
      }
      writeFileSync(inState.kubeconfig(state), kubeconfig(API_SERVER, ca, token), { mode: 0o600 });
      return true;
    },
  };
}

/** The API server's certificate, and the one that signed it. */
export function certificateFile(state: string): string {
  return join(state, 'keys/apiserver.crt');
}

/** What makes pods of Jobs, tokens of service accounts, and removes what nobody owns any more. */
export function controllerManager({ state, kubernetes }: Setup): Part {
  return {
    name: 'kube-controller-manager',
    command: [
      join(kubernetes, 'kubernetes'),
      'kube-controller-manager',
      `--kubeconfig=${inState.kubeconfig(state)}`,
      '--leader-elect=false',
      `--service-account-private-key-file=${join(state, 'keys/service-accounts.pem')}`,
      `--root-ca-file=${certificateFile(state)}`,
      `--cert-dir=${join(state, 'keys')}`,
      '--kube-api-qps=200',
      '--kube-api-burst=400',
    ],
    ready: async () => true,
  };
}

/** What gives pods their node. */
export function scheduler({ state, kubernetes }: Setup): Part {
  return {
    name: 'kube-scheduler',
    command: [
      join(kubernetes, 'kubernetes'),
      'kube-scheduler',
      `--kubeconfig=${inState.kubeconfig(state)}`,
      '--leader-elect=false',
      `--cert-dir=${join(state, 'keys')}`,
    ],
    ready: async () => true,
  };
}
