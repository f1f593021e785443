import type { Progress } from '@multi-image/kit/progress';
import { E2eError } from '../../errors.ts';
import type { Cluster } from './cluster.ts';
import type { ClusterOptions } from './cluster-session.ts';
import { type Kind, MADE_BY_US, NAMES, type Resource } from './resource.ts';

export interface DeletionOptions extends Pick<ClusterOptions, 'kubeconfig' | 'context' | 'pauses'> {
  /** Only say what would be deleted. */
  dryRun?: boolean;
  /** Answers whether to go on; it was told what will be deleted. */
  confirm: (question: string) => Promise<boolean>;
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
  const wanted = Object.entries({ [NAMES.madeBy]: MADE_BY_US, ...labels });
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
