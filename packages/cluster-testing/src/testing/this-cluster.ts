import { readFileSync } from 'node:fs';
import { type RunningCluster, runningIn } from '../cluster.ts';
import { KubeApi } from '../kube-api.ts';
import { certificateFile } from '../kubernetes.ts';
import { API_SERVER, inState, type Setup } from '../place.ts';

/** The cluster that `pnpm test:cluster` has brought up around this test run. */
export function thisCluster(): { cluster: RunningCluster; setup: Setup; api: KubeApi } {
  const cluster = runningIn(process.env.CLUSTER_STATE ?? '');
  if (cluster === undefined) throw new Error('there is no cluster around this test: pnpm test:cluster brings one up');
  const setup = JSON.parse(readFileSync(inState.setup(cluster.state), 'utf8')) as Setup;
  const ca = readFileSync(certificateFile(cluster.state), 'utf8');
  return { cluster, setup, api: new KubeApi({ server: API_SERVER, ca, token: setup.token }) };
}
