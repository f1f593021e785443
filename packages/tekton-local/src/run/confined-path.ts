import { chmodSync, constants, existsSync, lstatSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, posix, relative, sep } from 'node:path';
import type { Mount } from './step-container.ts';

/**
 * The path on this machine of a path in a step. Throws if it is in none of the step's mounts, or if a symbolic link
 * that an earlier step left would lead out of the mount.
 */
export function hostPathOf(mounts: readonly Mount[], containerPath: string): string {
  const path = posix.normalize(containerPath);
  const mount = mounts
    .filter(({ containerPath: base }) => path === base || path.startsWith(`${base.replace(/\/$/, '')}/`))
    .sort((a, b) => b.containerPath.length - a.containerPath.length)[0];
  if (mount === undefined || !posix.isAbsolute(path)) throw new Error(`${containerPath} is in no volume of the step`);
  return insideFolder(mount.hostPath, posix.relative(mount.containerPath, path));
}

/** `folder/path`, if no `..` and no symbolic link leads out of the folder. */
export function insideFolder(folder: string, path: string): string {
  const target = join(folder, normalize(path));
  const base = realpathSync(folder);
  let existing = target;
  while (!existsSync(existing) && !isLink(existing)) existing = dirname(existing);
  const inside = relative(base, realpathSync(existing));
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    throw new Error(`${path} leads out of its volume`);
  }
  return target;
}

/** Makes a folder that every user of a container may write to. */
export function makeOpenFolder(path: string): string {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o777);
  return path;
}

/** Lets every user of a container read and write what was made on this machine, like Kubernetes' fsGroup. */
export function openToAll(path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  if (stat.isDirectory()) {
    chmodSync(path, stat.mode | 0o777);
    for (const name of readdirSync(path)) openToAll(join(path, name));
  } else if (stat.isFile()) {
    chmodSync(path, stat.mode | 0o666 | (stat.mode & 0o100 ? 0o111 : 0));
  }
}

/** The text of a file that a step wrote; undefined if there is none. Follows no link, and reads no more than `limit`. */
export async function readStepFile(path: string, limit: number): Promise<string | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new Error('it is not a file');
    if (stat.size > limit) throw new Error(`it has ${stat.size} bytes, and the limit is ${limit}`);
    return (await handle.readFile()).toString('utf8');
  } finally {
    await handle.close();
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}
