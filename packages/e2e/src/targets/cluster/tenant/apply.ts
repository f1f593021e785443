import { isDeepStrictEqual } from 'node:util';
import { E2eError } from '../../../errors.ts';
import type { Cluster } from '../api/cluster.ts';
import { isGoing } from '../api/deletion.ts';
import { type Resource, text } from '../api/resource.ts';
import type { ClusterRun } from '../cluster-run.ts';
import { adjust } from './adjust.ts';

export interface Change {
  /** As it is wanted. */
  object: Resource;
  /** What applying it does, as the server itself says it in a dry run. */
  action: 'create' | 'change' | 'unchanged';
}

/**
 * Asks the server what applying these objects would do, and changes nothing. Throws `APPLY_CONFLICT` with every field
 * that somebody else owns and sets otherwise: such a field is never overwritten.
 */
export async function planApply(cluster: Cluster, objects: readonly Resource[]): Promise<readonly Change[]> {
  const conflicts: string[] = [];
  const changes = await Promise.all(
    objects.map(async (object): Promise<Change> => {
      const { current, wanted } = await compare(cluster, object);
      // Nobody owns anything of it yet, and webhooks may refuse it before what it names is there.
      if (current === undefined) return { object, action: 'create' };
      const would = await cluster.apply(wanted, { dryRun: true }).catch((error) => {
        // What Konflux set back, it says why.
        const said = text(current, 'status', 'message');
        conflicts.push(`${conflictIn(error, object)}${said === undefined ? '' : `; its status says: ${said}`}`);
      });
      const isSame = would === undefined || isDeepStrictEqual(comparable(current), comparable(would));
      return { object, action: isSame ? 'unchanged' : 'change' };
    }),
  );
  if (conflicts.length > 0) throw conflictOf(conflicts);
  return changes;
}

/** Says what a plan changes, or would. */
export function sayPlan(plan: readonly Change[], { dryRun, progress }: Pick<ClusterRun, 'dryRun' | 'progress'>): void {
  const would = dryRun ? 'would ' : '';
  for (const { action, object } of plan) {
    if (action !== 'unchanged') progress.line(`${would}${action} ${object.kind} ${object.metadata.name}`);
  }
}

/** Applies what a plan found to be new or different. Throws `APPLY_CONFLICT`. */
export async function carryOut(cluster: Cluster, plan: readonly Change[]): Promise<void> {
  // One after the other, in their order: a component needs its application.
  for (const { object, action } of plan) if (action !== 'unchanged') await apply(cluster, object);
}

async function apply(cluster: Cluster, object: Resource): Promise<void> {
  let seen: string | undefined;
  for (let attempt = 0; ; attempt++) {
    // Looked at again: what was applied before it may have set Konflux to work on this one.
    const { current, wanted } = await compare(cluster, object);
    const version = current?.metadata.resourceVersion;
    try {
      await cluster.apply(wanted);
      return;
    } catch (error) {
      const conflict = conflictIn(error, object);
      // What came in between is looked at; what stays is in the way.
      const isNew = attempt === 0 || version !== seen || conflict.includes('the object has been modified');
      if (attempt >= 5 || !isNew) throw conflictOf([conflict]);
      seen = version;
      await cluster.pause(attempt);
    }
  }
}

async function compare(
  cluster: Cluster,
  desired: Resource,
): Promise<{ current: Resource | undefined; wanted: Resource }> {
  const { name, namespace = '' } = desired.metadata;
  const found = await cluster.read(desired, name, namespace);
  // One that is being deleted is waited for before anything is applied.
  const current = found === undefined || isGoing(found) ? undefined : found;
  return { current, wanted: await adjust(cluster, desired, current) };
}

/** What a refused apply was in conflict with. Throws what is something else. */
function conflictIn(error: unknown, { kind, metadata }: Resource): string {
  if (!(error instanceof E2eError) || error.code !== 'CLUSTER_CONFLICT') throw error;
  return `${kind} ${metadata.name}: ${error.found ?? ''}`;
}

function conflictOf(conflicts: readonly string[]): E2eError {
  return new E2eError('APPLY_CONFLICT', 'somebody else owns fields that would be changed, and they were left alone', {
    expected: 'objects that nobody else sets otherwise',
    found: conflicts.join('\n'),
    hint: 'make the config say the same, or give the field up there: kubectl apply --server-side --force-conflicts -f konflux/',
  });
}

const CHANGING = new Set(['resourceVersion', 'generation', 'managedFields', 'creationTimestamp', 'uid']);

/** An object without what every write changes. */
function comparable({ metadata, status: _, ...rest }: Resource): unknown {
  return { ...rest, metadata: Object.fromEntries(Object.entries(metadata).filter(([name]) => !CHANGING.has(name))) };
}
