import { run } from '@multi-image/kit/commands';
import { findProgram } from '@multi-image/kit/find-program';
import { findTool, type LocalTool, localTools, REGISTRY_TOOL } from '@multi-image/kit/local-tools';
import { E2eError } from '../../errors.ts';

/** What rootless containers need beyond root's, on Debian and its like, where podman only recommends it. */
const ROOTLESS_APT = ['slirp4netns', 'fuse-overlayfs'];

export interface Preflight {
  /** The program that serves a registry, such as `/usr/bin/docker-registry`. */
  registry: string;
  /** Packages that were installed on the way. */
  installed: readonly string[];
}

/**
 * Makes sure that every program of a local run is there. What is missing is installed with apt or dnf where this user
 * may do that without a password; else throws `TOOL_MISSING` with the exact command. Linux only
 * (`PLATFORM_UNSUPPORTED`): buildah and the containers run on this machine's kernel.
 */
export async function preflight(options: {
  install: boolean;
  onInstall?: (command: string) => void;
  signal?: AbortSignal;
}): Promise<Preflight> {
  if (process.platform !== 'linux') {
    throw new E2eError('PLATFORM_UNSUPPORTED', 'a local run builds and runs containers on this machine', {
      expected: 'linux',
      found: process.platform,
      hint: 'run it in a Linux virtual machine or container host',
    });
  }
  const lacking = (): readonly LocalTool[] => localTools().filter((tool) => findTool(tool) === undefined);
  const missing = lacking();
  const installed = missing.length === 0 ? [] : await install(missing, options);
  const still = lacking();
  if (still.length > 0) throw missingError(still, 'installing it did not bring it');
  return { registry: findTool(REGISTRY_TOOL) ?? '', installed };
}

async function install(
  missing: readonly LocalTool[],
  options: Parameters<typeof preflight>[0],
): Promise<readonly string[]> {
  const root = process.getuid?.() === 0;
  const hasApt = findProgram(['apt-get']) !== undefined;
  if (!hasApt && findProgram(['dnf']) === undefined)
    throw missingError(missing, 'neither apt-get nor dnf is on this machine');
  const packages = [...missing.map(({ apt, dnf }) => (hasApt ? apt : dnf)), ...(hasApt && !root ? ROOTLESS_APT : [])];
  const commands = hasApt
    ? [
        ['apt-get', 'update'],
        ['apt-get', 'install', '--yes', '--no-install-recommends', ...packages],
      ]
    : [['dnf', 'install', '--assumeyes', '--setopt=install_weak_deps=False', ...packages]];
  const byHand = commands.map((command) => `${root ? '' : 'sudo '}${command.join(' ')}`).join(' && ');
  if (!options.install) throw missingError(missing, '--no-install was given', byHand);
  if (!root && !(await sudoWorks())) {
    throw missingError(missing, 'this user may not install packages without a password', byHand);
  }
  options.onInstall?.(byHand);
  for (const command of commands) {
    const [program = '', ...args] = root ? command : ['sudo', '-n', 'DEBIAN_FRONTEND=noninteractive', ...command];
    const { exitCode, stdout, stderr } = await run(program, args, {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      signal: options.signal,
    });
    if (exitCode === 0) continue;
    const end = `${stdout}\n${stderr}`.trim().split('\n').slice(-6).join('\n');
    const found = `${command.slice(0, 2).join(' ')} failed with exit code ${exitCode}:\n${end}`;
    throw missingError(missing, found, byHand);
  }
  return packages;
}

async function sudoWorks(): Promise<boolean> {
  return findProgram(['sudo']) !== undefined && (await run('sudo', ['-n', 'true'])).exitCode === 0;
}

const NO_DOCKER =
  'docker is here and is not used: Konflux builds with buildah, and so does this; beside docker both work, without a daemon';

function missingError(tools: readonly LocalTool[], found: string, command?: string): E2eError {
  const todo = command === undefined ? 'install what is missing, then run this again' : `run: ${command}`;
  const lacksBuilder = tools.some(({ name }) => name === 'buildah' || name === 'podman');
  const docker = lacksBuilder && findProgram(['docker']) !== undefined ? `\n${NO_DOCKER}` : '';
  return new E2eError('TOOL_MISSING', `missing on this machine: ${tools.map((tool) => tool.name).join(', ')}`, {
    expected: tools.map((tool) => tool.programs.join(' or ')).join(', '),
    found,
    hint: todo + docker,
  });
}
