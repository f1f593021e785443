import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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
