import { TektonLocalError } from '../errors.ts';

/** A platform as image configs name it. */
export interface Platform {
  os: 'linux';
  /** `amd64`, `arm64`, `ppc64le` or `s390x`. */
  architecture: string;
}

const BY_NODE: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', ppc64: 'ppc64le', s390x: 's390x' };

/** The kernel's names (`uname -m`), which Konflux' labels use. */
const MACHINES: Readonly<Record<string, string>> = {
  amd64: 'x86_64',
  arm64: 'aarch64',
  ppc64le: 'ppc64le',
  s390x: 's390x',
};

/** The platform of this machine. */
export function thisPlatform(): Platform {
  return { os: 'linux', architecture: BY_NODE[process.arch] ?? process.arch };
}

/**
 * Reads what Konflux takes for a platform: `linux/x86_64`, `linux/arm64`, one with the kind of machine
 * (`linux-mlarge/arm64`), or `local` and `localhost` for the machine that the task itself runs on.
 */
export function parsePlatform(text: string): Platform {
  if (text === 'local' || text === 'localhost') return thisPlatform();
  const written = /^linux(?:-[a-z0-9]+)*\/([a-z0-9_]+)$/.exec(text)?.[1];
  const found = Object.entries(MACHINES).find((names) => written !== undefined && names.includes(written));
  if (found !== undefined) return { os: 'linux', architecture: found[0] };
  throw new TektonLocalError('UNSUPPORTED', 'param PLATFORM is not one that images are built for here', {
    expected: 'linux/x86_64, linux/arm64, linux/ppc64le, linux/s390x, local or localhost',
    found: JSON.stringify(text),
  });
}

/** `linux/arm64`. */
export function platformName({ os, architecture }: Platform): string {
  return `${os}/${architecture}`;
}

/** Whether this machine runs programs of the platform by itself. */
export function isForeign(platform: Platform): boolean {
  return platform.architecture !== thisPlatform().architecture;
}

/** The architecture as `uname -m` says it. */
export function machineName({ architecture }: Platform): string {
  return MACHINES[architecture] ?? architecture;
}
