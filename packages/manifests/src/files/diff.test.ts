import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuSeconds } from '@multi-image/testing/cpu-time';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unifiedDiff } from './diff.ts';

test('shows what changed, with three lines around it', () => {
  const before = ['1', '2', '3', '4', '5', '6', '7', '8', '9', ''].join('\n');
  expect(unifiedDiff('f', before, before.replace('5\n', 'five\n'))).toBe(
    ['--- f', '+++ f', '@@ -2,7 +2,7 @@', ' 2', ' 3', ' 4', '-5', '+five', ' 6', ' 7', ' 8'].join('\n'),
  );
  expect(unifiedDiff('f', before, before)).toBe('');
});

test('git apply makes the new text of the old one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'diff-'));
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd: e'), { minLength: 1, maxLength: 30 });
  try {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const [from, to] = [before, after].map((text) => `${text.join('\n')}\n`) as [string, string];
        if (from === to) return;
        writeFileSync(join(folder, 'f'), from);
        writeFileSync(join(folder, 'patch'), `${unifiedDiff('f', from, to)}\n`);
        execFileSync('git', ['apply', '--unidiff-zero', '-p0', 'patch'], { cwd: folder, stdio: 'pipe' });
        expect(readFileSync(join(folder, 'f'), 'utf8')).toBe(to);
      }),
      { numRuns: 40 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a file that is nothing like the other costs no more than a moment', () => {
  const lines = (word: string) => Array.from({ length: 20_000 }, (_, at) => `${word} ${at}`).join('\n');
  let diff = '';
  const seconds = cpuSeconds(() => {
    diff = unifiedDiff('f', lines('a'), lines('b'));
  });
  expect(seconds).toBeLessThan(2);
  expect(diff.slice(0, 50)).toMatch(/^--- f\n\+\+\+ f\n@@ -1,20000 \+1,20000 @@\n-a 0\n-a 1\n/);
});
