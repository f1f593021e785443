import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BUSYBOX = '/bin/busybox';

/** Whether steps with a shell can be tested: Debian's busybox-static is there. */
export const hasBusybox: boolean =
  existsSync(BUSYBOX) && /not a dynamic|statically/.test(spawnSync('ldd', [BUSYBOX], { encoding: 'utf8' }).stderr);

/** An image with nothing but busybox, under a name of its own. */
export function makeBusyboxImage(): { image: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'tekton-local-test-'));
  try {
    for (const name of ['bin', 'tmp', 'etc', 'root']) mkdirSync(join(folder, name));
    copyFileSync(BUSYBOX, join(folder, 'bin/busybox'));
    for (const name of [
      'sh',
      'cat',
      'echo',
      'sleep',
      'ls',
      'ln',
      'id',
      'pwd',
      'mkdir',
      'env',
      'touch',
      'head',
      'tr',
      'test',
    ]) {
      symlinkSync('busybox', join(folder, 'bin', name));
    }
    const archive = join(folder, 'image.tar');
    execFileSync('tar', ['-C', folder, '-cf', archive, 'bin', 'tmp', 'etc', 'root']);
    const image = `localhost/tekton-local-test/busybox:${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
    execFileSync('podman', ['import', '--quiet', '--change', 'ENV PATH=/bin', archive, image], { stdio: 'pipe' });
    return { image, remove: () => void spawnSync('podman', ['rmi', '--ignore', image]) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
