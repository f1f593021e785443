import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { readCommands } from '@multi-image/testing/document-commands';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningCluster } from './cluster.ts';
import type { KubeApi } from './kube-api.ts';
import { inState } from './place.ts';
import { startE2e, statusOf } from './testing/e2e.ts';
import { repository, type ServedChain, serveChain } from './testing/served-chain.ts';
import { thisCluster } from './testing/this-cluster.ts';

/** All of them but that nobody scans: the stand-ins say that they skip it. */
const ATTESTED = {
  'single-pipeline': 'passed',
  'image-2-embeds-image-1': 'passed',
  'image-1-labelled': 'passed',
  'scanner-extracts': 'passed',
  'scanned-and-signed': 'skipped',
  'no-manual-step': 'passed',
};

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
  expect(statusOf(report), output).toEqual(ATTESTED);
  expect(report?.level, output).toBe('attested');
  expect(exitCode).toBe(0);
});
