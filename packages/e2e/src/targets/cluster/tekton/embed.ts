import type { Pins, RenderedFile } from '@multi-image/manifests';
import { resolvePipelineRun } from '@multi-image/tekton-local';
import { readStandIn } from '../../stand-ins.ts';
import { KINDS, list, type Resource, text } from '../resource.ts';

export interface EmbedOptions {
  /** As rendered from the config. */
  files: readonly RenderedFile[];
  /** Of the config, in the repository: what the paths of the files begin with there, with a slash at its end. */
  folder: string;
  pins: Pins;
  /** Of Pipelines as Code: `{{ revision }}` and the like. */
  variables: Readonly<Record<string, string>>;
  /** Run stand-ins in place of the catalog's tasks. */
  standIns: boolean;
  /** Reach registries without TLS. */
  plainHttp: boolean;
  /** Where the repository has digest-chain's command. */
  digestChain: string;
}

type Json = Record<string, unknown>;

/**
 * What a PipelineRun file asks for, as one object that needs nothing else, as Pipelines as Code makes it. Tasks of the
 * catalog stay references to their bundles, or become stand-ins.
 *
 * @param path Of the PipelineRun's file.
 * @throws TektonLocalError for what render never writes: a file, Pipeline or Task that is not there.
 */
export async function embed(path: string, options: EmbedOptions): Promise<Resource> {
  const { files, folder, variables } = options;
  const texts = new Map(files.map((file) => [folder + file.path, file.text]));
  // The name of a secret that `identify` takes out again, or puts another in the place of.
  const all = { git_auth_secret: 'none', ...variables };
  const run = resolvePipelineRun(texts, folder + path, all) as unknown as Resource & { spec: { pipelineSpec: Json } };
  const { pipelineSpec, ...spec } = run.spec;
  const tasks = await Promise.all(list(pipelineSpec, 'tasks').map((task) => supply(task as Json, options)));
  return { ...run, spec: { ...spec, pipelineSpec: { ...pipelineSpec, tasks } } };
}

/** Puts a stand-in in the place of a bundle, and tells the steps how registries are reached. */
async function supply({ taskRef, ...task }: Json, options: EmbedOptions): Promise<Json> {
  if (taskRef === undefined) return { ...task, taskSpec: reach(task.taskSpec as Json, options) };
  if (!options.standIns) return { ...task, taskRef };
  const bundled = list(taskRef, 'params').find((param) => text(param, 'name') === 'name');
  return { ...task, taskSpec: reach(await readStandIn(text(bundled, 'value') ?? '', options.pins), options) };
}

/** Tells every step how registries are reached. */
function reach(spec: Json, { plainHttp, digestChain }: EmbedOptions): Json {
  if (!plainHttp) return spec;
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
      return { ...(step as Json), args: [verb, '--plain-http', ...args] };
    }),
  };
}

/** Who made a run, and for what: the labels that this command finds its runs by. */
export const RUN_LABELS = {
  application: 'app.kubernetes.io/part-of',
  component: 'app.kubernetes.io/component',
  /** One word for all PipelineRuns of one invocation. */
  invocation: 'multi-image.dev/invocation',
} as const;

export interface RunIdentity {
  namespace: string;
  application: string;
  component: string;
  invocation: string;
  revision: string;
  serviceAccount: string;
  /** A Secret with credentials for git, in the form of Tekton's git-clone; none for a public repository. */
  gitSecret?: string | undefined;
}

/** The run under a name and labels of this command, as the account that may push here. */
export function identify(run: Resource, identity: RunIdentity, madeBy: Readonly<Record<string, string>>): Resource {
  const { component, namespace, application, invocation, revision, serviceAccount, gitSecret } = identity;
  const { workspaces: _, ...spec } = run.spec as Json;
  return {
    ...KINDS.pipelineRun,
    metadata: {
      // Chosen here, so that a request that is sent again makes no second run.
      name: `${component}-on-push-${invocation}`,
      namespace,
      labels: {
        ...madeBy,
        [RUN_LABELS.application]: application,
        [RUN_LABELS.component]: component,
        [RUN_LABELS.invocation]: invocation,
      },
      annotations: { 'build.appstudio.redhat.com/commit_sha': revision },
    },
    spec: {
      ...spec,
      taskRunTemplate: { serviceAccountName: serviceAccount },
      ...(gitSecret === undefined ? {} : { workspaces: [{ name: 'git-auth', secret: { secretName: gitSecret } }] }),
    },
  };
}

/** Catalog tasks that the runs take from bundles, each once. Throws nothing. */
export function bundlesOf(runs: readonly Resource[]): readonly string[] {
  const bundles = runs.flatMap((run) =>
    list(run, 'spec', 'pipelineSpec', 'tasks').flatMap((task) =>
      list(task, 'taskRef', 'params').flatMap((param) =>
        text(param, 'name') === 'bundle' ? (text(param, 'value') ?? []) : [],
      ),
    ),
  );
  return [...new Set(bundles)];
}
