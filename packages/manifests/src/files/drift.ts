import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function line(text: string | undefined): string {
  return text === undefined ? 'the end of the file' : text;
}
