import type { Progress } from '@multi-image/kit/progress';
import { loadConfig } from '@multi-image/manifests';
import { requireYes } from '../ask.ts';
import { Cluster } from '../cluster.ts';
import type { ClusterOptions } from '../cluster-session.ts';
import { settleFindings } from '../finding.ts';
import { KINDS, list } from '../resource.ts';
import { findMissingRights, type Need } from '../rights.ts';
import { desiredObjects } from './desired.ts';
import { secretsOf } from './linked-secrets.ts';
import { awaitGone, deleteMade, findMade, printGoing } from './made.ts';

export interface CleanupOptions extends Pick<ClusterOptions, 'kubeconfig' | 'context' | 'pauses'> {
  config: string;
  /** Only say what would be deleted. */
  dryRun?: boolean;
  /** Milliseconds to wait until what was deleted is gone; 3 minutes by default. */
  patience?: number;
  /** Answers whether to go on; it was told what will be deleted. */
  confirm: (question: string) => Promise<boolean>;
  progress: Progress;
  signal: AbortSignal;
}

/**
 * Takes back what tenant runs made in the namespace: deletes the objects that carry this command's label, and unlinks the
 * secrets that it linked to service accounts of others. Everything else stays. Throws `NOT_CONFIRMED`, or `PREFLIGHT_FAILED`
 * before anything is deleted where not all of it may be.
 */
export async function cleanUp(options: CleanupOptions): Promise<void> {
  const { progress, signal } = options;
  const config = await loadConfig(options.config);
  const { namespace } = config.chain;
  const cluster = new Cluster({ ...options, signal });
  const made = await findMade(cluster, namespace);
  const accounts = desiredObjects(config).filter(
    ({ kind, metadata }) =>
      kind === 'ServiceAccount' &&
      !made.some((object) => object.kind === kind && object.metadata.name === metadata.name),
  );
  const linked = await Promise.all(
    accounts.map(async (account) => {
      const found = await cluster.read(KINDS.serviceAccount, account.metadata.name, namespace);
      if (found === undefined || !isOurs(found)) return [];
      return secretsOf(account).some((name) => secretsOf(found).includes(name)) ? [account] : [];
    }),
  );
  const unlink = linked.flat();
  progress.line(`namespace ${namespace} on ${cluster.server}:`);
  for (const { kind, metadata } of made)
    progress.line(`  delete ${kind} ${metadata.name}${kind === 'ImageRepository' ? ', with all images in it' : ''}`);
  for (const account of unlink)
    progress.line(`  unlink ${secretsOf(account).join(', ')} from ServiceAccount ${account.metadata.name}`);
  if (made.length + unlink.length === 0) {
    progress.line('  nothing that this command made');
    return;
  }
  if (options.dryRun) {
    progress.line('nothing was deleted: this is a dry run');
    return;
  }
  // Half a clean-up is worse than none.
  const needs = [
    ...made.map((object): Need => [object, ['get', 'delete']]),
    ...unlink.map((account): Need => [account, ['patch']]),
  ];
  const rights = await findMissingRights(cluster, namespace, needs);
  settleFindings(
    rights.filter(({ level }) => level === 'problem'),
    progress,
  );
  await requireYes(options.confirm);
  // Applied without the list, the entries that were applied before go, and those of others stay.
  for (const { secrets: _, ...account } of unlink) await cluster.apply(account as (typeof unlink)[number]);
  await deleteMade(cluster, made);
  const left = await awaitGone(cluster, made, { timeout: options.patience ?? 180_000, signal });
  for (const object of left) progress.line(`still going: ${printGoing(object)}`);
  progress.line(left.length === 0 ? 'done' : 'all is deleted; what is still going goes when Konflux lets go of it');
}

/** Whether this command applied something to the object: its name is among the field managers. */
function isOurs(object: Parameters<typeof secretsOf>[0]): boolean {
  const managers = list(object, 'metadata', 'managedFields');
  // Not every server tells; applying nothing takes nothing from others either way.
  return (
    managers.length === 0 || managers.some((entry) => (entry as { manager?: string }).manager === 'multi-image-e2e')
  );
}
