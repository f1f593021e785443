import { randomBytes } from 'node:crypto';
import { ALL_WELL, statusOf } from '@multi-image/testing/criteria';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningCluster } from './cluster.ts';
import type { KubeApi } from './kube-api.ts';
import { inState } from './place.ts';
import { startE2e } from './testing/e2e.ts';
import { makeNamespace } from './testing/namespace.ts';
import { type ServedChain, serveChain } from './testing/served-chain.ts';
import { thisCluster } from './testing/this-cluster.ts';

let cluster: RunningCluster;
let api: KubeApi;
let chain: ServedChain;

beforeAll(async () => {
  ({ cluster, api } = thisCluster());
  chain = await serveChain(cluster);
});
afterAll(() => api?.close());

// Two images that name one, and three in a row. The others need what is not on every machine: a base for two platforms, Go's image.
test.each(['app-sidecar', 'operator-bundle-catalog'])(
  'examples/%s is built, signed by Chains, and proved attested by its key',
  async (example) => {
    const name = `${example}-${randomBytes(3).toString('hex')}`;
    await makeNamespace(api, name);
    const more = ['--config', `examples/${example}/konflux.config.ts`, '--key', inState.publicKey(cluster.state)];
    const { exitCode, output, report } = await startE2e(cluster.state, chain, name, ...more).ended;
    expect(statusOf(report), output).toEqual(ALL_WELL);
    expect(report?.level, output).toBe('attested');
    expect(exitCode).toBe(0);
  },
);
