import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClusterTestingError } from './errors.ts';
import type { KubeApi } from './kube-api.ts';
import { readObjects, withoutPods } from './manifests.ts';
import type { Part } from './parts.ts';
import { inState, type Setup } from './place.ts';
import { controller } from './tekton.ts';

const SECRET = '/api/v1/namespaces/tekton-chains/secrets/signing-secrets';

/** As on Konflux: signatures and attestations beside the images, of all images of a run, in no public log. */
export const KONFLUX: Readonly<Record<string, string>> = {
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

export const PROVENANCES = ['slsa/v1', 'slsa/v2alpha4'] as const;
export const ENCODINGS = ['dsse', 'sigstore-bundle'] as const;

/** How Chains writes what it says. */
export interface ChainsOptions {
  /** Of what shape the provenance is: SLSA v0.2, as Konflux has it, or SLSA v1; `slsa/v1` by default. */
  readonly provenance?: (typeof PROVENANCES)[number];
  /** What signatures and attestations are wrapped in: `dsse` under tags of the image, by default, or bundles that refer to it. */
  readonly encoding?: (typeof ENCODINGS)[number];
}

const ENCODING = 'storage.oci.encoding-format';

/**
 * What is different in Chains' configuration, keys of its ConfigMap chains-config.
 *
 * @param folder With the program, which is looked at: Chains passes over a key that it does not know.
 * @throws ClusterTestingError `USAGE` where this Chains has no such encoding.
 */
export function chainsConfigOf(
  { provenance, encoding = 'dsse' }: ChainsOptions,
  folder: string,
): Record<string, string> {
  if (encoding !== 'dsse' && !readFileSync(join(folder, 'controller')).includes(ENCODING)) {
    throw new ClusterTestingError('USAGE', 'this Chains writes no bundles of sigstore', {
      expected: 'the encoding dsse',
      found: encoding,
      hint: `its key ${ENCODING} came after the version that packages/cluster-testing/go/chains/go.mod asks for`,
    });
  }
  const config: Record<string, string> = {};
  if (encoding !== 'dsse') config[ENCODING] = encoding;
  if (provenance === 'slsa/v2alpha4') {
    config['artifacts.taskrun.format'] = provenance;
    config['artifacts.pipelinerun.format'] = provenance;
    // Which says what tasks were called with; Chains' own default does not.
    config['builddefinition.buildtype'] = 'https://tekton.dev/chains/v2/slsa-tekton';
  }
  return config;
}

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
    data: { ...KONFLUX, ...chainsConfig },
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
