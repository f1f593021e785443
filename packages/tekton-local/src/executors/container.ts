import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { plainEnvironment, runCommand } from '../command.ts';
import { COMMON_ARGUMENTS, type Containers, type Network, removeContainers } from '../containers/containers.ts';
import { type Beside, type Executor, follow, type StepCommand } from './executor.ts';
import { isImageName } from './image-name.ts';

export interface ContainerOptions {
  containers: Containers;
  network: Network;
  /** Starts the name of every container. */
  prefix: string;
  /** The run's own: where a step was killed for its memory, conmon writes a file `oom` where it was started. */
  folder?: string;
  /** A folder that the image does not have. */
  makes?: string;
  /** Whether this machine has SELinux on; found out where it is not said. */
  selinux?: boolean;
}

const SELINUX = existsSync('/sys/fs/selinux/enforce');

/** Podman's own exit codes begin here. */
const PODMAN_FAILED = 125;

/** Runs each step in a container of its own, with podman; `removeLeft` removes those that did not end by themselves. */
export function containerExecutor(options: ContainerOptions): Executor & { removeLeft(): Promise<void> } {
  const left = new Set<string>();
  return {
    paths: 'mounted',
    beside: besideContainers(options.prefix),
    async run(step) {
      step.signal.throwIfAborted();
      // One that was given instead is the caller's own word.
      if (!step.neverPull && !isImageName(step.image)) {
        throw new Error(`${JSON.stringify(step.image)} is no name of an image`);
      }
      const whole = { ...step, command: step.command ?? (await commandOfImage(step)) };
      const { workingDir } = step;
      let isMissing = false;
      const code = await runContainer(options, left, {
        ...whole,
        log(line) {
          if (/^Error: (?:\S+: )?workdir ".*" does not exist on container/.test(line)) isMissing = true;
          else step.log(line);
        },
      }).catch((error: unknown) => {
        if (isMissing) return PODMAN_FAILED;
        throw error;
      });
      // A step may say so as well.
      if (!isMissing || workingDir === undefined || code < PODMAN_FAILED) return code;
      // In a cluster it would be made; nothing has run yet.
      return await runContainer({ ...options, makes: workingDir }, left, whole);
    },
    async removeLeft() {
      if (left.size > 0) await removeContainers(options.prefix);
    },
  };
}

/**
 * The command of a step that has arguments and no command: as in Tekton it is the image's entrypoint, or its command where
 * there is none, with the arguments after it. Undefined where the image's entrypoint is taken as it is.
 */
