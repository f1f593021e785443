import { KONFLUX } from '@multi-image/kit/konflux';
import type { Progress } from '@multi-image/kit/progress';
import { type ChainPlan, type LoadedConfig, type Pins, render } from '@multi-image/manifests';
import { resolvePipelineRun } from '@multi-image/tekton-local';
import { E2eError } from '../../../errors.ts';
import { readStandIn } from '../../stand-ins.ts';
import type { Cluster } from '../api/cluster.ts';
import { KINDS, list, MADE_BY, MADE_BY_US, type Resource, text } from '../api/resource.ts';
import { componentsOf, type RunLabels } from '../runs.ts';

/** Who made a run, and for what: the labels that this command finds its runs by. */
export const RUN_LABELS = {
  application: 'app.kubernetes.io/part-of',
  component: 'app.kubernetes.io/component',
  /** One word for all PipelineRuns of one invocation. */
  invocation: 'multi-image.dev/invocation',
} as const;

/** How the runs of one invocation are found. */
export function labelsOf(invocation: string): RunLabels {
  const selector = `${RUN_LABELS.invocation}=${invocation}`;
  return { runs: selector, tasks: selector, component: RUN_LABELS.component };
}

export interface AssembleOptions {
  revision: string;
  /** The word in the names of the runs. */
  invocation: string;
  /** The account that may push here. */
  serviceAccount: string;
  /** A Secret with credentials for git, in the form of Tekton's git-clone; none for a public repository. */
  gitSecret?: string | undefined;
  /** Run stand-ins in place of the catalog's tasks. */
  standIns: boolean;
  /** Reach registries without TLS. */
  plainHttp: boolean;
}

type Json = Record<string, unknown>;

/**
 * The PipelineRun of each component, as a push would start it: one object that needs nothing else, as Pipelines as Code
 * makes it, under a name and labels of this command. Tasks of the catalog stay references to their bundles, or become
 * stand-ins.
 *
 * @throws TektonLocalError for what render never writes: a file, Pipeline or Task that is not there.
 */
export function assemble(
  chain: ChainPlan,
  { pins, folder }: LoadedConfig,
  options: AssembleOptions,
): Promise<readonly Resource[]> {
  const { revision, invocation, serviceAccount, gitSecret } = options;
  const { application, namespace, gitUrl, branch } = chain;
  const texts = new Map(render(chain, pins, folder).map((file) => [folder + file.path, file.text]));
  const variables = {
    revision,
    source_url: gitUrl,
    repo_url: gitUrl,
    target_branch: branch,
    source_branch: branch,
    // The name of a secret that is taken out below, or another put in its place.
    git_auth_secret: 'none',
  };
  return Promise.all(
    componentsOf(chain).map(async ({ component }): Promise<Resource> => {
      const run = resolvePipelineRun(texts, `${folder}.tekton/${component}-push.yaml`, variables);
      const { pipelineSpec, workspaces: _, ...spec } = run.spec as unknown as Json & { pipelineSpec: Json };
      const supplied = list(pipelineSpec, 'tasks').map((task) => supply(task as Json, chain, pins, options));
      return {
        ...KINDS.pipelineRun,
        metadata: {
          // Chosen here, so that a request that is sent again makes no second run.
          name: `${component}-on-push-${invocation}`,
          namespace,
          labels: {
            [MADE_BY]: MADE_BY_US,
            [RUN_LABELS.application]: application,
            [RUN_LABELS.component]: component,
            [RUN_LABELS.invocation]: invocation,
          },
          annotations: { [KONFLUX.commit]: revision },
        },
        spec: {
          ...spec,
          pipelineSpec: { ...pipelineSpec, tasks: await Promise.all(supplied) },
          taskRunTemplate: { serviceAccountName: serviceAccount },
          ...(gitSecret === undefined ? {} : { workspaces: [{ name: 'git-auth', secret: { secretName: gitSecret } }] }),
        },
      };
    }),
  );
}

/** Puts a stand-in in the place of a bundle, and tells the steps how registries are reached. */
async function supply(
  { taskRef, ...task }: Json,
  { digestChain, registry }: ChainPlan,
  pins: Pins,
  { standIns, plainHttp }: AssembleOptions,
): Promise<Json> {
  if (taskRef !== undefined && !standIns) return { ...task, taskRef };
  const bundled = list(taskRef, 'params').find((param) => text(param, 'name') === 'name');
  const given =
    taskRef === undefined ? (task.taskSpec as Json) : readStandIn(text(bundled, 'value') ?? '', pins, 'cluster');
  const spec = standIns ? withoutAsking(given, pins) : given;
  return { ...task, taskSpec: plainHttp ? withoutTls(spec, digestChain, registry) : spec };
}

/** The entrypoint of the image that carries sources, which it has had under this name for as long as there is one. */
const CARRIER_ENTRYPOINT = '/usr/local/bin/entrypoint';

/**
 * Lets nobody ask a registry for what the nodes have, from a mirror or by hand: Tekton's controller asks for the entrypoint of
 * an image whose step has no command, and a kubelet each time for an image that is called latest, whatever its digest.
 */
function withoutAsking(spec: Json, { images }: Pins): Json {
  return {
    ...spec,
    steps: list(spec, 'steps').map((step) => {
      const { image, command, script } = step as Json;
      if (image !== images['trusted-artifacts']) return step;
      const isBare = command === undefined && script === undefined;
      return {
        ...(step as Json),
        ...(isBare ? { command: [CARRIER_ENTRYPOINT] } : {}),
        imagePullPolicy: 'IfNotPresent',
      };
    }),
  };
}

/**
 * Tells every step that the registry is reached without TLS.
 *
 * @param digestChain Where the repository has digest-chain's command, which takes it as an option of this registry alone:
 *   images that were built elsewhere are in others.
 */
function withoutTls(spec: Json, digestChain: string, registry: string): Json {
  const env = [
    { name: 'PLAIN_HTTP', value: 'true' },
    // Read by the step image that carries sources through the registry.
    { name: 'ORAS_OPTIONS', value: '--plain-http' },
  ];
  const template = (spec.stepTemplate ?? {}) as Json;
  return {
    ...spec,
    stepTemplate: { ...template, env: [...list(template, 'env'), ...env] },
    steps: list(spec, 'steps').map((step) => {
      const isOurs = list(step, 'command').some((part) => typeof part === 'string' && part.endsWith(`/${digestChain}`));
      if (!isOurs) return step;
      const [verb, ...args] = list(step, 'args');
      return { ...(step as Json), args: [verb, `--plain-http-at=${registry.split('/')[0]}`, ...args] };
    }),
  };
}

/** Catalog tasks that the runs take from bundles, each once. */
export function bundlesOf(runs: readonly Resource[]): readonly string[] {
  const params = runs
    .flatMap((run) => list(run, 'spec', 'pipelineSpec', 'tasks'))
    .flatMap((task) => list(task, 'taskRef', 'params'));
  const bundles = params.filter((param) => text(param, 'name') === 'bundle');
  return [...new Set(bundles.flatMap((param) => text(param, 'value') ?? []))];
}

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
