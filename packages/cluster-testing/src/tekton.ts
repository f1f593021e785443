import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeApi, KubeObject } from './kube-api.ts';
import { type DeployedProcess, processOf, readObjects, withoutPods } from './manifests.ts';
import type { Part } from './parts.ts';
import { API_SERVER, kubeconfig, NODE, type Setup } from './place.ts';

/** A name for each image of Tekton's own, by which pods find it on the node. */
export const TEKTON_IMAGES: Readonly<Record<string, string>> = {
  entrypoint: 'tekton.local/entrypoint:built',
  nop: 'tekton.local/nop:built',
  sidecarlogresults: 'tekton.local/sidecarlogresults:built',
  workingdirinit: 'tekton.local/workingdirinit:built',
  shell: 'tekton.local/shell:built',
};

/** Which ports each controller has: all of them are in one network. */
const PORTS = { webhook: 8090, controller: 8091, chains: 8092 } as const;
const WEBHOOK_PORT = 8443;

/**
 * What is different from Tekton's configuration as it is released. Nothing here puts sidecars into pods: without one, a step
 * begins when its container does, and not when the kubelet has told it by a file that the pod is ready. That comes late, and
 * now and then with the kubelet's next round, a minute later.
 */
const FLAGS: Readonly<Record<string, string>> = { 'running-in-environment-with-injected-sidecars': 'false' };

/** Tekton's kinds and its configuration, but for its resolvers: there is nothing to fetch from. */
export async function installTekton({ webhook: folder }: Setup, api: KubeApi): Promise<void> {
  const config = join(folder, 'config');
  const objects = withoutPods(readObjects(join(config, '100-namespace'), join(config, '300-crds'), config));
  await api.applyAll(objects.map(configured).map(unselected));
  // The webhook's Service has no pods: what is behind it is a process on the node.
  await api.apply({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'tekton-pipelines-webhook',
      namespace: 'tekton-pipelines',
      labels: { 'kubernetes.io/service-name': 'tekton-pipelines-webhook' },
    },
    addressType: 'IPv4',
    ports: [{ name: 'https-webhook', port: WEBHOOK_PORT, protocol: 'TCP' }],
    endpoints: [{ addresses: [NODE], conditions: { ready: true } }],
  });
}

function configured(object: KubeObject): KubeObject {
  if (object.kind !== 'ConfigMap' || object.metadata.name !== 'feature-flags') return object;
  return { ...object, data: { ...(object.data as object), ...FLAGS } };
}

/** A Service that asks for pods would lose its endpoints to the controller manager. */
function unselected(object: KubeObject): KubeObject {
  if (object.kind !== 'Service') return object;
  const { selector: _, ...spec } = object.spec as Record<string, unknown>;
  return { ...object, spec };
}

/** What checks and completes every object of Tekton's before it is stored. */
export function webhook(setup: Setup, api: KubeApi): Part {
  const probe: KubeObject = {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: { name: 'probe', namespace: 'default' },
    spec: { taskSpec: { steps: [{ name: 'probe', image: 'probe' }] } },
  };
  return {
    ...controller(setup, api, {
      name: 'webhook',
      deployment: 'tekton-pipelines-webhook',
      program: join(setup.webhook, 'webhook'),
    }),
    // It tells the API server of its certificate at some time, and its own answers come only then.
    ready: async () => {
      const answer = await api.wouldCreate(probe);
      const { spec } = answer.body as { spec?: { serviceAccountName?: string } };
      return answer.status < 300 && spec?.serviceAccountName === 'default';
    },
  };
}

/** What makes pods of TaskRuns. */
export function pipelinesController(setup: Setup, api: KubeApi): Part {
  return controller(setup, api, {
    name: 'controller',
    deployment: 'tekton-pipelines-controller',
    args: [
      ...['entrypoint', 'nop', 'sidecarlogresults', 'workingdirinit'].flatMap((name) => [
        `-${name}-image`,
        TEKTON_IMAGES[name] ?? '',
      ]),
      '-shell-image',
      TEKTON_IMAGES.shell ?? '',
      '-shell-image-win',
      'none',
    ],
  });
}

/** One of Tekton's programs as its Deployment would run it, with the rights of its own service account. */
export function controller(
  { state, tekton, webhook: released }: Setup,
  api: KubeApi,
  {
    name,
    deployment,
    args = [],
    from = join(released, 'config'),
    program = join(tekton, name),
    env = {},
  }: {
    name: keyof typeof PORTS;
    deployment: string;
    args?: readonly string[];
    from?: string;
    program?: string;
    env?: Readonly<Record<string, string>>;
  },
): Part {
  const deployed = processOf(readObjects(from), deployment);
  const login = join(state, 'keys', `${name}.kubeconfig`);
  const probes = PORTS[name];
  return {
    name: name === 'chains' ? 'chains' : `tekton-${name}`,
    command: [program, ...args],
    env: {
      ...deployed.env,
      // Requests a second: as it is, 20 for all runs together, which a matrix takes for itself.
      KUBE_API_QPS: '200',
      KUBE_API_BURST: '400',
      KUBECONFIG: login,
      POD_NAME: `${deployment}-0`,
      PROBES_PORT: String(probes),
      METRICS_PROMETHEUS_PORT: String(probes + 1000),
      WEBHOOK_PORT: String(WEBHOOK_PORT),
      ...env,
    },
    prepare: async () => writeFileSync(login, await loginOf(api, deployed), { mode: 0o600 }),
    ready: async () => (await fetch(`http://${NODE}:${probes}/readiness`)).ok,
  };
}

/** A login as the service account of a Deployment. */
async function loginOf(api: KubeApi, { namespace, serviceAccount }: DeployedProcess): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`;
  const { status } = (await api.ask('POST', path, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 7 * 24 * 3600 },
  })) as { status: { token: string } };
  return kubeconfig(API_SERVER, api.ca, status.token);
}
