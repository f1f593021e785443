import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress } from '@multi-image/kit/progress';
import { type ChainPlan, externalParam, keyParams, type LoadedConfig } from '@multi-image/manifests';
import {
  type Containers,
  LOCAL_BUILDER,
  type LocalRegistry,
  type PipelineRunOutcome,
  type RunEvent,
  runPipeline,
} from '@multi-image/tekton-local';
import { loadAll } from 'js-yaml';
import { withFullRegistry } from '../../full-disk.ts';
import type { RunFacts } from '../../judge/observation.ts';
import type { Isolation } from '../../options.ts';
import type { BaseImage } from './base-image.ts';
import type { LocalExternal } from './external-images.ts';
import type { Janitor } from './janitor.ts';
import type { Source } from './source.ts';
import { type BuildahStorage, localTasks } from './tasks.ts';

export interface PipelinesOptions {
  config: LoadedConfig;
  source: Source;
  registry: LocalRegistry;
  /** What the chain takes from elsewhere, as it is in the local registry. */
  external: readonly Pick<LocalExternal, 'role' | 'image'>[];
  base: BaseImage;
  containers: Containers;
  isolation: Isolation;
  storage: Promise<BuildahStorage>;
  /** PEM: what the stand-in for Tekton Chains signs with, and what scanners and others check that with. */
  privateKey: string;
  publicKey: string;
  /** An empty folder for the runs' own files. */
  work: string;
  janitor: Janitor;
  progress: Progress;
  signal: AbortSignal;
}

export interface PipelineRuns {
  chain: ChainPlan;
  build: RunFacts;
  /** The runs that hand an image to Konflux, with that image's role. */
  scanners: readonly { role: string; run: RunFacts }[];
}

/**
 * Runs the PipelineRuns that a push starts, the build's and the scanners', at the same time, as Konflux does. The files
 * are executed as they are in the commit; only where images go (parameters of the PipelineRuns) is set to the local
 * registry. Where the build fails, the scanners are stopped: what they wait for will not come.
 */
export async function runPipelines(options: PipelinesOptions): Promise<PipelineRuns> {
  const { source, registry, base, containers, isolation, work, janitor, progress, signal } = options;
  const { chain, folder } = options.config;
  const localRepository = (repository: string): string => repositoryIn(registry, repository);
  const catalog = await localTasks({
    fetchFrom: source.repository,
    images: base.substitutes,
    registry: registry.address,
    params: chain.tasks,
    isolation,
    scanners: { signatures: process.env.CLAMAV_DATABASE },
    storage: options.storage,
    signal,
  });
  const { waitFor = 'signed' } = chain.buildSystem ?? {};
  const buildSystem = { publicKey: options.publicKey, builderId: LOCAL_BUILDER, waitFor };
  const known = keyParams(buildSystem, 'push', chain.gitUrl);
  const run = async (component: string, stop: AbortSignal, more: Record<string, string | string[]> = {}) => {
    const file = `${folder}.tekton/${component}-push.yaml`;
    const containerPrefix = `multi-image-${janitor.marker}-${component}`;
    janitor.remember({ kind: 'containers', prefix: containerPrefix });
    const outcome = await runPipeline({
      root: source.checkout,
      registry: registry.address,
      file,
      variables: {
        revision: source.revision,
        source_url: chain.gitUrl,
        repo_url: chain.gitUrl,
        target_branch: chain.branch,
        source_branch: source.branch,
      },
      params: { ...(await localParams(join(source.checkout, file), chain, source.revision, localRepository)), ...more },
      images: base.substitutes,
      ...catalog,
      containers,
      containerPrefix,
      workDir: work,
      chains: { privateKey: options.privateKey },
      signal: stop,
      onEvent: (event) => show(component, event, progress),
    });
    const facts = factsOf(outcome);
    return { ...facts, tasks: withFullRegistry(facts.tasks, registry.log()) };
  };

  const stop = new AbortController();
  const external = chain.external.flatMap((image) => {
    const there = options.external.find(({ role }) => role === image.role);
    return there === undefined ? [] : [[externalParam(image), there.image]];
  });
  const build = run(chain.primary.component ?? chain.primary.name, signal, Object.fromEntries(external));
  build.then(
    ({ status }) => status === 'Succeeded' || stop.abort(new Error('the build failed, so its image will not come')),
    (error) => stop.abort(error),
  );
  const scanners = chain.images.flatMap(({ role, component }) =>
    role === chain.primary.role || component === undefined
      ? []
      : [run(component, AbortSignal.any([signal, stop.signal]), known).then((facts) => ({ role, run: facts }))],
  );
  const [built, ...scanned] = await Promise.all([build, ...scanners]);
  return { chain, build: built, scanners: scanned };
}

/** Where a repository of the chain is in the local registry. */
export function repositoryIn({ address }: LocalRegistry, repository: string): string {
  return `${address}/${repository.slice(repository.indexOf('/') + 1)}`;
}

interface Param {
  name: string;
  value: unknown;
}

/** The parameters of a PipelineRun that name a repository of the chain, with the local registry instead. */
async function localParams(
  file: string,
  chain: ChainPlan,
  revision: string,
  localRepository: (repository: string) => string,
): Promise<Record<string, string>> {
  // Of a file with nothing in it none: that is said where it is run.
  const [document] = loadAll(await readFile(file, 'utf8')) as ({ spec?: { params?: Param[] } } | null)[];
  const params = document?.spec?.params ?? [];
  const repositories = chain.images.map((image) => image.repository);
  return Object.fromEntries(
    params.flatMap(({ name, value }): [string, string][] => {
      const repository = repositories.find((entry) => value === entry || String(value).startsWith(`${entry}:`));
      if (repository === undefined) return [];
      const rest = String(value)
        .slice(repository.length)
        .replaceAll(/\{\{\s*revision\s*\}\}/g, revision);
      return [[name, localRepository(repository) + rest]];
    }),
  );
}

/** Only what the criteria are judged by: a task's other parameters and its log stay here. */
function factsOf({ name, status, message, results, startedAt, finishedAt, tasks }: PipelineRunOutcome): RunFacts {
  const facts = tasks.map(({ params, steps, ...task }) => ({
    name: task.name,
    status: task.status,
    message: task.message,
    results: task.results,
    buildArgs: Array.isArray(params?.BUILD_ARGS) ? params.BUILD_ARGS.map(String) : undefined,
    startedAt: task.startedAt,
    finishedAt: task.finishedAt,
    logTail: task.status === 'Failed' ? steps.at(-1)?.logTail.slice(-12) : undefined,
  }));
  return { name, status, message, results, startedAt, finishedAt, tasks: facts };
}

function show(component: string, event: RunEvent, progress: Progress): void {
  if (event.type === 'task-started') progress.started(`${component} · ${event.task}`);
  if (event.type === 'task-finished') {
    const status = ({ Succeeded: 'passed', Skipped: 'skipped' } as const)[event.status as string] ?? 'failed';
    progress.ended(`${component} · ${event.task}`, status, status === 'passed' ? '' : (event.message ?? event.status));
  }
}
