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
  const { security, command } = step;
  const user = security.runAsUser ?? (security.runAsGroup === undefined ? undefined : 0);
  return [
    'run',
    '--rm',
    ...COMMON_ARGUMENTS,
    `--network=${network}`,
    ...containers.runArguments,
    `--name=${name}`,
    `--pull=${step.neverPull ? 'never' : 'missing'}`,
    ...(user === undefined
      ? []
      : [`--user=${user}${security.runAsGroup === undefined ? '' : `:${security.runAsGroup}`}`]),
    ...(security.readOnlyRootFilesystem ? ['--read-only'] : []),
    ...(security.noNewPrivileges ? ['--security-opt=no-new-privileges'] : []),
    ...security.dropCapabilities.map((capability) => `--cap-drop=${capability}`),
    ...security.addCapabilities.map((capability) => `--cap-add=${capability}`),
    ...(step.workingDir === undefined ? [] : [`--workdir=${step.workingDir}`]),
    ...step.mounts.map((mount) => `--volume=${mount.hostPath}:${mount.containerPath}:${mount.readOnly ? 'ro' : 'rw'}`),
    ...[...step.env].map(([key, value]) => `--env=${key}=${value}`),
    ...(command === undefined ? [] : [`--entrypoint=${JSON.stringify(command)}`]),
    '--',
    step.image,
    ...step.args,
  ];
}
