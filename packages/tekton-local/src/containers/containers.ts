import { mkdir, readFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { runOrThrow } from '@multi-image/kit/commands';
import { findProgram } from '@multi-image/kit/find-program';
import { endOrphanedContainers } from '@multi-image/kit/orphaned-containers';
import { inTemporaryFolder } from '@multi-image/kit/temporary-folder';
import { plainEnvironment, runCommand } from '../command.ts';
import { failureText, TektonLocalError } from '../errors.ts';
import { fileStamp, memoize } from '../memo.ts';
import { copyParts, partsOf } from './parts.ts';

/** A way to run containers that works on this machine. */
export interface Containers {
  /** Arguments for `podman run`, besides those that every step gets. */
  readonly runArguments: readonly string[];
  /** Whether a container's memory and processors can be limited. */
  readonly limits?: boolean | undefined;
  /** False where a container's root is its only user: this user has no other ids to give. */
  readonly users?: boolean | undefined;
  /** What was chosen, for a person. */
  readonly description: string;
}

const LIMITS = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];

const WAYS: readonly Containers[] = [
  { runArguments: [], description: 'podman with its defaults' },
  { runArguments: LIMITS, description: 'podman with low limits on files and processes' },
  {
    runArguments: ['--runtime', 'runc', ...LIMITS],
    description: 'podman with runc and low limits on files and processes',
  },
];

/** What every container of this package gets. */
export const COMMON_ARGUMENTS: readonly string[] = ['--http-proxy=false'];

/** What tells whether control groups can be set here. */
const SMALL = ['--memory=64m', '--memory-swap=64m', '--cpus=0.5'];

/** The network of all steps of a run: this machine's, where a loopback registry is, or none. */
export type Network = 'host' | 'none';

/**
 * Finds a way to run containers with podman, by trying: hosts with unusual cgroups or low limits refuse podman's
 * defaults. What worked is remembered until the machine is started anew or its podman changes. Rejects with
 * `CONTAINERS_UNUSABLE` if no way works, `TOOL_MISSING` without podman.
 */
export async function probeContainers({ signal }: { signal?: AbortSignal } = {}): Promise<Containers> {
  const found = await memoize('containers', await machineStamp(), () => tryContainers(signal));
  return JSON.parse(found) as Containers;
}

/** The first way that works, as JSON. */
async function tryContainers(signal: AbortSignal | undefined): Promise<string> {
  return inTemporaryFolder('tekton-local-probe', async (folder) => {
    await mkdir(join(folder, 'dev'));
    // The smallest thing to try containers with, where no image can be pulled.
    const program = findProgram(['true']);
    if (program === undefined) {
      throw new TektonLocalError('TOOL_MISSING', 'true was not found', { expected: 'true on the PATH' });
    }
    await copyParts(folder, await partsOf(program, '/true', signal));
    const failures: string[] = [];
    const attempt = (way: Containers, more: readonly string[] = []) => {
      // The folder has no label of containers.
      const own = ['--security-opt=label=disable', '--network=host', ...way.runArguments, ...more];
      const args = ['run', '--rm', ...COMMON_ARGUMENTS, ...own, '--rootfs', folder, '/true'];
      const options = { env: plainEnvironment(), group: true, signal, timeout: 30_000 };
      return runOrThrow('podman', args, options, TektonLocalError);
    };
    for (const way of WAYS) {
      try {
        await attempt(way);
        // Where control groups can't be set, podman says so and goes on, or fails.
        const limits = await attempt(way, SMALL).then(
          ({ stderr }) => !/not supported|ignor/i.test(stderr),
          () => false,
        );
        const users = await hasUsers(signal);
        signal?.throwIfAborted();
        return JSON.stringify({ ...way, limits, users });
      } catch (error) {
        if (signal?.aborted) throw error;
        if (error instanceof TektonLocalError && error.code === 'TOOL_MISSING') throw error;
        failures.push(`${way.description}: ${failureText(error)}`);
      }
    }
    throw new TektonLocalError('CONTAINERS_UNUSABLE', `no container can be run here\n${failures.join('\n')}`, {
      expected: 'podman run to succeed in one of the known ways',
      hint: 'see what `podman run --rm IMAGE true` says on this machine',
    });
  });
}

