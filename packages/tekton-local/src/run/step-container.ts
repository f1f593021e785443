import { spawn } from 'node:child_process';
import { plainEnvironment, runCommand } from '../command.ts';
import { COMMON_ARGUMENTS, type Containers, type Network } from '../containers/containers.ts';
import type { StepSecurity } from '../plan/model.ts';

/** A folder of this machine that a step sees. */
export interface Mount {
  hostPath: string;
  containerPath: string;
  readOnly: boolean;
  /** A folder of the user's: its modes are left as they are. */
  shared?: boolean;
}

export interface ContainerOptions {
  containers: Containers;
  network: Network;
  name: string;
  image: string;
  /** Whether the image has to be on this machine already. */
  neverPull: boolean;
  /** Instead of the image's entrypoint. */
  command?: readonly string[];
  args: readonly string[];
  env: ReadonlyMap<string, string>;
  workingDir?: string;
  mounts: readonly Mount[];
  security: StepSecurity;
  log(line: string): void;
  signal: AbortSignal;
}

const MAX_LINE = 64 << 10;

/** Runs a container to its end and resolves with its exit code. When the signal comes, the container is removed. */
export async function runContainer(options: ContainerOptions): Promise<number> {
  const { signal, name } = options;
  signal.throwIfAborted();
  const child = spawn('podman', podmanArguments(options), {
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const kill = (): void => {
    // By its name: killing podman alone would leave the container running.
    runCommand('podman', ['rm', '--force', '--time', '0', '--ignore', name]).then(
      () => child.kill('SIGKILL'),
      () => child.kill('SIGKILL'),
    );
  };
  signal.addEventListener('abort', kill, { once: true });
  splitLines(child.stdout, options.log);
  splitLines(child.stderr, options.log);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    return code ?? 137;
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

/** The arguments of podman: nothing here is ever read by a shell. */
export function podmanArguments(options: ContainerOptions): string[] {
  const { security, command } = options;
  const user = security.runAsUser ?? (security.runAsGroup === undefined ? undefined : 0);
  return [
    'run',
    '--rm',
    ...COMMON_ARGUMENTS,
    `--network=${options.network}`,
    ...options.containers.runArguments,
    `--name=${options.name}`,
    `--pull=${options.neverPull ? 'never' : 'missing'}`,
    ...(user === undefined
      ? []
      : [`--user=${user}${security.runAsGroup === undefined ? '' : `:${security.runAsGroup}`}`]),
    ...(security.readOnlyRootFilesystem ? ['--read-only'] : []),
    ...(security.noNewPrivileges ? ['--security-opt=no-new-privileges'] : []),
    ...security.dropCapabilities.map((capability) => `--cap-drop=${capability}`),
    ...security.addCapabilities.map((capability) => `--cap-add=${capability}`),
    ...(options.workingDir === undefined ? [] : [`--workdir=${options.workingDir}`]),
    ...options.mounts.map(
      (mount) => `--volume=${mount.hostPath}:${mount.containerPath}:${mount.readOnly ? 'ro' : 'rw'}`,
    ),
    ...[...options.env].map(([key, value]) => `--env=${key}=${value}`),
    ...(command === undefined ? [] : [`--entrypoint=${JSON.stringify(command)}`]),
    '--',
    options.image,
    ...options.args,
  ];
}

function splitLines(stream: NodeJS.ReadableStream, log: (line: string) => void): void {
  let rest = '';
  const decoder = new TextDecoder();
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) log(line.replace(/\r$/, ''));
    // A step that never ends its line must not fill the memory.
    if (rest.length > MAX_LINE) {
      log(rest);
      rest = '';
    }
  });
  stream.on('end', () => {
    if (rest !== '') log(rest);
  });
}
