import { findProgram } from './find-program.ts';

/** A program that a run on this machine and the tests need. Any one of `programs` will do. */
export interface LocalTool {
  readonly name: string;
  readonly programs: readonly string[];
  /** The packages that bring one of them. */
  readonly apt: string;
  readonly dnf: string;
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
  { name: 'an OCI runtime', programs: ['runc', 'crun'], apt: 'runc', dnf: 'crun' },
  ...['jq', 'skopeo'].map(plainTool),
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

/** Where it is. Debian keeps runc where a user's PATH doesn't lead, and podman looks there by itself. */
export function findTool({ programs }: Pick<LocalTool, 'programs'>): string | undefined {
  return findProgram(programs, programs.includes('runc') ? ['/usr/sbin'] : []);
}