async function commandOfImage({ image, args, neverPull, signal }: StepCommand): Promise<string[] | undefined> {
  if (args.length === 0) return undefined;
  const format = '{{json .Config.Entrypoint}} {{json .Config.Cmd}}';
  const inspect = (): Promise<string> =>
    runCommand('podman', ['image', 'inspect', `--format=${format}`, '--', image], { signal });
  const said = await inspect().catch(async (error: unknown) => {
    // What can't be had is said by the run itself.
    if (signal.aborted || neverPull) throw error;
    await runCommand('podman', ['pull', '--quiet', '--', image], { signal });
    return await inspect();
  });
  const [entrypoint, command] = said
    .trim()
    .split(/ (?=\[|null)/)
    .map((text) => JSON.parse(text) as string[] | null);
  if (entrypoint != null && entrypoint.length > 0) return undefined;
  return command != null && command.length > 0 ? command : undefined;
}

/** Milliseconds that podman gets to end by itself. */
const PATIENCE = 10_000;

/** Runs a container once; `left` are the names of those that podman may not have removed. */
async function runContainer(options: ContainerOptions, left: Set<string>, step: StepCommand): Promise<number> {
  const name = `${options.prefix}-${step.name}`;
  left.add(name);
  const args = podmanArguments(name, step, options);
  const isChecked = step.mounts.some(({ identity }) => identity !== undefined);
  if (isChecked) await makeChecked(name, args, step, options);
  const child = spawn('podman', isChecked ? ['start', '--attach', name] : args, {
    env: plainEnvironment(),
    cwd: options.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const exitCode = await follow(child, step, () => void endContainer(child, name));
  // Podman has removed it before it ended, unless something went wrong.
  if (exitCode < PODMAN_FAILED) left.delete(name);
  return exitCode;
}

/**
 * Ends a container and the podman that runs it. Killing podman alone would leave the container running; and one that is
 * killed while it makes a container leaves layers which belong to nothing, and which nobody can remove. Asked to end, it
 * comes to the end of that first: so the container may be there a moment later only.
 */
async function endContainer(podman: ChildProcess, name: string): Promise<void> {
  const hasEnded = (): boolean => podman.exitCode !== null || podman.signalCode !== null;
  podman.kill('SIGTERM');
  for (const until = Date.now() + PATIENCE; !hasEnded() && Date.now() < until; await sleep(50)) {
    await runCommand('podman', ['rm', '--force', '--time', '0', '--ignore', name]).catch(() => undefined);
  }
  podman.kill('SIGKILL');
}

/**
 * Makes a container with all its mounts in which nothing runs yet, and looks at what was mounted: between the choice of a
 * folder and its mount, another step may have put a link to any other in its place.
 *
 * @throws Error where it is not what was chosen.
 */
async function makeChecked(
  name: string,
  [_run, ...args]: readonly string[],
  { mounts, log, signal }: StepCommand,
  { folder }: ContainerOptions,
): Promise<void> {
  const podman = (...command: string[]): Promise<string> =>
    runCommand('podman', command, { signal, cwd: folder, onLine: (line) => line.startsWith('Error: ') && log(line) });
  try {
    await podman('create', '--quiet', ...args);
    await podman('init', name);
    const pid = (await podman('container', 'inspect', '--format={{.State.Pid}}', name)).trim();
    for (const { identity, containerPath } of mounts) {
      if (identity === undefined) continue;
      const found = await identityIn(pid, containerPath, signal);
      if (found !== identity) throw new Error(`${containerPath} leads out of its volume by now`);
    }
  } catch (error) {
    await runCommand('podman', ['rm', '--force', '--time', '0', '--ignore', name]).catch(() => undefined);
    throw error;
  }
}

/** What a process has at a path to which no link leads, as `device:inode`. */
async function identityIn(pid: string, path: string, signal: AbortSignal): Promise<string | undefined> {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  const places = parts.map((_part, index) => `/proc/${pid}/root/${parts.slice(0, index + 1).join('/')}`);
  // Without root, the processes of containers belong to podman's user namespace.
  const [program = '', ...before] = process.getuid?.() === 0 ? ['stat'] : ['podman', 'unshare', 'stat'];
  const said = await runCommand(program, [...before, '--format=%F:%d:%i', '--', ...places], { signal });
  const kinds = said.trim().split('\n');
  const isPlain = kinds.every((kind, index) =>
    index < kinds.length - 1 ? kind.startsWith('directory:') : !kind.startsWith('symbolic link:'),
  );
  return isPlain && kinds.length === parts.length ? kinds.at(-1)?.replace(/^[^:]*:/, '') : undefined;
}

/** What sidecars need: they are few, so that a program for each question costs little. */
function besideContainers(prefix: string): Beside {
  const podman = async (args: string[], timeout?: number): Promise<string | undefined> =>
    await runCommand('podman', args, { timeout }).catch(() => undefined);
  return {
    async isRunning(name) {
      const status = await podman(['container', 'inspect', '--format={{.State.Status}}', `${prefix}-${name}`]);
      return status?.trim() === 'running';
    },
    async succeeds(name, command, timeout) {
      return (await podman(['exec', `${prefix}-${name}`, ...command], timeout)) !== undefined;
    },
    async terminate(name) {
      await podman(['kill', '--signal=TERM', `${prefix}-${name}`]);
    },
  };
}

/** The arguments of podman: nothing here is ever read by a shell. */
export function podmanArguments(name: string, step: StepCommand, options: ContainerOptions): string[] {
  const { containers, network, selinux = SELINUX } = options;
  const { runAsUser, runAsGroup, ...security } = step.security;
  const user = runAsGroup === undefined ? runAsUser : `${runAsUser ?? 0}:${runAsGroup}`;
  // Under SELinux a container may use what has a container's label. The run's own folders get one; a folder of the
  // caller's keeps its own, so a step that sees one goes without.
  const labels = selinux && !step.mounts.some(({ callers }) => callers);
  const { memory, cpus } = containers.limits === true ? step.limits : {};
  const own = {
    network:
      network === 'none' && step.networkOf !== undefined ? `container:${options.prefix}-${step.networkOf}` : network,
    name,
    pull: step.neverPull ? 'never' : 'missing',
    user,
    'read-only': security.readOnlyRootFilesystem || undefined,
    'security-opt': [labels ? [] : 'label=disable', security.noNewPrivileges ? 'no-new-privileges' : []].flat(),
    'cap-drop': security.dropCapabilities,
    'cap-add': security.addCapabilities,
    workdir: step.workingDir,
    tmpfs: options.makes && `${options.makes}:mode=1777`,
    // As in Kubernetes there is no swap to go on in.
    memory: memory && `${Math.ceil(memory)}b`,
    'memory-swap': memory && `${Math.ceil(memory)}b`,
    cpus: cpus && Math.min(cpus, availableParallelism()),
    volume: step.mounts.map(
      ({ hostPath, containerPath, readOnly }) =>
        `${hostPath}:${containerPath}:${readOnly ? 'ro' : 'rw'}${labels ? ',z' : ''}`,
    ),
    env: [...step.env].map(([key, value]) => `${key}=${value}`),
    entrypoint: step.command && JSON.stringify(step.command),
  };
  const flags = Object.entries(own).flatMap(([key, value]) => [value ?? []].flat().map((item) => `--${key}=${item}`));
  return ['run', '--rm', ...COMMON_ARGUMENTS, ...containers.runArguments, ...flags, '--', step.image, ...step.args];
}
