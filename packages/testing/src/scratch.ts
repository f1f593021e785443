import { mkdtempSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { removeFolder } from '@multi-image/kit/remove-folder';
import { runtimeFolder } from '@multi-image/kit/runtime-folder';

const MEMORY = '/dev/shm';
const ROOM = 2 * 1024 ** 3;
/**
 * Whose process is in the name, so that it shows what nobody will remove any more. Short names: podman takes no runroot of
 * more than 50 characters.
 */
const OWNED = /^mi-test-(\d+)-/;

/**
 * Makes a folder for what is written often and read soon, such as the files of a registry: in memory where this machine
 * has room for it, which takes half the time. The caller removes it; of one that was killed, the next test run does.
 */
export function makeScratch(name: string): { folder: string; remove(): Promise<void> } {
  const folder = makeOwned(hasRoom() ? MEMORY : tmpdir(), `${name}-`);
  return { folder, remove: () => removeFolder(folder) };
}

/**
 * Gives a test run a folder for temporary files of its own, in which all of its tests and their programs make theirs, and
 * removes those of runs that were killed. A global setup of vitest's: answers with how to remove it again.
 */
export default async function setUp(): Promise<(() => Promise<void>) | undefined> {
  // Of a run of several projects each is set up.
  if (OWNED.exec(basename(tmpdir()))?.[1] === String(process.pid)) return undefined;
  const outside = tmpdir();
  await removeLeft([...new Set([outside, MEMORY])]);
  const folder = makeOwned(outside, '');
  // In that folder podman's own would go with the run, and podman would look there ever after.
  const runtime = runtimeFolder();
  if (runtime !== undefined) process.env.XDG_RUNTIME_DIR = runtime;
  process.env.TMPDIR = folder;
  return async () => {
    process.env.TMPDIR = outside;
    await removeFolder(folder);
  };
}

function makeOwned(parent: string, name: string): string {
  return mkdtempSync(join(parent, `mi-test-${process.pid}-${name}`));
}

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize > ROOM;
  } catch {
    return false;
  }
}

/** Ends the registries and removes the folders of test processes that are not there any more. */
export async function removeLeft(parents: readonly string[]): Promise<void> {
  for (const parent of parents) {
    for (const name of list(parent)) {
      const [, owner] = OWNED.exec(name) ?? [];
      if (owner === undefined || isAlive(Number(owner))) continue;
      const folder = join(parent, name);
      for (const pid of registriesIn(folder)) end(pid);
      // Another user's, or another run removes it as well.
      await removeFolder(folder).catch(() => {});
    }
  }
}

/** The processes that serve what lies in this folder. */
function registriesIn(folder: string): number[] {
  return list('/proc')
    .filter(isNumber)
    .map(Number)
    .filter((pid) => {
      const [program, , config = ''] = commandOf(pid);
      return basename(program ?? '') === 'docker-registry' && config.startsWith(`${folder}/`);
    });
}

function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const isNumber = (text: string): boolean => /^\d+$/.test(text);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
