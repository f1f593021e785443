import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ALL_WELL, statusOf } from '@multi-image/testing/criteria';
import { readCommands } from '@multi-image/testing/document-commands';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningCluster } from './cluster.ts';
import type { KubeApi } from './kube-api.ts';
import { inState } from './place.ts';
import { startE2e } from './testing/e2e.ts';
import { repository, type ServedChain, serveChain } from './testing/served-chain.ts';
import { thisCluster } from './testing/this-cluster.ts';

const CHAINS_CONFIG = '/api/v1/namespaces/tekton-chains/configmaps/chains-config';

let cluster: RunningCluster;
let api: KubeApi;
let chain: ServedChain;

beforeAll(async () => {
  ({ cluster, api } = thisCluster());
  chain = await serveChain(cluster);
  // Chains as it is installed, and then what the document says; what it knows of keys is the cluster's.
  await api.ask('PATCH', CHAINS_CONFIG, { data: null }, 'application/merge-patch+json');
  const [recipe] = readCommands(join(repository, 'docs/tekton-run.md')).filter(({ text }) =>
    /chains-config/.test(text),
  );
  execFileSync('bash', ['-ec', recipe?.text ?? 'false'], { stdio: 'pipe' });
});
afterAll(() => api?.close());

async function namespace(name: string): Promise<void> {
  await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

test('the chain is built, sealed, extracted, signed by Chains, and proved attested by its key', async () => {
  await namespace('whole');
  const key = ['--key', inState.publicKey(cluster.state)];
  const { exitCode, output, report } = await startE2e(cluster.state, chain, 'whole', ...key).ended;
  expect(statusOf(report), output).toEqual(ALL_WELL);
  expect(report?.level, output).toBe('attested');
  expect(exitCode).toBe(0);
});
