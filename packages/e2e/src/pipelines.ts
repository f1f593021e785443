import { join } from 'node:path';
import { type Chain, type Image, loadConfig } from '@multi-image/manifests';
import { type Containers, type PipelineRunOutcome, type RunEvent, runPipeline } from '@multi-image/tekton-local';
import type { BaseImage } from './base-image.ts';
import type { RunFacts } from './criteria/observation.ts';
import type { Janitor } from './janitor.ts';
import type { LocalRegistry } from './local-registry.ts';
import type { Progress } from './report/progress.ts';
import type { Source } from './source.ts';

export interface PipelinesOptions {
  source: Source;
  registry: LocalRegistry;
  base: BaseImage;
  containers: Containers;
  /** An empty folder for the runs' own files. */
  work: string;
  janitor: Janitor;
  progress: Progress;
  signal: AbortSignal;
}

export interface PipelineRuns {
  chain: Chain;
  /** The image that the scanner hands to Konflux. */
  metadata: Image;
  build: RunFacts;
  scanner: RunFacts;
  /** Where an image of the chain is in the local registry: its repository, without tag. */
  localRepository(repository: string): string;
}

/**
 * Runs the build's and the scanner's PipelineRuns of a push at the same time, as Konflux does. The files are executed as
 * they are in the commit; only where images go (parameters of the PipelineRuns) is set to the local registry. Where the
 * build fails, the scanner is stopped: what it waits for will not come.
 */
export async function runPipelines(options: PipelinesOptions): Promise<PipelineRuns> {
  const { source, registry, base, containers, work, janitor, progress, signal } = options;
  const { chain } = await loadConfig(join(source.root, 'konflux.config.ts'));
  const localRepository = (repository: string): string =>
    `${registry.address}/${repository.slice(repository.indexOf('/') + 1)}`;
  const tagged = (repository: string): string => `${localRepository(repository)}:${source.revision}`;

  const metadata = chain.images.find((image) => image !== chain.primary && image.component !== undefined);
  if (metadata?.component === undefined || chain.primary.component === undefined) {
    throw new RangeError('the chain has no image for a scanner');
  }
  const run = (component: string, params: Record<string, string>, stop: AbortSignal): Promise<PipelineRunOutcome> => {
    const containerPrefix = `multi-image-${janitor.marker}-${component}`;
    janitor.remember({ kind: 'containers', prefix: containerPrefix });
    return runPipeline({
      root: source.checkout,
      file: `.tekton/${component}-push.yaml`,
      variables: {
        revision: source.revision,
        source_url: chain.gitUrl,
        repo_url: chain.gitUrl,
        target_branch: chain.branch,
        source_branch: source.branch,
      },
      params,
      images: base.substitutes,
      sourceUrl: source.repository,
      containers,
      containerPrefix,
      workDir: work,
      signal: stop,
      onEvent: (event) => show(component, event, progress),
    });
  };

  const scannerStop = new AbortController();
  const build = run(
    chain.primary.component,
    {
      'output-image': tagged(chain.primary.repository),
      'primary-repository': localRepository(chain.primary.repository),
      'metadata-image': tagged(metadata.repository),
    },
    signal,
  );
  const scanner = run(
    metadata.component,
    { 'output-image': tagged(metadata.repository), 'primary-image': tagged(chain.primary.repository) },
    AbortSignal.any([signal, scannerStop.signal]),
  );
  build.then(
    ({ status }) =>
      status === 'Succeeded' || scannerStop.abort(new Error('the build failed, so its image will not come')),
    (error) => scannerStop.abort(error),
  );
  const [built, scanned] = await Promise.all([build, scanner]);
  return { chain, metadata, build: factsOf(built), scanner: factsOf(scanned), localRepository };
}

function factsOf(outcome: PipelineRunOutcome): RunFacts {
  return {
    ...outcome,
    tasks: outcome.tasks.map((task) => ({
      ...task,
      logTail: task.status === 'Failed' ? task.steps.at(-1)?.logTail.slice(-12) : undefined,
    })),
  };
}

function show(component: string, event: RunEvent, progress: Progress): void {
  if (event.type === 'task-started') progress.started(`${component} · ${event.task}`);
  if (event.type === 'task-finished') {
    const status = ({ Succeeded: 'passed', Skipped: 'skipped' } as const)[event.status as string] ?? 'failed';
    progress.ended(`${component} · ${event.task}`, status, status === 'passed' ? '' : (event.message ?? event.status));
  }
}
