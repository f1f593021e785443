import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeApi } from '../kube-api.ts';

/**
 * Makes a namespace that is ready for runs, or finds it: Tekton fails a TaskRun at once whose service account is not there
 * yet, and the controller manager makes that of a new namespace when it comes to it.
 */
export async function makeNamespace(api: KubeApi, name: string): Promise<void> {
  await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const account = `/api/v1/namespaces/${name}/serviceaccounts/default`;
  while ((await api.request('GET', account)).status === 404) await sleep(50);
}
