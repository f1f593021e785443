import type { Cluster } from '../api/cluster.ts';
import { instead } from '../api/cluster-error.ts';
import { findMade } from '../api/deletion.ts';
import { KINDS, type Kind, OPTIONAL_KINDS, type Resource } from '../api/resource.ts';

/** Everything in the namespace that this command made. */
export async function findAllMade(cluster: Cluster, namespace: string): Promise<readonly Resource[]> {
  // Last made, first deleted; the build service cleans up after a component, so that goes before its application.
  const kinds: readonly Kind[] = [
    KINDS.scenario,
    KINDS.component,
    KINDS.imageRepository,
    KINDS.application,
    KINDS.serviceAccount,
  ];
  const found = await Promise.all(
    kinds.map(async (kind) => {
      return (await cluster.serves(kind)) === undefined ? [] : findMade(cluster, kind, namespace);
    }),
  );
  // Who may not look at these did not make them.
  const access = [OPTIONAL_KINDS.roleBinding, OPTIONAL_KINDS.role].map((kind) =>
    findMade(cluster, kind, namespace).catch(instead('CLUSTER_FORBIDDEN', [])).catch(instead('KIND_MISSING', [])),
  );
  return [...found, ...(await Promise.all(access))].flat();
}
