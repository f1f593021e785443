import { type CommandOptions, runOrThrow } from '@multi-image/kit/commands';
import { runtimeFolder } from '@multi-image/kit/runtime-folder';
import { TektonLocalError } from './errors.ts';

/** Of this machine's environment, what the tools need to find their storage and their credentials. */
const PASSED = [
  'PATH',
  'HOME',
  'USER',
  'TMPDIR',
  'XDG_DATA_HOME',
  'XDG_CONFIG_HOME',
  'REGISTRY_AUTH_FILE',
  'DOCKER_CONFIG',
  'CONTAINERS_CONF',
  'CONTAINERS_STORAGE_CONF',
  'CONTAINERS_REGISTRIES_CONF',
  'STORAGE_DRIVER',
  'STORAGE_OPTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
];

/** The environment of a tool: no proxy and no setting of this machine that would change what it builds. */
export function plainEnvironment(extra: Record<string, string> = {}): Record<string, string> {
  // What podman 5 says of each container on older cgroups would be in a step's log.
  const environment: Record<string, string> = { LC_ALL: 'C', TZ: 'UTC', PODMAN_IGNORE_CGROUPSV1_WARNING: 'true' };
  for (const name of PASSED) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  const runtime = runtimeFolder();
  if (runtime) environment.XDG_RUNTIME_DIR = runtime;
  return { ...environment, ...extra };
}

/**
 * Runs a program with these arguments, in {@link plainEnvironment} unless an environment is given, and resolves with
 * its standard output. Throws `TOOL_MISSING`, `TOOL_FAILED` with the last lines that it said, or `INTERRUPTED`.
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  // A group of its own, so that the signal also ends what the program started (buildah and unshare start others).
  const own = { ...options, env: options.env ?? plainEnvironment(), group: true };
  return (await runOrThrow(program, args, own, TektonLocalError)).stdout;
}
