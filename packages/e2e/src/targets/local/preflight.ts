import { run } from '@multi-image/kit/commands';
import { findProgram } from '@multi-image/kit/find-program';
import { E2eError } from '../../errors.ts';

/** The programs that a local run and the tests need. Any one of `programs` will do. */
interface Tool {
  name: string;
  programs: readonly string[];
  packages: { apt: readonly string[]; dnf: readonly string[] };
}

const REGISTRY: Tool = {
  name: 'a registry',
  programs: ['docker-registry', 'registry'],
  packages: { apt: ['docker-registry'], dnf: ['docker-distribution'] },
};

const TOOLS: readonly Tool[] = [
  { name: 'git', programs: ['git'], packages: { apt: ['git'], dnf: ['git'] } },
  { name: 'tar', programs: ['tar'], packages: { apt: ['tar'], dnf: ['tar'] } },
  { name: 'buildah', programs: ['buildah'], packages: { apt: ['buildah'], dnf: ['buildah'] } },
  { name: 'podman', programs: ['podman'], packages: { apt: ['podman'], dnf: ['podman'] } },
  { name: 'an OCI runtime', programs: ['runc', 'crun'], packages: { apt: ['runc'], dnf: ['crun'] } },
  { name: 'jq', programs: ['jq'], packages: { apt: ['jq'], dnf: ['jq'] } },
  { name: 'skopeo', programs: ['skopeo'], packages: { apt: ['skopeo'], dnf: ['skopeo'] } },
  REGISTRY,
];

/** What rootless containers need beyond root's, on Debian and its like, where podman only recommends it. */
const ROOTLESS_APT = ['uidmap', 'slirp4netns', 'fuse-overlayfs'];

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
  const lacking = (): readonly Tool[] => TOOLS.filter((tool) => find(tool) === undefined);
  const missing = lacking();
  const installed = missing.length === 0 ? [] : await install(missing, options);
  const still = lacking();
  if (still.length > 0) throw missingError(still, 'installing it did not bring it');
  return { registry: find(REGISTRY) ?? '', installed };
}

async function install(missing: readonly Tool[], options: Parameters<typeof preflight>[0]): Promise<readonly string[]> {
  const manager = (['apt', 'dnf'] as const).find(
    (name) => findProgram([name === 'apt' ? 'apt-get' : 'dnf']) !== undefined,
  );
  if (manager === undefined) throw missingError(missing, 'neither apt-get nor dnf is on this machine');
  const rootless = manager === 'apt' && process.getuid?.() !== 0 ? ROOTLESS_APT : [];
  const packages = [...missing.flatMap((tool) => tool.packages[manager]), ...rootless];
  const commands =
    manager === 'apt'
      ? [
          ['apt-get', 'update'],
          ['apt-get', 'install', '--yes', '--no-install-recommends', ...packages],
        ]
      : [['dnf', 'install', '--assumeyes', '--setopt=install_weak_deps=False', ...packages]];
  const root = process.getuid?.() === 0;
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

function missingError(tools: readonly Tool[], found: string, command?: string): E2eError {
  return new E2eError('TOOL_MISSING', `missing on this machine: ${tools.map((tool) => tool.name).join(', ')}`, {
    expected: tools.map((tool) => tool.programs.join(' or ')).join(', '),
    found,
    hint: command === undefined ? 'install what is missing, then run this again' : `run: ${command}`,
  });
}

/** Debian keeps runc where a user's PATH doesn't lead, and podman looks there by itself. */
function find({ programs }: Pick<Tool, 'programs'>): string | undefined {
  return findProgram(programs, programs.includes('runc') ? ['/usr/sbin'] : []);
}
