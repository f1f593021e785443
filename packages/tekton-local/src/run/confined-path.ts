import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join, normalize, posix } from 'node:path';
import type { Mount } from '../executors/executor.ts';
import { isInside } from '../plan/yaml-file.ts';

/**
 * The path on this machine of a path in a step. Throws if it is in none of the step's mounts, or if a symbolic link
 * that an earlier step left would lead out of the mount. That stays true as long as no step runs that sees the mount.
 */
export function hostPathOf(mounts: readonly Mount[], containerPath: string): string {
  const mount = mountOf(mounts, containerPath);
  return insideFolder(mount.hostPath, posix.relative(mount.containerPath, posix.normalize(containerPath)));
}

/** The mount that a path in a step is in. Throws if there is none. */
export function mountOf(mounts: readonly Mount[], containerPath: string): Mount {
  const path = posix.normalize(containerPath);
  const mount = mounts
    .filter(({ containerPath: base }) => path === base || path.startsWith(`${base.replace(/\/$/, '')}/`))
    .sort((a, b) => b.containerPath.length - a.containerPath.length)[0];
  if (mount === undefined || !posix.isAbsolute(path)) throw new Error(`${containerPath} is in no volume of the step`);
  return mount;
}

/** `folder/path`, if no `..` and no symbolic link leads out of the folder. */
export function insideFolder(folder: string, path: string): string {
  const target = join(folder, normalize(path));
  const base = realpathSync(folder);
  let existing = target;
  while (!existsSync(existing) && !isLink(existing)) existing = dirname(existing);
  if (!isInside(base, realpathSync(existing))) throw new Error(`${path} leads out of its volume`);
  return target;
}

/** A place in a folder that steps write to. */
export interface Place {
  path: string;
  /** What was there: `device:inode`. Undefined where this machine can't say (all but Linux). */
  identity: string | undefined;
}

/** Of Linux: the descriptor only says which file it is. */
const O_PATH = 0x200000;

/**
 * `folder/path`, made where there is nothing, if no `..` and no symbolic link leads out of the folder. On Linux that holds
 * even while steps change what is in the folder: nothing is made elsewhere, and what is used later can be compared.
 */
export function placeInside(folder: string, path: string): Place {
  if (process.platform !== 'linux') {
    const place = insideFolder(folder, path);
    if (!existsSync(place)) makeOpenFolder(place);
    return { path: place, identity: undefined };
  }
  const parts = normalize(path)
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  const leadsOut = new Error(`${path} leads out of its volume`);
  if (parts.includes('..')) throw leadsOut;
  const base = realpathSync(folder);
  let descriptor = openSync(base, O_PATH);
  try {
    for (const part of parts) {
      // From what is open, and not by a path that may mean something else by now.
      const next = openOrMake(`/proc/self/fd/${descriptor}/${part}`);
      closeSync(descriptor);
      descriptor = next;
      if (!isInside(base, readlinkSync(`/proc/self/fd/${descriptor}`))) throw leadsOut;
    }
    const { dev, ino } = fstatSync(descriptor, { bigint: true });
    return { path: join(folder, ...parts), identity: `${dev}:${ino}` };
  } finally {
    closeSync(descriptor);
  }
}

function openOrMake(path: string): number {
  try {
    return openSync(path, O_PATH);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    makeOpenFolder(path);
    return openSync(path, O_PATH);
  }
}

/** Makes a folder that every user of a container may write to, where there is none yet. */
export function makeOpenFolder(path: string): string {
  // Its mode is that from the start: to change it later is to follow whatever link a step has put there meanwhile.
  const umask = process.umask(0);
  try {
    mkdirSync(path, { recursive: true, mode: 0o777 });
  } finally {
    process.umask(umask);
  }
  return path;
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
