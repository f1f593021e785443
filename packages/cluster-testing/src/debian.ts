import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '@multi-image/kit/cache-folder';
import { findProgram } from '@multi-image/kit/find-program';
import { ClusterTestingError } from './errors.ts';
import { CACHE } from './programs.ts';

/** libseccomp is runc's; everything else that these programs need is on every Debian. */
const PACKAGES = [
  'etcd-server',
  'containerd',
  'runc',
  'libseccomp2',
  'containernetworking-plugins',
  'docker-registry',
  'busybox-static',
];

/**
 * Fetches the programs of a node from Debian, unless they are there. They are unpacked and not installed: an installed etcd
 * or containerd is started as a service of this machine.
 *
 * @returns The folder that stands for `/`.
 */
export function debianPrograms(): string {
  if (findProgram(['apt-get']) === undefined || findProgram(['dpkg-deb']) === undefined) {
    throw new ClusterTestingError('MACHINE_UNFIT', 'the programs of a node come from Debian’s packages', {
      expected: 'a machine with apt-get and dpkg-deb',
      found: 'none',
    });
  }
  const key = createHash('sha256').update(available()).digest('hex').slice(0, 16);
  const folder = cacheFolder(CACHE, `debian-${key}`);
  if (existsSync(folder)) return folder;
  const part = `${folder}.${process.pid}`;
  const archives = join(part, '.archives');
  try {
    mkdirSync(archives, { recursive: true });
    execFileSync('apt-get', ['--quiet', '--quiet', 'download', ...PACKAGES], { cwd: archives, stdio: 'pipe' });
    for (const archive of readdirSync(archives)) execFileSync('dpkg-deb', ['-x', join(archives, archive), part]);
    rmSync(archives, { recursive: true });
    mkdirSync(dirname(folder), { recursive: true });
    renameSync(part, folder);
  } catch (error) {
    const said = (error as { stderr?: Buffer }).stderr?.toString().trim().split('\n').at(-1);
    throw new ClusterTestingError('MACHINE_UNFIT', 'the programs of a node could not be fetched from Debian', {
      expected: PACKAGES.join(', '),
      found: said || String(error),
      hint: 'apt-get update may help',
    });
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return folder;
}

/** The versions that apt would install. */
function available(): string {
  const policy = execFileSync('apt-cache', ['policy', ...PACKAGES], { encoding: 'utf8' });
  return policy
    .split('\n')
    .filter((line) => /^\S|^ {2}Candidate:/.test(line))
    .join('\n');
}
