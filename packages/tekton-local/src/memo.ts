import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { cacheFolder } from '@multi-image/kit/cache-folder';

/**
 * What is found, or was found while all that it depends on was the same, which is what the stamp lists. Saves time and
 * nothing else: where it can't be written down, it is found out again.
 */
export async function memoize(name: string, stamp: readonly string[], find: () => Promise<string>): Promise<string> {
  const file = cacheFolder('tekton-local', `${name}.json`);
  const key = createHash('sha256').update(JSON.stringify(stamp)).digest('hex');
  try {
    const memo = JSON.parse(await readFile(file, 'utf8')) as { stamp?: unknown; value?: unknown };
    if (memo.stamp === key && typeof memo.value === 'string') return memo.value;
  } catch {
    // There is none, or a damaged one.
  }
  const value = await find();
  const draft = `${file}.${randomUUID()}`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(draft, JSON.stringify({ stamp: key, value }));
    await rename(draft, file);
  } catch {
    await rm(draft, { force: true }).catch(() => undefined);
  }
  return value;
}

/** Changes whenever the file could have changed; empty if there is none. */
export async function fileStamp(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  if (found === undefined) return '';
  const { dev, ino, size, mtimeNs, ctimeNs } = found;
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
