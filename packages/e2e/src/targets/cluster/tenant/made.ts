import type { Cluster } from '../cluster.ts';
import { findMade } from '../deletion.ts';
import { KINDS, type Kind, list, type Resource } from '../resource.ts';

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

/** Whether an object was deleted, and only stays until those whose finalizers it has are done with it. */
export function isGoing({ metadata }: Resource): boolean {
  return 'deletionTimestamp' in metadata;
}

/** `Component app (finalizer pac)`: for an object that is on its way. */
export function printGoing(object: Resource): string {
  const held = list(object, 'metadata', 'finalizers').filter((name) => typeof name === 'string');
  return `${object.kind} ${object.metadata.name}${held.length > 0 ? ` (held by ${held.join(', ')})` : ''}`;
}

/** Waits until objects that were deleted are gone; answers with those that are still there when the time is over. */
export async function awaitGone(
  cluster: Cluster,
  deleted: readonly Resource[],
  limit: { timeout: number; signal: AbortSignal },
): Promise<readonly Resource[]> {
  let left = deleted;
  await cluster.poll(async () => {
    const found = await Promise.all(
      left.map((kind) => cluster.read(kind, kind.metadata.name, kind.metadata.namespace ?? '')),
    );
    // One of the same name that was made since is another.
    left = found.flatMap((object, index) => (object?.metadata.uid === left[index]?.metadata.uid ? (object ?? []) : []));
    return left.length === 0;
  }, limit);
  return left;
}
