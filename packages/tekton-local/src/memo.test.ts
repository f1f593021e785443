import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { fileStamp, memoize } from './memo.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tekton-local-test-'));
  vi.stubEnv('XDG_CACHE_HOME', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const memoOf = (...stamp: string[]) => memoize('thing', stamp, async () => 'found anew');
const remember = (...stamp: string[]) => memoize('thing', stamp, async () => 'found');

it('remembers as long as the stamp is the same', async () => {
  expect(await remember('a')).toBe('found');
  expect(await memoOf('a')).toBe('found');
  expect(await memoOf('b')).toBe('found anew');
  expect(readdirSync(join(folder, 'tekton-local'))).toEqual(['thing.json']);
});

it('takes a damaged memo for none, and needs no place to write to', async () => {
  await remember('a');
  writeFileSync(join(folder, 'tekton-local/thing.json'), '{"stamp":"a"');
  expect(await memoOf('a')).toBe('found anew');
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'tekton-local/thing.json'));
  expect(await remember('a')).toBe('found');
  expect(await memoOf('a')).toBe('found anew');
});

it('stamps texts by their limits, and a file by what changes with it', async () => {
  await remember('ab', 'c');
  expect(await memoOf('a', 'bc')).toBe('found anew');
  const file = join(folder, 'file');
  expect(await fileStamp(file)).toBe('');
  writeFileSync(file, 'a');
  const before = await fileStamp(file);
  expect(await fileStamp(file)).toBe(before);
  writeFileSync(file, 'ab');
  expect(await fileStamp(file)).not.toBe(before);
});
