import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeFolder } from '@multi-image/kit/remove-folder';
import { ChainsStandIn, signingKey } from './chains/chains.ts';
import { runCommand } from './command.ts';
import { type Containers, type Network, probeContainers, requireUsers } from './containers/containers.ts';
import { failureText, TektonLocalError, throwProblems } from './errors.ts';
import { containerExecutor } from './executors/container.ts';
import { hostExecutor } from './executors/host.ts';
import type { PipelineRunOutcome, RunEvent } from './outcome.ts';
import { withFileObjects } from './plan/file-objects.ts';
import type { Step } from './plan/model.ts';
import type { Plan } from './plan/plan.ts';
import { reusedOutcomes, type Selection } from './plan/selection.ts';
import { podOf } from './plan/task-runs.ts';
import { type PlanOptions, planRun } from './plan-run.ts';
import { writeFileObjects } from './run/cluster-files.ts';
import { type OwnFile, refuseAmongSteps } from './run/own-files.ts';
import { Run, type RunnerOptions, runName } from './run/run.ts';
import type { StepProgram } from './run/step-program.ts';
import { signsIn, startThrowaway } from './run/throwaway-registry.ts';

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
  /** How many TaskRuns run at the same time at most; 32 unless given. */
  parallel?: number;
}

/**
 * Runs a PipelineRun on this machine. Whatever cannot run as Tekton would run it is refused with a `TektonLocalError`
 * before anything starts; from then on the outcome says what happened.
 */
export async function runPipeline(options: RunOptions): Promise<PipelineRunOutcome> {
  const { root, signal } = options;
  refuseAmongSteps(ownFiles(options), [options.workspaces, options.claims]);
  const planned = await planRun(options);
  if (options.network === 'none') refuseProbes(planned);
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
  const otherUsers = tasksOfOtherUsers(planned);
  if (otherUsers.length > 0) {
    await requireUsers(containers, `steps run as another user than root (runAsUser): ${otherUsers.join(', ')}`);
  }
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
          run: { uid: id, name: runName(plan, id), builderId: options.chains?.builderId },
          digestOf: async (image) =>
            (await runCommand('podman', ['image', 'inspect', '--format={{.Digest}}', '--', image])).trim(),
          signsIn: options.ownRegistry === true ? signsIn(said, root) : (host) => (options.registry ?? host) === host,
          signal,
        });
  const taskRunEnded: RunnerOptions['taskRunEnded'] = (ended, shown) => signing?.taskRunEnded(ended, shown);
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

/** What is written or read of the caller's while steps run, and what a later run would read. */
function ownFiles({ logs, statusFile, selection, secrets, configMaps }: RunOptions): OwnFile[] {
  const given = (option: string, folders: RunOptions['secrets']): OwnFile[] =>
    Object.entries(folders ?? {}).map(([name, path]) => ({ option: `${option} ${name}`, path }));
  return [
    { option: '--logs', path: logs },
    { option: '--status', path: statusFile },
    { option: '--status', path: selection?.last },
    ...given('--secret', secrets),
    ...given('--configmap', configMaps),
  ];
}

/** This machine would ask in place of the containers, and so send what they may not. */
function refuseProbes({ implementations, problems }: Plan): void {
  for (const { task } of implementations.values()) {
    for (const { ready, field } of task.sidecars) {
      if (ready === undefined || ready.check.kind === 'command') continue;
      field.get('readinessProbe').unsupported('asks over the network, which --network none takes from the run');
    }
  }
  throwProblems(problems);
}

/** The tasks whose steps say that they run as another user than root. */
function tasksOfOtherUsers({ implementations, run }: Plan): string[] {
  return [...implementations].flatMap(([name, { task, given }]) => {
    if (given?.executor === 'host') return [];
    const pod = podOf(run, name);
    const isOther = ({ runAsUser = pod.runAsUser, runAsGroup = pod.runAsGroup }: Step['security']): boolean =>
      (runAsUser ?? 0) !== 0 || (runAsGroup ?? 0) !== 0;
    return [...task.steps, ...task.sidecars].some(({ security }) => isOther(security)) ? [name] : [];
  });
}

/** The tasks that may use more than they say, and why. */
function tasksWithoutLimits({ implementations }: Plan, { limits = false }: Containers): string[] {
  return [...implementations].flatMap(([name, { task, given }]) => {
    const onHost = given?.executor === 'host';
    if ((limits && !onHost) || !task.steps.some(({ limits: { memory, cpus } }) => memory ?? cpus)) return [];
    return `${name} (${onHost ? 'its steps are processes of this machine' : 'this machine limits no containers of this user'})`;
  });
}
