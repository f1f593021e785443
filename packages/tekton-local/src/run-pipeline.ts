import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeFolder } from '@multi-image/kit/remove-folder';
import { ChainsStandIn, signingKey } from './chains/chains.ts';
import { type Containers, type Network, probeContainers } from './containers/containers.ts';
import { failureText, TektonLocalError } from './errors.ts';
import { containerExecutor } from './executors/container.ts';
import { hostExecutor } from './executors/host.ts';
import type { PipelineRunOutcome, RunEvent, TaskOutcome } from './outcome.ts';
import { eventFromGit } from './pac/git-event.ts';
import { variablesOf } from './pac/variables.ts';
import { withFileObjects } from './plan/file-objects.ts';
import type { GivenTask, ParamValue } from './plan/model.ts';
import { makePlan, type Plan } from './plan/plan.ts';
import { resolveRun } from './plan/resolve.ts';
import { reusedOutcomes, type Selection } from './plan/selection.ts';
import type { VariableLookup } from './plan/yaml-file.ts';
import { writeFileObjects } from './run/cluster-files.ts';
import { elsewhereText, findElsewhere } from './run/own-registry.ts';
import { Run } from './run/run.ts';
import type { StepProgram } from './run/step-program.ts';
import { signsIn, startThrowaway } from './run/throwaway-registry.ts';

/** What a run is made of. */
export interface PlanOptions {
  /** The checkout folder: files are looked up in it, and never outside. */
  root: string;
  /** The PipelineRun's file, relative to `root`. */
  file: string;
  /** Of the PipelineRun, where the file has several: its `metadata.name`. */
  name?: string;
  /** The PipelineRun or TaskRun itself, in place of one in the file. */
  run?: object;
  /** Further files, relative to `root`, whose Pipelines and Tasks are found by name. */
  beside?: readonly string[];
  /** `{{ variables }}` of Pipelines as Code; what is not given comes from the git state of `root`. */
  variables?: Readonly<Record<string, string>>;
  /** What `{{ … }}` stands for, in place of the variables alone: expressions of an event's body and headers as well. */
  lookup?: VariableLookup;
  /**
   * The run's own registry, as `host:port` on this machine's loopback. With it the run has to do with no other, whatever
   * its files say: it is refused where a param names an image elsewhere, a task that gets such a param from a result is
   * not started, containers reach no other host by way of a proxy, and nothing elsewhere is signed.
   */
  registry?: string;
  /**
   * A registry of the run's own in place of those that its files name, and no signature in any but this machine's:
   * for files of others. What `params` say stays as it is, and so does an image by digest or of a step.
   */
  ownRegistry?: boolean;
  /** Instead of the PipelineRun's params. A name that the pipeline does not declare is refused. */
  params?: Readonly<Record<string, ParamValue>>;
  /**
   * Folders of this machine for workspaces of the pipeline, whatever the PipelineRun binds: the steps read and write
   * there, and what they leave stays.
   */
  workspaces?: Readonly<Record<string, string>>;
  /** For tasks that the pipeline takes from bundles, by the task's name there: bundles are not fetched. */
  tasks?: Readonly<Record<string, GivenTask>>;
  /**
   * Files and folders of this machine in place of what would be fetched: by its address (a URL, a git repository, an
   * image, `hub:NAME`), by the start of it, or by its resolver (`git`, `http`, `hub`, `cluster`, `bundles`).
   */
  replacements?: Readonly<Record<string, string>>;
  /** Folders that stand for Secrets and ConfigMaps, by their names: a file for each key. Steps get copies. */
  secrets?: Readonly<Record<string, string>>;
  configMaps?: Readonly<Record<string, string>>;
  /** Folders that stand for PersistentVolumeClaims, by their names: the steps read and write there. */
  claims?: Readonly<Record<string, string>>;
  /** Tasks that are not run, with the results that they are to have; by their names in the pipeline or its bundles. */
  skip?: Readonly<Record<string, Readonly<Record<string, ParamValue>>>>;
}

