import { readFile, realpath, rm } from 'node:fs/promises';
import { runOrThrow } from './commands.ts';

/**
 * Removes a folder in which containers and builds were at work. A build that was killed leaves its storage mounted, and
 * what is mounted can't be removed; without root, some files belong to other users of podman's.
 */
export async function removeFolder(folder: string): Promise<void> {
  if (process.getuid?.() === 0)
    for (const mount of await mountsBelow(folder)) await runOrThrow('umount', ['--lazy', mount], { group: true });
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    await runOrThrow('podman', ['unshare', 'rm', '-rf', '--', folder], { group: true });
  }
}

/** Mount points in the folder, the innermost first (proc_pid_mountinfo(5): the fifth field, with octal escapes). */
async function mountsBelow(folder: string): Promise<string[]> {
  const base = await realpath(folder).catch(() => undefined);
  const table = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  if (base === undefined) return [];
  return table
    .split('\n')
    .map((line) =>
      line.split(' ')[4]?.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((mount): mount is string => mount?.startsWith(`${base}/`) ?? false)
    .sort((a, b) => b.length - a.length);
}
