import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { findProgram } from './find-program.ts';

it('finds what a shell would run, and nothing else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'find-program-'));
  const more = join(folder, 'more');
  mkdirSync(join(folder, 'folder'));
  mkdirSync(more);
  for (const path of ['text', 'program', 'more/other']) writeFileSync(join(folder, path), '');
  for (const path of ['program', 'more/other']) chmodSync(join(folder, path), 0o755);
  vi.stubEnv('PATH', ['', folder].join(delimiter));
  expect(findProgram(['text', 'folder', 'missing'])).toBeUndefined();
  expect(findProgram(['missing', 'program'])).toBe(join(folder, 'program'));
  expect(findProgram(['other'])).toBeUndefined();
  expect(findProgram(['other'], [more])).toBe(join(more, 'other'));
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});
