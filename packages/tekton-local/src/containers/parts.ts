import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runCommand } from '../command.ts';
import { failureText, TektonLocalError } from '../errors.ts';

/** A file of an image: where it comes from on this machine, and where it goes. */
export interface Part {
  from: string;
  to: string;
}

/** A program of this machine, at another path, with all that it needs to run. */
export async function partsOf(program: string, to: string, signal: AbortSignal | undefined): Promise<Part[]> {
  const from = await realpath(program);
  return [{ from, to }, ...(await findLibraries(from, signal)).map((path) => ({ from: path, to: path }))];
}

/** Copies the files into a folder that becomes an image's root, for all to read and execute. */
export async function copyParts(root: string, parts: readonly Part[]): Promise<void> {
  for (const { from, to } of parts) {
    const target = join(root, to);
    await makeFolder(dirname(target));
    await copyFile(from, target, constants.COPYFILE_FICLONE);
    await chmod(target, 0o755);
  }
}

/** A folder whose mode, and its parents', doesn't depend on the umask. */
export async function makeFolder(path: string): Promise<void> {
  const created = await mkdir(path, { recursive: true });
  if (created === undefined) return;
  for (let folder = path; ; folder = dirname(folder)) {
    await chmod(folder, 0o755);
    if (folder === created) return;
  }
}

/** The paths of the shared libraries and of the loader, as `ldd` finds them; none for a static program. */
async function findLibraries(program: string, signal: AbortSignal | undefined): Promise<string[]> {
  const output = await runCommand('ldd', [program], { signal }).catch((error: unknown) => {
    if (/not a (valid )?dynamic/i.test(failureText(error))) return '';
    throw error;
  });
  const paths: string[] = [];
  for (const line of output.split('\n')) {
    // `name => /path (0x…)`, `/path (0x…)`; the kernel's own `linux-vdso.so.1 (0x…)` has no file.
    const found = /^\s*(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/.exec(line);
    if (found?.[1] !== undefined) paths.push(found[1]);
    else if (/=> not found$/.test(line)) {
      throw new TektonLocalError('UNSUPPORTED', `a library that ${program} needs was not found`, {
        found: line.trim(),
      });
    }
  }
  return [...new Set(paths)].sort();
}
