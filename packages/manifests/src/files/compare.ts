import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ManifestsError } from '../errors.ts';
import type { RenderedFile } from '../render/render.ts';

/** A rendered file, and what is there in its place. */
export interface ComparedFile extends RenderedFile {
  readonly found: string | undefined;
  /** What either side had, where `found` is what a merge made of them. */
  readonly sides?: readonly string[] | undefined;
}

/** Reads what a folder has in place of rendered files. */
export function compareFiles(files: readonly RenderedFile[], base: string): ComparedFile[] {
  return files.map(({ path, text }) => ({ path, text, found: readIfThere(join(base, path)) }));
}

/** A file's text; undefined where there is no such file. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new ManifestsError('TARGET_NOT_WRITABLE', `${path} is in the way`, {
      expected: 'a file that may be read and written, or none',
      found: code ?? String(cause),
      cause,
    });
  }
}
