import { readdir, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { TektonLocalError } from '../errors.ts';

/**
 * Throws `UNSAFE_PATH` if anything in the folder leads out of it, or is neither file, folder nor link. A link to
 * nothing is fine as long as its target would be inside.
 */
export async function requireContained(folder: string): Promise<void> {
  const root = await realpath(folder);
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) {
      const target = await readlink(path);
      const lexical = resolve(dirname(path), target);
      // Where the target exists, links on the way to it count as well.
      const real = await realpath(path).catch(() => lexical);
      if (isAbsolute(target) || !isInside(root, lexical) || !isInside(root, real)) throw leadsOut(root, path, target);
    } else if (!entry.isFile() && !entry.isDirectory()) {
      throw new TektonLocalError('UNSAFE_PATH', 'the source holds something that is neither file, folder nor link', {
        found: JSON.stringify(path.slice(root.length + 1)),
      });
    }
  }
}

/**
 * The real path of something inside a folder. Throws `UNSAFE_PATH` if it is outside, by `..` or by a link, and
 * `NOT_FOUND` if there is nothing.
 */
export async function pathInside(folder: string, path: string, what: string): Promise<string> {
  const root = await realpath(folder);
  const lexical = resolve(root, path);
  if (isAbsolute(path) || !isInside(root, lexical)) throw outside(what, path);
  const real = await realpath(lexical).catch(() => undefined);
  if (real === undefined) {
    throw new TektonLocalError('NOT_FOUND', `${what} is not in the source`, { found: JSON.stringify(path) });
  }
  if (!isInside(root, real)) throw outside(what, path);
  return real;
}

/** Like {@link pathInside}, but nothing where there is none. */
export async function fileInside(folder: string, path: string, what: string): Promise<string | undefined> {
  try {
    const real = await pathInside(folder, path, what);
    return (await stat(real)).isFile() ? real : undefined;
  } catch (error) {
    if (error instanceof TektonLocalError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root + sep);
}

function leadsOut(root: string, path: string, target: string): TektonLocalError {
  return new TektonLocalError('UNSAFE_PATH', 'a link leads out of the source', {
    expected: 'a relative target inside',
    found: `${JSON.stringify(path.slice(root.length + 1))} → ${JSON.stringify(target)}`,
  });
}

function outside(what: string, path: string): TektonLocalError {
  return new TektonLocalError('UNSAFE_PATH', `${what} is outside the source`, {
    expected: 'a relative path that stays inside',
    found: JSON.stringify(path),
  });
}
