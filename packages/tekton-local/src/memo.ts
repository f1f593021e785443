import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { cacheFolder } from '@multi-image/kit/cache-folder';

/** What was found out, and a stamp of all that it depends on. */
export interface Memo {
  stamp: string;
  value: string;
}

/** What was found out while the stamp was the same. */
export async function recall(name: string, stamp: string): Promise<string | undefined> {
  try {
    const memo: unknown = JSON.parse(await readFile(fileOf(name), 'utf8'));
    if (typeof memo !== 'object' || memo === null || !('stamp' in memo) || !('value' in memo)) return undefined;
    return memo.stamp === stamp && typeof memo.value === 'string' ? memo.value : undefined;
  } catch {
    return undefined;
  }
}

/** Saves time and nothing else: where it can't be written, it is found out again. */
export async function remember(name: string, memo: Memo): Promise<void> {
  const file = fileOf(name);
  const draft = `${file}.${randomUUID()}`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(draft, JSON.stringify(memo));
    await rename(draft, file);
  } catch {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

/** A stamp of texts. */
export function stampOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Changes whenever the file could have changed; empty if there is none. */
export async function fileStamp(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  if (found === undefined) return '';
  const { dev, ino, size, mtimeNs, ctimeNs } = found;
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

function fileOf(name: string): string {
  return cacheFolder('tekton-local', `${name}.json`);
}
