import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { runOrThrow } from '@multi-image/kit/commands';
import { findProgram } from '@multi-image/kit/find-program';
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
        signal?.throwIfAborted();
        return JSON.stringify({ ...way, limits });
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

/** Removes all containers whose name starts with `prefix`; a run that is still starting one is caught as well. */
export async function removeContainers(prefix: string): Promise<void> {
  const ids = await runCommand('podman', ['ps', '--all', '--quiet', '--no-trunc', '--filter', `name=^${prefix}`]);
  const list = ids.split('\n').filter((id) => /^[0-9a-f]{64}$/.test(id));
  if (list.length > 0) await runCommand('podman', ['rm', '--force', '--time', '0', '--volumes', '--ignore', ...list]);
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
  const texts = ['/proc/sys/kernel/random/boot_id', '/proc/self/limits', '/proc/self/cgroup', '/proc/self/uid_map'];
  const stamps = await Promise.all(files.map(async (file): Promise<[string, string]> => [file, await fileStamp(file)]));
  // A folder of the PATH that has none of them decides nothing: every checkout adds one of its own.
  const found = stamps.filter(([, stamp]) => stamp !== '').flat();
  return [JSON.stringify([WAYS, SMALL]), String(process.getuid?.()), ...(await Promise.all(texts.map(read))), ...found];
}
