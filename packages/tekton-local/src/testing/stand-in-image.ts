import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '@multi-image/kit/find-program';
import { copyParts, partsOf } from '../containers/parts.ts';

/** What a step of Tekton's examples finds in alpine, bash, busybox and ubuntu, as far as this machine has it. */
const PROGRAMS = ['bash', 'jq', 'diff', 'perl'];

/** An image of this machine's programs in place of those that can't be pulled: busybox' applets, bash and some more. */
export async function makeStandInImage(): Promise<{ image: string; programs: readonly string[]; remove(): void }> {
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
    const archive = join(tmpdir(), `tekton-local-stand-in-${process.pid}.tar`);
    execFileSync('tar', ['-C', root, '-cf', archive, '.']);
    const image = `localhost/tekton-local-test/stand-in:${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
    const changes = ['ENV PATH=/usr/local/bin:/usr/bin:/bin', 'CMD ["/bin/bash"]'].flatMap((change) => [
      '--change',
      change,
    ]);
    try {
      execFileSync('podman', ['import', '--quiet', ...changes, archive, image], { stdio: 'pipe' });
    } finally {
      rmSync(archive, { force: true });
    }
    const programs = [...found.map(([name]) => name), ...applets];
    return { image, programs, remove: () => void spawnSync('podman', ['rmi', '--ignore', image]) };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
