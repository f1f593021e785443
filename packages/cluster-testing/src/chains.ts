import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeApi } from './kube-api.ts';
import { readObjects, withoutPods } from './manifests.ts';
import type { Part } from './parts.ts';
import { inState, type Setup } from './place.ts';
import { controller } from './tekton.ts';

const SECRET = '/api/v1/namespaces/tekton-chains/secrets/signing-secrets';

/** As on Konflux: signatures and attestations beside the images, of all images of a run, in no public log. */
const CONFIG: Readonly<Record<string, string>> = {
  'artifacts.oci.storage': 'oci',
  'artifacts.oci.format': 'simplesigning',
  'artifacts.oci.signer': 'x509',
  'artifacts.taskrun.format': 'slsa/v1',
  'artifacts.taskrun.storage': 'oci',
  'artifacts.taskrun.signer': 'x509',
  'artifacts.pipelinerun.format': 'slsa/v1',
  'artifacts.pipelinerun.storage': 'oci',
  'artifacts.pipelinerun.signer': 'x509',
  'artifacts.pipelinerun.enable-deep-inspection': 'true',
  'transparency.enabled': 'false',
};

/** Chains as it is released, with a new key. */
export async function installChains({ chains, state, chainsConfig }: Setup, api: KubeApi): Promise<void> {
  await api.applyAll(withoutPods(readObjects(join(chains, 'config'))));
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  writeFileSync(inState.publicKey(state), pem);
  await api.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'signing-secrets', namespace: 'tekton-chains' },
    stringData: { 'x509.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'cosign.pub': pem },
  });
  await api.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'chains-config', namespace: 'tekton-chains' },
    data: { ...CONFIG, ...chainsConfig },
  });
}

/** What signs what TaskRuns and PipelineRuns made. */
export function chains(setup: Setup, api: KubeApi): Part {
  const part = controller(setup, api, {
    name: 'chains',
    deployment: 'tekton-chains-controller',
    from: join(setup.chains, 'config'),
    program: join(setup.chains, 'controller'),
  });
  let before: readonly string[] = [];
  return {
    ...part,
    prepare: async () => {
      await part.prepare?.();
      await mountSecret(api);
      before = await leadersOf(api);
    },
    // It has no probes. It works once it leads, which after a crash takes until its predecessor's lease is over.
    ready: async () => {
      const leaders = await leadersOf(api);
      return leaders.length >= RECONCILERS && leaders.every((leader) => !before.includes(leader));
    },
    patience: 120_000,
  };
}

/** Of TaskRuns, and of PipelineRuns. */
const RECONCILERS = 2;

async function leadersOf(api: KubeApi): Promise<readonly string[]> {
  const { items } = (await api.ask('GET', '/apis/coordination.k8s.io/v1/namespaces/tekton-chains/leases')) as {
    items: readonly { spec: { holderIdentity?: string } }[];
  };
  return items.flatMap(({ spec }) => spec.holderIdentity || []);
}

/** Puts the keys where the Secret would be mounted in Chains' pod. */
async function mountSecret(api: KubeApi): Promise<void> {
  const folder = '/etc/signing-secrets';
  const { data = {} } = (await api.ask('GET', SECRET)) as { data?: Record<string, string> };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  for (const [name, value] of Object.entries(data)) {
    writeFileSync(join(folder, name), Buffer.from(value, 'base64'), { mode: 0o600 });
  }
}

/** The public half of the key that Chains signs with. */
export function publicKeyOf(state: string): string {
  return readFileSync(inState.publicKey(state), 'utf8');
}
