import { spawn } from 'node:child_process';
import { plainEnvironment, runCommand } from '../command.ts';
import { COMMON_ARGUMENTS, type Containers, type Network } from '../containers/containers.ts';
import { type Executor, follow, type StepCommand } from './executor.ts';

export interface ContainerOptions {
  containers: Containers;
  network: Network;
  /** Starts the name of every container. */
  prefix: string;
}

/** Runs each step in a container of its own, with podman. */
export function containerExecutor(options: ContainerOptions): Executor {
  return {
    paths: 'mounted',
    async run(step) {
      step.signal.throwIfAborted();
      const name = `${options.prefix}-${step.name}`;
      const child = spawn('podman', podmanArguments(name, step, options), {
        env: plainEnvironment(),
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      return await follow(child, step, () => {
        const kill = (): boolean => child.kill('SIGKILL');
        // By its name: killing podman alone would leave the container running.
        runCommand('podman', ['rm', '--force', '--time', '0', '--ignore', name]).then(kill, kill);
      });
    },
  };
}

/** The arguments of podman: nothing here is ever read by a shell. */
function podmanArguments(name: string, step: StepCommand, { containers, network }: ContainerOptions): string[] {
  const { runAsUser, runAsGroup, ...security } = step.security;
  const user = runAsGroup === undefined ? runAsUser : `${runAsUser ?? 0}:${runAsGroup}`;
  const options = {
    network,
    name,
    pull: step.neverPull ? 'never' : 'missing',
    user,
    'read-only': security.readOnlyRootFilesystem || undefined,
    'security-opt': security.noNewPrivileges ? 'no-new-privileges' : undefined,
    'cap-drop': security.dropCapabilities,
    'cap-add': security.addCapabilities,
    workdir: step.workingDir,
    volume: step.mounts.map((mount) => `${mount.hostPath}:${mount.containerPath}:${mount.readOnly ? 'ro' : 'rw'}`),
    env: [...step.env].map(([key, value]) => `${key}=${value}`),
    entrypoint: step.command && JSON.stringify(step.command),
  };
  const own = Object.entries(options).flatMap(([key, value]) => [value ?? []].flat().map((item) => `--${key}=${item}`));
  return ['run', '--rm', ...COMMON_ARGUMENTS, ...containers.runArguments, ...own, '--', step.image, ...step.args];
}
