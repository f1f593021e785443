import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '@multi-image/kit/find-program';
import { copyParts, partsOf } from '../containers/parts.ts';

/** Images that have a command and no entrypoint. */
const PLAIN = [
  ...['ubuntu', 'alpine', 'busybox', 'perl'].map((name) => `mirror.gcr.io/${name}`),
  'cgr.dev/chainguard/busybox',
  ...['ubuntu', 'alpine', 'busybox'],
];

/** What the image bash does with arguments. */
const BASH_ENTRYPOINT = `#!/bin/sh
case "$1" in -*) set -- bash "$@" ;; esac
exec "$@"
`;

/** What a step of Tekton's examples finds in alpine, bash, busybox and ubuntu, as far as this machine has it. */
const PROGRAMS = ['bash', 'jq', 'diff', 'perl'];

/**
 * Images of this machine's programs in place of those that can't be pulled, by their names: busybox' applets, bash and some
 * more; each with the entrypoint and the command of the image that it stands for.
 */
export async function makeStandInImages(): Promise<{ images: Record<string, string>; remove(): void }> {
  const root = mkdtempSync(join(tmpdir(), 'tekton-local-stand-in-'));
  try {
    for (const name of ['bin', 'tmp', 'etc', 'root', 'usr/bin', 'usr/local/bin', 'home']) {
      mkdirSync(join(root, name), { recursive: true });
    }
    cpSync('/bin/busybox', join(root, 'bin/busybox'));
    const applets = execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n');
    const found = PROGRAMS.flatMap((name) => {
      const program = findProgram([name]);
      return program === undefined ? [] : [[name, program] as const];
    });
    for (const [name, program] of found) await copyParts(root, await partsOf(program, `/bin/${name}`, undefined));
    const own = new Set<string>([...found.map(([name]) => name), 'busybox']);
    for (const name of applets) if (!own.has(name)) symlinkSync('busybox', join(root, 'bin', name));
    for (const name of ['env', 'bash', 'perl']) symlinkSync(`/bin/${name}`, join(root, 'usr/bin', name));
    symlinkSync('/bin/bash', join(root, 'usr/local/bin/bash'));
    writeFileSync(
      join(root, 'etc/passwd'),
      'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
    );
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\n');
    writeFileSync(join(root, 'etc/os-release'), 'NAME="stand-in"\n');
    chmodSync(join(root, 'tmp'), 0o1777);
    chmodSync(root, 0o755);
    writeFileSync(join(root, 'usr/local/bin/docker-entrypoint.sh'), BASH_ENTRYPOINT, { mode: 0o755 });
    const archive = join(tmpdir(), `tekton-local-stand-in-${process.pid}.tar`);
    execFileSync('tar', ['-C', root, '-cf', archive, '.']);
    const tag = `${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
    try {
      const plain = importImage(archive, `plain:${tag}`, ['CMD ["/bin/bash"]']);
      const bash = importImage(archive, `bash:${tag}`, ['ENTRYPOINT ["docker-entrypoint.sh"]', 'CMD ["bash"]']);
      const images = {
        ...Object.fromEntries(PLAIN.map((name) => [name, plain])),
        'mirror.gcr.io/bash': bash,
      };
      return { images, remove: () => void spawnSync('podman', ['rmi', '--ignore', plain, bash]) };
    } finally {
      rmSync(archive, { force: true });
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function importImage(archive: string, name: string, changes: readonly string[]): string {
  const image = `localhost/tekton-local-test/stand-in-${name}`;
  const options = ['ENV PATH=/usr/local/bin:/usr/bin:/bin', ...changes].flatMap((change) => ['--change', change]);
  execFileSync('podman', ['import', '--quiet', ...options, archive, image], { stdio: 'pipe' });
  return image;
}