/**
 * Whether podman has ids for users of containers beside their root. Rootless podman takes them from /etc/subuid and
 * /etc/subgid; where nobody can say (podman in a virtual machine), it has.
 */
async function hasUsers(signal: AbortSignal | undefined): Promise<boolean> {
  if (process.getuid?.() === 0) return true;
  const maps = ['/proc/self/uid_map', '/proc/self/gid_map'];
  const lines = await runCommand('podman', ['unshare', 'grep', '', ...maps], { signal }).catch(() => undefined);
  if (lines === undefined) return true;
  // A line for each range, of which the last number is the size (user_namespaces(7)).
  const idsOf = (map: string): number =>
    lines
      .split('\n')
      .filter((line) => line.startsWith(map))
      .reduce((ids, line) => ids + Number(line.trim().split(/\s+/).at(-1)), 0);
  return maps.every((map) => idsOf(map) > 1);
}

/**
 * Throws `CONTAINERS_UNUSABLE`, with what an administrator can do, where containers have no user but root.
 *
 * @param what Needs others, for a person
 */
export async function requireUsers({ users }: Pick<Containers, 'users'>, what: string): Promise<void> {
  if (users !== false) return;
  const who = userName();
  const texts = await Promise.all(['/etc/subuid', '/etc/subgid'].map((file) => readFile(file, 'utf8').catch(() => '')));
  const ranges = texts.flatMap((text) => text.split('\n')).map((line) => line.split(':').slice(1).map(Number));
  // No two users may have the same ids.
  const start = ranges.reduce((free, [first = 0, count = 0]) => Math.max(free, first + count || 0), 100_000);
  throw new TektonLocalError('CONTAINERS_UNUSABLE', `${who} has no ids for the users of containers`, {
    expected: `ids of ${who} in /etc/subuid and in /etc/subgid: ${what}`,
    found: 'one id, which is the root of a container',
    hint: `echo ${who}:${start}:65536 | sudo tee -a /etc/subuid /etc/subgid && podman system migrate`,
  });
}

/** As /etc/subuid may name this user; in containers some have an id alone. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}

/** Removes all containers whose name starts with `prefix`; a run that is still starting one is caught as well. */
export async function removeContainers(prefix: string): Promise<void> {
  const ids = await runCommand('podman', ['ps', '--all', '--quiet', '--no-trunc', '--filter', `name=^${prefix}`]);
  const list = ids.split('\n').filter((id) => /^[0-9a-f]{64}$/.test(id));
  if (list.length > 0) await runCommand('podman', ['rm', '--force', '--time', '0', '--volumes', '--ignore', ...list]);
  await endOrphanedContainers(prefix);
}

/** What decides which way works: podman, its configuration, the kernel since it was started, this process' limits. */
async function machineStamp(): Promise<string[]> {
  const { PATH = '', CONTAINERS_CONF = '', XDG_CONFIG_HOME } = process.env;
  const read = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
  const configuration = join(XDG_CONFIG_HOME || join(homedir(), '.config'), 'containers');
  const folders = ['/usr/share/containers', '/etc/containers', configuration];
  const files = [
    ...PATH.split(delimiter).flatMap((folder) => ['podman', 'crun', 'runc'].map((program) => join(folder, program))),
    ...folders.flatMap((folder) =>
      ['containers.conf', 'containers.conf.d', 'storage.conf'].map((name) => join(folder, name)),
    ),
    CONTAINERS_CONF,
  ];
  const texts = [
    ...['/proc/sys/kernel/random/boot_id', '/proc/self/limits', '/proc/self/cgroup', '/proc/self/uid_map'],
    ...['/etc/subuid', '/etc/subgid'],
  ];
  const stamps = await Promise.all(files.map(async (file): Promise<[string, string]> => [file, await fileStamp(file)]));
  // A folder of the PATH that has none of them decides nothing: every checkout adds one of its own.
  const found = stamps.filter(([, stamp]) => stamp !== '').flat();
  return [JSON.stringify([WAYS, SMALL]), String(process.getuid?.()), ...(await Promise.all(texts.map(read))), ...found];
}
