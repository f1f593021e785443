import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ManifestsError } from '../errors.ts';
import type { RenderedFile } from '../render/render.ts';
import { readStamp, withPinStampOf } from './stamp.ts';

/** A rendered file that is not what it should be, and the first line where it shows. */
export interface Drift {
  readonly path: string;
  readonly line: number;
  readonly expected: string;
  readonly found: string;
}

/** A rendered file, and what is there in its place. */
export interface ComparedFile extends RenderedFile {
  readonly found: string | undefined;
}

/** Reads what a folder has in place of rendered files. */
export function compareFiles(files: readonly RenderedFile[], base: string): ComparedFile[] {
  return files.map(({ path, text }) => ({ path, text, found: readIfThere(join(base, path)) }));
}

/** Every file that is not as it was rendered, but for what a bot changed in its pins. */
export function findDrift(files: readonly ComparedFile[]): Drift[] {
  return files.flatMap(({ path, text, found }) => {
    if (found === text) return [];
    if (found === undefined) return [{ path, line: 1, expected: 'the rendered file', found: 'no such file' }];
    // A bot that updates pins everywhere can't know of the checksum: that alone is no drift.
    const expectedText = withPinStampOf(text, found);
    if (found === expectedText) return [];
    const [expectedLines, foundLines] = [expectedText.split('\n'), found.split('\n')];
    const differing = expectedLines.findIndex((line, at) => line !== foundLines[at]);
    const at = differing === -1 ? expectedLines.length : differing;
    const end = 'the end of the file';
    return [{ path, line: at + 1, expected: expectedLines[at] ?? end, found: foundLines[at] ?? end }];
  });
}

/** Files that were rendered once and are no longer: a pipeline run that is left behind would still be started. */
export function findStale(files: readonly RenderedFile[], base: string): string[] {
  const current = new Set(files.map(({ path }) => path));
  return ['.tekton', 'pipeline', 'pipeline/tasks', 'konflux'].flatMap((folder) =>
    list(join(base, folder))
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => `${folder}/${name}`)
      .filter((path) => !current.has(path) && readStamp(readIfThere(join(base, path)) ?? '') !== undefined),
  );
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

/** A file's text; undefined where there is no such file. */
function readIfThere(path: string): string | undefined {
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
