import type { Pins, RenderedFile } from '@multi-image/manifests';
import { parseAllDocuments } from 'yaml';
import { readStandIn } from '../../stand-ins.ts';
import { KINDS, list, type Resource, text } from '../resource.ts';

export interface EmbedOptions {
  /** As rendered from the config. */
  files: readonly RenderedFile[];
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
 * What a PipelineRun file asks for, as one object that needs nothing else: variables expanded, the Pipeline and its Tasks
 * inside, as Pipelines as Code does it. Tasks of the catalog stay references to their bundles, or become stand-ins.
 *
 * @param path Of the PipelineRun's file. Throws a `RangeError` for what render never writes: a file, Pipeline or Task that
 *   is not there.
 */
export async function embed(path: string, options: EmbedOptions): Promise<Resource> {
  const run = expand(documentsOf(options.files, path)[0], options.variables) as Resource & { spec: Json };
  const all = options.files.flatMap((file) => (file.path.includes('pipeline/') ? documentsOf([file], file.path) : []));
  const named = (kind: string, name: string | undefined): Json => {
    const found = all.find((entry) => entry.kind === kind && text(entry, 'metadata', 'name') === name);
    if (found === undefined) throw new RangeError(`${path}: no ${kind} ${name} was rendered`);
    return found;
  };
  const { pipelineRef, ...spec } = run.spec;
  const pipeline = named('Pipeline', text(pipelineRef, 'name')).spec as Json;
  const tasks = await Promise.all(list(pipeline, 'tasks').map((task) => embedTask(task as Json, named, options)));
  return { ...run, spec: { ...spec, pipelineSpec: { ...pipeline, tasks } } };
}

async function embedTask(
  { taskRef, ...task }: Json,
  named: (kind: string, name: string | undefined) => Json,
  options: EmbedOptions,
): Promise<Json> {
  if (taskRef === undefined) return { ...task, taskSpec: reach(task.taskSpec as Json, options) };
  const name = text(taskRef, 'name');
  if (name !== undefined) return { ...task, taskSpec: reach(named('Task', name).spec as Json, options) };
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

function documentsOf(files: readonly RenderedFile[], path: string): Json[] {
  const file = files.find((entry) => entry.path === path);
  if (file === undefined) throw new RangeError(`${path} was not rendered`);
  return parseAllDocuments(file.text).flatMap((document) => {
    const value = document.toJS() as Json | null;
    return value === null ? [] : [value];
  });
}

/** `{{ name }}` in every text, as Pipelines as Code expands it; a name that it does not know stays as it is. */
function expand(value: unknown, variables: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(/\{\{\s*([a-z_]+)\s*\}\}/g, (whole, name: string) =>
      Object.hasOwn(variables, name) ? (variables[name] ?? '') : whole,
    );
  }
  if (Array.isArray(value)) return value.map((entry) => expand(entry, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, expand(entry, variables)]));
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
  const workspaces = gitSecret === undefined ? [] : [{ name: 'git-auth', secret: { secretName: gitSecret } }];
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
      ...(workspaces.length === 0 ? {} : { workspaces }),
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
