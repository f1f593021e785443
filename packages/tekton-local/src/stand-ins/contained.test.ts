import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '@multi-image/testing/source';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fileInside, pathInside, requireContained } from './contained.ts';

let parent: string;
let folder: string;

beforeEach(() => {
  parent = makeFolder({ 'inside/a/b.txt': '', 'inside-not/c.txt': '', 'secret.txt': '' });
  folder = join(parent, 'inside');
});

afterEach(() => rmSync(parent, { recursive: true, force: true }));

const UNSAFE = { code: 'UNSAFE_PATH' };

it('finds what is inside', async () => {
  symlinkSync('a/b.txt', join(folder, 'link'));
  expect(await pathInside(folder, './a/../a/b.txt', 'it')).toBe(join(folder, 'a/b.txt'));
  expect(await pathInside(folder, '.', 'it')).toBe(folder);
  expect(await fileInside(folder, 'link', 'it')).toBe(join(folder, 'a/b.txt'));
  expect(await fileInside(folder, 'a', 'it')).toBeUndefined();
  expect(await fileInside(folder, 'nothing', 'it')).toBeUndefined();
  await requireContained(folder);
});

it('goes out neither by a path nor by a link', async () => {
  symlinkSync('../secret.txt', join(folder, 'file'));
  symlinkSync('..', join(folder, 'up'));
  for (const path of ['../secret.txt', '../inside-not/c.txt', '/etc/passwd', 'file', 'up/secret.txt', 'a/../../x']) {
    await expect(pathInside(folder, path, 'it'), path).rejects.toMatchObject(UNSAFE);
  }
});

it.each(['../secret.txt', '../nothing', '/etc', '../inside-not', 'a/../..', '/'])(
  'finds the link to %s',
  async (target) => {
    mkdirSync(join(folder, 'x'));
    symlinkSync(target, join(folder, 'link'));
    await expect(requireContained(folder)).rejects.toMatchObject({ ...UNSAFE, found: `"link" → "${target}"` });
  },
);

it('finds a link that leads out by way of another', async () => {
  // Taken literally `a/hop/../b.txt` is inside; followed, it is one folder above.
  symlinkSync('..', join(folder, 'a/hop'));
  symlinkSync('a/hop/../secret.txt', join(folder, 'link'));
  await expect(requireContained(folder)).rejects.toMatchObject({ ...UNSAFE, found: '"link" → "a/hop/../secret.txt"' });
});

it('lets a link to nothing be, as long as it stays inside', async () => {
  symlinkSync('nothing/yet', join(folder, 'link'));
  await requireContained(folder);
});
