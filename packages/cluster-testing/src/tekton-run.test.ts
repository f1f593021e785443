import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningCluster } from './cluster.ts';
import type { KubeApi } from './kube-api.ts';
import { inState } from './place.ts';
import { startE2e, statusOf } from './testing/e2e.ts';
import { type ServedChain, serveChain } from './testing/served-chain.ts';
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

let cluster: RunningCluster;
let api: KubeApi;
let chain: ServedChain;

beforeAll(async () => {
  ({ cluster, api } = thisCluster());
  chain = await serveChain(cluster);
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
