import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { fileStamp, recall, remember, stampOf } from './memo.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tekton-local-test-'));
  vi.stubEnv('XDG_CACHE_HOME', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

it('remembers as long as the stamp is the same', async () => {
  expect(await recall('thing', 'a')).toBeUndefined();
  await remember('thing', { stamp: 'a', value: 'found' });
  expect(await recall('thing', 'a')).toBe('found');
  expect(await recall('thing', 'b')).toBeUndefined();
  expect(readdirSync(join(folder, 'tekton-local'))).toEqual(['thing.json']);
});

it('takes a damaged memo for none, and needs no place to write to', async () => {
  await remember('thing', { stamp: 'a', value: 'found' });
  writeFileSync(join(folder, 'tekton-local/thing.json'), '{"stamp":"a"');
  expect(await recall('thing', 'a')).toBeUndefined();
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'tekton-local/thing.json'));
  await remember('thing', { stamp: 'a', value: 'found' });
  expect(await recall('thing', 'a')).toBeUndefined();
});

it('stamps texts by their limits, and a file by what changes with it', async () => {
  expect(stampOf(['ab', 'c'])).not.toBe(stampOf(['a', 'bc']));
  const file = join(folder, 'file');
  expect(await fileStamp(file)).toBe('');
  writeFileSync(file, 'a');
  const before = await fileStamp(file);
  expect(await fileStamp(file)).toBe(before);
  writeFileSync(file, 'ab');
  expect(await fileStamp(file)).not.toBe(before);
});
