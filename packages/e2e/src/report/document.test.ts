import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasCommand } from '@multi-image/testing/command';
import { readCommands } from '@multi-image/testing/document-commands';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(join(import.meta.dirname, path), 'utf8');

test('every field of the report is documented', () => {
  const documented = read('../../../../docs/report.md');
  const interfaces = [
    read('report.ts'),
    ...read('../judge/observation.ts')
      .split(/(?=export interface (?:TaskFacts|RunFacts))/)
      .slice(1, 3),
    read('../judge/criterion.ts'),
  ];
  const fields = interfaces
    .flatMap((text) => text.split('export interface ').slice(1))
    .filter((text) => /^(Report|ReportImage|TaskFacts|RunFacts|Evidence|Criterion)\b/.test(text))
    .flatMap((text) =>
      [...(text.split('\n}')[0] ?? '').matchAll(/^ {2}(?:readonly )?([a-zA-Z]+)\??:/gm)].map(([, field]) => field),
    );
  expect(fields.length).toBeGreaterThan(30);
  expect(fields.filter((field) => !documented.includes(`\`${field}`))).toEqual([]);
});

test.skipIf(!hasCommand('jq'))('its commands do what they say (skipped: no jq)', () => {
  const [block] = readCommands(join(import.meta.dirname, '../../../../docs/report.md')).filter(
    ({ by }) => by !== undefined,
  );
  const folder = mkdtempSync(join(tmpdir(), 'report-'));
  try {
    const criteria = ['passed', 'failed', 'skipped'].map((status) => ({ id: `is-${status}`, status }));
    writeFileSync(join(folder, 'report.json'), JSON.stringify({ criteria }));
    const { stdout } = spawnSync('bash', ['-euc', block?.text ?? ''], { cwd: folder, encoding: 'utf8' });
    expect(stdout).toBe('is-failed\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