export interface RunOptions extends PlanOptions {
  /** The network of the steps' containers: this machine's (the default), or none. */
  network?: Network;
  /** Images to use instead of others; they have to be on this machine. */
  images?: Readonly<Record<string, string>>;
  /** Functions in place of step images, by the image's repository. */
  programs?: Readonly<Record<string, StepProgram>>;
  /** Ends the run: the outcome is `Cancelled`, and no container is left. */
  signal?: AbortSignal;
  onEvent?: (event: RunEvent) => void;
  /** Folder for the steps' logs: `<task>/step-<step>.log`. */
  logs?: string;
  /** From `probeContainers`; without it, probed when the first container is needed. */
  containers?: Containers;
  /** Temporary folders are made in here. */
  workDir?: string;
  /** Starts the name of every container. */
  containerPrefix?: string;
  /**
   * Sign like Tekton Chains, each task as it has succeeded and then the run, with this private key (PEM) or one made for
   * this run. `builderId` is for a machine that stands in for a cluster: by default what is signed says that it is none.
   */
  chains?: { privateKey?: string; builderId?: string };
  /**
   * Kept up to date with the PipelineRun and its TaskRuns as a cluster would show them: a `v1` List, in JSON, with
   * `status` as Tekton writes it.
   */
  statusFile?: string;
  /** Run a part of the pipeline, with results of an earlier run. */
  selection?: Selection;
  /** Leave the folder with the tasks' volumes and results where it is; a note says where. */
  keep?: boolean;
  /** How many tasks run at the same time at most. */
  parallel?: number;
}

/**
 * All that can be said of a run before it starts. Whatever cannot run as Tekton would run it is refused with a
 * `TektonLocalError`.
 */
export async function planRun(options: PlanOptions): Promise<Plan> {
  const { root, file, name, run, beside, lookup, replacements, skip, params = {}, tasks = {} } = options;
  const variables = { ...variablesOf(await eventFromGit(root)), ...options.variables };
  const authSecret = variables.git_auth_secret ?? '';
  const given = { tasks, replacements, skip, overrides: params };
  const resolved = resolveRun({ root, file, name, run, beside, variables, lookup, authSecret, ...given });
  const plan = makePlan(resolved, params, options.workspaces, options);
  if (options.registry !== undefined) refuseElsewhere(plan, options.registry, root);
  return plan;
}

/**
 * Runs a PipelineRun on this machine. Whatever cannot run as Tekton would run it is refused with a `TektonLocalError`
 * before anything starts; from then on the outcome says what happened.
 */
