import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Pins } from '../pins.ts';
import type { RenderedFile } from '../render/render.ts';
import { adopt, findAdoptions } from './adopt.ts';
import { type ComparedFile, readIfThere } from './compare.ts';
import { hasConflictMarkers, isMergedRendering } from './merge.ts';
import { readStamp, withPinStampOf } from './stamp.ts';

/** A rendered file that is not what it should be, and the first line where it shows. */
export interface Drift {
  readonly path: string;
  readonly line: number;
  readonly expected: string;
  readonly found: string;
}

/**
 * Every file that is not as it was rendered, but for pins that a bot moved: its pull request has to pass by itself, in
 * whichever of the files it changed them. The next rendering takes them over.
 */
export function findDrift(files: readonly ComparedFile[], pins: Pins): Drift[] {
  return files.flatMap((file) => {
    const { path, text, found } = file;
    if (found === text) return [];
    if (found === undefined) return [{ path, line: 1, expected: 'the rendered file', found: 'no such file' }];
    if (isMergedRendering(found)) {
      const line = found.split('\n').findIndex((line) => hasConflictMarkers(line)) + 1 || 1;
      return [{ path, line, expected: 'one rendered file', found: 'both sides of a merge: render settles it' }];
    }
    // A bot can't know of the checksum.
    const expectedText = withPinStampOf(adopt(text, findAdoptions([file], pins)), found);
    if (found === expectedText) return [];
    const [expectedLines, foundLines] = [expectedText.split('\n'), found.split('\n')];
    const differs = (line: string, at: number): boolean => line !== foundLines[at];
    // The checksum only follows from what differs below it.
    const below = expectedLines.findIndex((line, at) => differs(line, at) && !line.startsWith('# Checksums: '));
    const differing = below === -1 ? expectedLines.findIndex(differs) : below;
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

/** The drift that such a file is. */
export function staleDrift(path: string): Drift {
  return { path, line: 1, expected: 'no such file', found: 'a file that is no longer rendered' };
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
