import type { Progress } from '@multi-image/kit/progress';
import { E2eError } from '../../../errors.ts';
import type { Cluster } from './cluster.ts';
import type { ClusterOptions } from './cluster-session.ts';
import { type Kind, list, MADE_BY, MADE_BY_US, type Resource } from './resource.ts';

export interface DeletionOptions extends Pick<ClusterOptions, 'kubeconfig' | 'context' | 'pauses'> {
  /** Only say what would be deleted. */
  dryRun?: boolean;
  /** Answers whether to go on; it was told what will be deleted. */
  confirm: (question: string) => Promise<boolean>;
  /** Milliseconds to wait until what was deleted is gone; 3 minutes by default. */
  patience?: number;
  progress: Progress;
  signal: AbortSignal;
}

/** The objects of a kind that this command made, with these labels beside its own. */
export async function findMade(
  cluster: Cluster,
  kind: Kind,
  namespace: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<readonly Resource[]> {
  const wanted = Object.entries({ [MADE_BY]: MADE_BY_US, ...labels });
  const { items } = await cluster.list(kind, namespace, wanted.map(([name, value]) => `${name}=${value}`).join(','));
  // The selector is the server's; the labels decide here again, before anything is deleted.
  return items.filter(({ metadata }) => wanted.every(([name, value]) => metadata.labels?.[name] === value));
}

/**
 * Says what is going to be deleted, and answers with whether to go on. Throws `NOT_CONFIRMED`.
 *
 * @param check Throws, before anybody is asked, where not all of it may be.
 */
export async function isDeletionWanted(
  steps: readonly string[],
  { dryRun = false, confirm, progress }: DeletionOptions,
  check: () => Promise<void> = async () => {},
): Promise<boolean> {
  for (const step of steps) progress.line(`  ${step}`);
  if (steps.length === 0) progress.line('  nothing that this command made');
  else if (dryRun) progress.line('nothing was deleted: this is a dry run');
  if (steps.length === 0 || dryRun) return false;
  await check();
  if (await confirm('Type yes to go on: ')) return true;
  throw new E2eError('NOT_CONFIRMED', 'nothing was deleted', {
    expected: 'yes',
    found: 'another answer, or nobody to ask',
    hint: 'in a script, --yes answers',
  });
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

/**
 * Waits until what a clean-up deleted is gone, and says what is not; answers with how it ended, in words.
 *
 * @param holder Who may hold an object for longer.
 */
export async function settleDeleted(
  cluster: Cluster,
  deleted: readonly Resource[],
  holder: string,
  { patience = 180_000, progress, signal }: DeletionOptions,
): Promise<string> {
  const left = await awaitGone(cluster, deleted, { timeout: patience, signal });
  for (const object of left) progress.line(`still going: ${printGoing(object)}`);
  return left.length === 0 ? 'done' : `all is deleted; what is still going goes when ${holder} lets go of it`;
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
