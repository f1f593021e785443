import { findProgram } from './find-program.ts';

/** A program that a run on this machine and the tests need. Any one of `programs` will do. */
export interface LocalTool {
  readonly name: string;
  readonly programs: readonly string[];
  /** The packages that bring one of them. */
  readonly apt: string;
  readonly dnf: string;
  /** Whether it may be where a user's PATH doesn't lead: who calls it looks there, too. */
  readonly sbin?: boolean;
}

/** Serves a registry for the time of a run. */
export const REGISTRY_TOOL: LocalTool = {
  name: 'a registry',
  programs: ['docker-registry', 'registry'],
  apt: 'docker-registry',
  dnf: 'docker-distribution',
};

const TOOLS: readonly LocalTool[] = [
  ...['git', 'tar', 'buildah', 'podman'].map(plainTool),
  { name: 'an OCI runtime', programs: ['runc', 'crun'], apt: 'runc', dnf: 'crun', sbin: true },
  ...['jq', 'skopeo'].map(plainTool),
  // Puts builds into a sandbox. From Debian 14 on it is no part of each system any more.
  { name: 'pivot_root', programs: ['pivot_root'], apt: 'util-linux-extra', dnf: 'util-linux', sbin: true },
  REGISTRY_TOOL,
];

/** Gives a user's containers their ids, which podman can't do for itself; of Debian's podman it is no dependency. */
const NEWUIDMAP: LocalTool = { name: 'newuidmap', programs: ['newuidmap'], apt: 'uidmap', dnf: 'shadow-utils' };

/** What this user needs: root's containers have their ids as they are. */
export function localTools(): readonly LocalTool[] {
  return process.getuid?.() === 0 ? TOOLS : [...TOOLS, NEWUIDMAP];
}

/** One whose program and packages have its name. */
function plainTool(name: string): LocalTool {
  return { name, programs: [name], apt: name, dnf: name };
}

/** Where it is. */
export function findTool({ programs, sbin = false }: Pick<LocalTool, 'programs' | 'sbin'>): string | undefined {
  return findProgram(programs, sbin ? ['/usr/sbin', '/sbin'] : []);
}
