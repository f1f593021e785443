import type { Progress } from '@multi-image/kit/progress';
import { E2eError } from '../../../errors.ts';
import type { Cluster } from '../cluster.ts';
import { KINDS, type Resource } from '../resource.ts';
import { RUN_LABELS } from './embed.ts';

/**
 * Makes the PipelineRuns: first asks the server whether it would take each of them (its admission, Tekton's validation),
 * so that either all begin or none. One that this invocation made already, before it was stopped or in a try whose answer
 * was lost, is left as it is. Throws what the server says against one.
 */
export async function makeRuns(
  cluster: Cluster,
  runs: readonly Resource[],
  { dryRun, progress }: { dryRun: boolean; progress: Progress },
): Promise<void> {
  for (const run of runs) await make(cluster, run, { dryRun: true });
  if (dryRun) return;
  await Promise.all(
    runs.map(async (run) => {
      await make(cluster, run, { dryRun: false });
      progress.line(`create PipelineRun ${run.metadata.name}`);
    }),
  );
}

async function make(cluster: Cluster, run: Resource, options: { dryRun: boolean }): Promise<void> {
  try {
    await cluster.create(run, options);
  } catch (error) {
    if (!(error instanceof E2eError) || error.code !== 'CLUSTER_CONFLICT') throw error;
    const { name, namespace = '', labels } = run.metadata;
    const there = await cluster.read(KINDS.pipelineRun, name, namespace);
    const { invocation } = RUN_LABELS;
    if (there?.metadata.labels?.[invocation] !== labels?.[invocation]) throw error;
  }
}
