import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RenderedFile } from '../render/render.ts';
import { readIfThere } from './drift.ts';
import { readStamp } from './stamp.ts';

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
