import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ManifestsError } from '../errors.ts';

/** Writes files, all or none as far as a file system allows: nothing is replaced before all of them could be written. */
export function writeFiles(files: readonly { readonly path: string; readonly text: string }[]): void {
  const prepared: { temporary: string; path: string }[] = [];
  let current = '';
  try {
    for (const { path, text } of files) {
      current = path;
      mkdirSync(dirname(path), { recursive: true });
      const temporary = `${path}.${process.pid}.tmp`;
      prepared.push({ temporary, path });
      writeFileSync(temporary, text);
    }
    for (const { temporary, path } of prepared) {
      current = path;
      renameSync(temporary, path);
    }
  } catch (cause) {
    for (const { temporary } of prepared) rmSync(temporary, { force: true });
    throw new ManifestsError('TARGET_NOT_WRITABLE', `${current} can't be written`, {
      expected: 'a file that may be written, in a folder that may be written',
      found: (cause as NodeJS.ErrnoException).code ?? String(cause),
      cause,
    });
  }
}
