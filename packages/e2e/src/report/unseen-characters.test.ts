import { palette, printableLines } from '@multi-image/kit/terminal';
import { describe, expect, test } from 'vitest';
import { criterion, skipped } from '../judge/criterion.ts';
import { wellDone } from '../testing/observation.ts';
import { reportFor } from '../testing/report.ts';
import { renderPage } from './html/page.ts';
import { renderJunit } from './junit.ts';
import { renderReport } from './terminal.ts';

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

const UNSEEN = [
  ...[0x7f, 0x85, 0xad, 0x61c, 0x115f, 0x180e, 0x2028, 0x2029, 0x3164, 0xfeff, 0xffff, 0xd800],
  ...range(0x200b, 0x200f),
  ...range(0x202a, 0x202e),
  ...range(0x2060, 0x206f),
  ...range(0xe0000, 0xe007f),
];

describe('what can’t be seen is written out, wherever a report is read', () => {
  const text = UNSEEN.map((code) => String.fromCodePoint(code)).join('x');
  const criteria = [criterion('a', 'a', [skipped('b', text)])];
  const report = reportFor({ ...wellDone(), revision: text });
  test.each([
    ['on a terminal', renderReport({ ...report, criteria }, palette(process.stderr)).join('\n')],
    ['in a page', renderPage({ ...report, criteria })],
    ['in JUnit', renderJunit({ ...report, criteria })],
  ])('%s', (_, shown) => {
    const raw = UNSEEN.filter((code) => [...shown].includes(String.fromCodePoint(code)));
    expect(raw.map((code) => code.toString(16))).toEqual([]);
    for (const code of UNSEEN) expect(shown).toContain(`\\u{${code.toString(16)}}`);
  });

  test('and nothing else is', () => {
    const seen = 'Grüße, 你好, שלום ✓ ⚠️ 👍🏽 c’est « là »';
    expect(printableLines(`${seen}\n\t${seen}`)).toEqual([seen, `  ${seen}`]);
    const page = renderPage({ ...report, criteria: [criterion('a', 'a', [skipped('b', `${seen}\n${seen}`)])] });
    expect(page).toContain(`${seen}\n${seen}`);
  });
});
