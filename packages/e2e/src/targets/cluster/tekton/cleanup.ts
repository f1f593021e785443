import { Cluster } from '../api/cluster.ts';
import { type DeletionOptions, findMade, isDeletionWanted, settleDeleted } from '../api/deletion.ts';
import { KINDS } from '../api/resource.ts';
import { RUN_LABELS } from './pipeline-runs.ts';

export interface TektonCleanupOptions extends DeletionOptions {
  application: string;
  /** Of the context where it is undefined. */
  namespace: string | undefined;
}

/**
 * Deletes the PipelineRuns that this command made for an application, by their labels; their TaskRuns and pods go with
 * them. Waits until they are gone. Images stay in the registry. Throws `NOT_CONFIRMED`.
 */
export async function cleanUpRuns(options: TektonCleanupOptions): Promise<void> {
  const { application, progress } = options;
  const cluster = new Cluster(options);
  const namespace = options.namespace ?? cluster.namespace ?? 'default';
  const made = await findMade(cluster, KINDS.pipelineRun, namespace, { [RUN_LABELS.application]: application });
  progress.line(`namespace ${namespace} on ${cluster.server}:`);
  const steps = made.map(({ kind, metadata }) => `delete ${kind} ${metadata.name}, with its pods`);
  if (!(await isDeletionWanted(steps, options))) return;
  for (const run of made) await cluster.delete(run);
  // Chains keeps a run until it has signed what the run made.
  const end = await settleDeleted(cluster, made, 'its holder', options);
  progress.line(`${end}; images and source artifacts stay in the registry`);
}
