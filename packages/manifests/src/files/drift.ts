import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ManifestsError } from '../errors.ts';
import type { RenderedFile } from '../render/render.ts';
import { withPinStampOf } from './stamp.ts';

/** A rendered file that is not what it should be, and the first line where it shows. */
export interface Drift {
  readonly path: string;
  readonly line: number;
  readonly expected: string;
  readonly found: string;
}

/** Compares rendered files with those in a folder. */
export function findDrift(files: readonly RenderedFile[], base: string): Drift[] {
  return files.flatMap(({ path, text }) => {
    const found = readIfThere(join(base, path));
    if (found === text) return [];
    if (found === undefined) return [{ path, line: 1, expected: 'the rendered file', found: 'no such file' }];
    // A bot that updates pins everywhere can't know of the checksum: that alone is no drift.
    const expectedText = withPinStampOf(text, found);
    if (found === expectedText) return [];
    const expectedLines = expectedText.split('\n');
    const foundLines = found.split('\n');
    const index = expectedLines.findIndex((line, at) => line !== foundLines[at]);
    const at = index === -1 ? expectedLines.length : index;
    return [{ path, line: at + 1, expected: line(expectedLines[at]), found: line(foundLines[at]) }];
  });
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

function line(text: string | undefined): string {
  return text === undefined ? 'the end of the file' : text;
}
