import type { Cluster } from '../cluster.ts';
import { findMade } from '../deletion.ts';
import { KINDS, type Kind, type Resource } from '../resource.ts';

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
  return found.flat();
}