export async function runPipeline(options: RunOptions): Promise<PipelineRunOutcome> {
  const { root, signal } = options;
  const planned = await planRun(options);
  const emit = options.onEvent ?? (() => {});
  for (const message of planned.notes) emit({ type: 'note', message });
  if (options.selection !== undefined && options.chains !== undefined) {
    throw new TektonLocalError('USAGE', 'a part of a run is not signed: its provenance would not be whole');
  }
  if (options.skip !== undefined && Object.keys(options.skip).length > 0 && options.chains !== undefined) {
    throw new TektonLocalError('USAGE', 'a run with results that were given is not signed: they are not its own');
  }
  const known = options.selection === undefined ? new Map() : reusedOutcomes(planned, options.selection);
  const key = options.chains && signingKey(options.chains.privateKey);
  const needsContainers = [...planned.implementations.values()].some(({ given }) => given?.executor !== 'host');
  const containers =
    options.containers ?? (needsContainers ? await probeContainers({ signal }) : { runArguments: [], description: '' });
  const unlimited = tasksWithoutLimits(planned, containers);
  if (unlimited.length > 0) {
    emit({ type: 'note', message: `limits of computeResources are not enforced: ${unlimited.join(', ')}` });
  }
  const id = randomUUID();
  if (options.workDir !== undefined) await mkdir(options.workDir, { recursive: true });
  const said = options.params ?? {};
  const throwaway = options.ownRegistry === true ? await startThrowaway(planned, said, root, signal) : undefined;
  if (throwaway !== undefined) emit({ type: 'note', message: throwaway.note });
  const { plan } = throwaway ?? { plan: planned };
  const folder = await mkdtemp(join(options.workDir ?? tmpdir(), 'tekton-local-'));
  writeFileObjects(plan.objects, join(folder, 'objects'));
  const containerPrefix = `${options.containerPrefix ?? 'tekton-local'}-${id.slice(0, 8)}`;
  const { images = {}, programs = {}, network = 'host' } = options;
  const usedImages = new Set<string>();
  const executors = {
    container: containerExecutor({ containers, network, prefix: containerPrefix, folder }),
    host: hostExecutor,
  };
  const signing =
    key === undefined
      ? undefined
      : new ChainsStandIn({
          plan,
          key,
          run: { uid: id, builderId: options.chains?.builderId },
          signsIn: options.ownRegistry === true ? signsIn(said, root) : (host) => (options.registry ?? host) === host,
          signal,
        });
  const taskRunEnded = (ended: TaskOutcome): void => signing?.taskRunEnded(ended);
  const run = new Run(
    plan,
    {
      ...options,
      objects: withFileObjects(options, plan.objects, join(folder, 'objects')),
      images,
      usedImages,
      programs,
      executors,
      taskRunEnded,
    },
    folder,
    id,
    emit,
  );
  try {
    const outcome = await run.execute(known);
    const onHost = [...planned.implementations.values()].some(({ given }) => given?.executor === 'host');
    // Of what runs on this machine, base images may be meant.
    for (const name of onHost ? [] : Object.keys(images).filter((each) => !usedImages.has(each))) {
      emit({ type: 'note', message: `no step that ran has the image ${name}, for which another was given` });
    }
    if (signing === undefined || outcome.status !== 'Succeeded') return outcome;
    try {
      return { ...outcome, chains: await signing.runEnded(outcome) };
    } catch (error) {
      // As in a cluster: the run has succeeded, whatever becomes of its signatures.
      emit({ type: 'note', message: `the run was not signed: ${failureText(error)}` });
      return outcome;
    }
  } finally {
    // Neither may hide the other's failure, nor leave anything behind because of it.
    const ends = await Promise.allSettled([
      executors.container.removeLeft(),
      run.settle(),
      signing?.settle(),
      throwaway?.stop(),
    ]);
    try {
      if (options.keep === true) emit({ type: 'note', message: `kept ${folder}` });
      else await removeFolder(folder);
    } finally {
      run.finishStatus();
    }
    for (const end of ends) if (end.status === 'rejected') emit({ type: 'note', message: String(end.reason) });
  }
}

/** What is known before the run starts: the pipeline's params, and what it says in the params of its tasks. */
function refuseElsewhere({ run, params, pipeline, implementations }: Plan, registry: string, root: string): void {
  const owners = [
    { who: 'the PipelineRun', params },
    ...[...pipeline.tasks, ...pipeline.finally].map((task) => ({
      who: `task ${task.name}`,
      params: {
        ...Object.fromEntries(
          (implementations.get(task.name)?.task.params ?? []).flatMap(({ name, default: value }) =>
            value === undefined ? [] : [[name, value]],
          ),
        ),
        ...Object.fromEntries(task.params.map(({ name, value }) => [name, value])),
      },
    })),
  ];
  for (const { who, params: given } of owners) {
    const elsewhere = findElsewhere(given, registry, root);
    if (elsewhere === undefined) continue;
    throw new TektonLocalError(
      'INVALID',
      `${who} of ${run.name} would not stay here: ${elsewhereText(elsewhere, registry)}`,
      {
        expected: `an image in ${registry}`,
        found: elsewhere.reference,
        hint: 'nothing was started',
      },
    );
  }
}

/** The tasks that may use more than they say, and why. */
function tasksWithoutLimits({ implementations }: Plan, { limits = false }: Containers): string[] {
  return [...implementations].flatMap(([name, { task, given }]) => {
    const onHost = given?.executor === 'host';
    if ((limits && !onHost) || !task.steps.some(({ limits: { memory, cpus } }) => memory ?? cpus)) return [];
    return `${name} (${onHost ? 'its steps are processes of this machine' : 'this machine limits no containers of this user'})`;
  });
}
