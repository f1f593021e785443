import { Cluster } from '../cluster.ts';
import { type DeletionOptions, isDeletionWanted } from '../deletion.ts';
import { KINDS, MADE_BY_US, NAMES } from '../resource.ts';
import { RUN_LABELS } from './pipeline-runs.ts';

export interface TektonCleanupOptions extends DeletionOptions {
  application: string;
  /** Of the context where it is undefined. */
  namespace: string | undefined;
}

/**
 * Deletes the PipelineRuns that this command made for an application, by their labels; their TaskRuns and pods go with
 * them. Images stay in the registry. Throws `NOT_CONFIRMED`.
 */
export async function cleanUpRuns(options: TektonCleanupOptions): Promise<void> {
  const { application, progress } = options;
  const cluster = new Cluster(options);
  const namespace = options.namespace ?? cluster.namespace ?? 'default';
  const wanted = { [NAMES.madeBy]: MADE_BY_US, [RUN_LABELS.application]: application };
  const selector = Object.entries(wanted)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  const { items } = await cluster.list(KINDS.pipelineRun, namespace, selector);
  // The selector is the server's; the labels decide here again, before anything is deleted.
  const made = items.filter(({ metadata }) =>
    Object.entries(wanted).every(([name, value]) => metadata.labels?.[name] === value),
  );
  progress.line(`namespace ${namespace} on ${cluster.server}:`);
  const steps = made.map(({ kind, metadata }) => `delete ${kind} ${metadata.name}, with its pods`);
  if (!(await isDeletionWanted(steps, options))) return;
  for (const run of made) await cluster.delete(run);
  progress.line('done; images and source artifacts stay in the registry');
}
