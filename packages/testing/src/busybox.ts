import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BUSYBOX = '/bin/busybox';
const APPLETS = 'sh cat echo sleep ls ln id pwd mkdir env touch head tr test'.split(' ');

/** Whether steps with a shell can be tested: Debian's busybox-static is there. */
export const hasBusybox: boolean =
  existsSync(BUSYBOX) && /not a dynamic|statically/.test(spawnSync('ldd', [BUSYBOX], { encoding: 'utf8' }).stderr);

/**
 * The name of an image with nothing but busybox, which all tests share and which stays on this machine: images of the same
 * bytes are one image to podman, and names that come and go on it at the same time get lost.
 */
export function busyboxImage(): string {
  const key = createHash('sha256').update(readFileSync(BUSYBOX)).update(APPLETS.join(' ')).digest('hex');
  const image = `localhost/multi-image-test/busybox:${key.slice(0, 16)}`;
  if (spawnSync('podman', ['image', 'exists', image]).status === 0) return image;
  const folder = mkdtempSync(join(tmpdir(), 'busybox-image-'));
  try {
    for (const name of ['bin', 'tmp', 'etc', 'root']) mkdirSync(join(folder, name));
    copyFileSync(BUSYBOX, join(folder, 'bin/busybox'));
    for (const name of APPLETS) symlinkSync('busybox', join(folder, 'bin', name));
    const archive = join(folder, 'image.tar');
    execFileSync('tar', ['-C', folder, '-cf', archive, 'bin', 'tmp', 'etc', 'root']);
    execFileSync('podman', ['import', '--quiet', '--change', 'ENV PATH=/bin', archive, image], { stdio: 'pipe' });
    return image;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
