import { statSync, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { formatError } from '@multi-image/kit/error-text';
import { palette, printable } from '@multi-image/kit/terminal';
import { TektonLocalError } from '../errors.ts';

/** Editors write a file in several goes. */
const SETTLE = 200;

/**
 * Runs something again whenever one of the files and folders changes, until the signal comes; what changes meanwhile starts
 * it once more. An error is told, and waits for the next change.
 *
 * @returns What the last one answered.
 */
export async function rerunOnChange(
  paths: readonly string[],
  signal: AbortSignal,
  run: () => Promise<number>,
): Promise<number> {
  let changed: (() => void) | undefined;
  let isDue = false;
  let timer: NodeJS.Timeout | undefined;
  const note = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      isDue = true;
      changed?.();
    }, SETTLE);
  };
  const watchers = paths.map((path) => {
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
    // A file is watched by its folder: saving often puts another in its place.
    const folder = isFolder ? path : dirname(path);
    return watch(folder, { recursive: isFolder }, (_event, name) => {
      if (isFolder || name === null || name === basename(path)) note();
    });
  });
  const onAbort = (): void => changed?.();
  signal.addEventListener('abort', onAbort);
  try {
    for (;;) {
      isDue = false;
      const code = await attempt(run);
      if (signal.aborted) return code;
      process.stderr.write(`waiting for a change in ${printable(paths.map((path) => shortOf(path)).join(', '))}\n`);
      await new Promise<void>((resolve) => {
        changed = resolve;
        if (isDue || signal.aborted) resolve();
      });
      changed = undefined;
      if (signal.aborted) return code;
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    for (const watcher of watchers) watcher.close();
  }
}

async function attempt(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof TektonLocalError)) throw error;
    process.stderr.write(formatError(error, palette(process.stderr)));
    return 2;
  }
}

function shortOf(path: string): string {
  return join(basename(dirname(path)), basename(path));
}
