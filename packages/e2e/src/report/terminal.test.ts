import { stripVTControlCharacters } from 'node:util';
import { palette } from '@multi-image/kit/terminal';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { attested, chainOfMany, reportFor } from '../testing/report.ts';
import { renderReport } from './terminal.ts';

afterEach(() => vi.unstubAllEnvs());

const plain = palette({});

describe.each([80, 60])('in %i columns', (columns) => {
  test.each([
    ['two images', attested()],
    ['twelve images', chainOfMany(12)],
  ])('%s: no line is wider, but for a word that is, and what is broken stands under its beginning', (_, seen) => {
    const lines = renderReport(reportFor(seen), plain, columns);
    for (const line of lines.filter((text) => text.length > columns)) {
      // Alone in its line, or the first word that could not be broken off.
      expect(line.trim().split(/ +/).length, line).toBeLessThanOrEqual(3);
    }
    const words = (text: readonly string[]): string => text.join(' ').split(/\s+/).join(' ');
    expect(words(lines)).toBe(words(renderReport(reportFor(seen), plain)));
  });
});

test('of a chain of twelve images it shows what is alike a few times, and says how much more there is', () => {
  const lines = renderReport(reportFor(chainOfMany(12)), plain);
  expect(lines.length).toBeLessThan(180);
  expect(lines.join('\n')).toMatch(/✓ 9 more like these \(published\)/);
});

test('what failed is never left out', () => {
  const seen = chainOfMany(12);
  const images = seen.images.map((image) => ({
    ...image,
    latest: { ...image.latest, digest: `sha256:${'9'.repeat(64)}` },
  }));
  const text = renderReport(reportFor({ ...seen, images }), plain).join('\n');
  expect(text.match(/✗ .*: latest is the image of this run/g)).toHaveLength(12);
});

test.each([
  ['NO_COLOR', '1'],
  ['TERM', 'dumb'],
])('%s=%s gives the same text without colours', (name, value) => {
  const report = reportFor(attested());
  vi.stubEnv('NO_COLOR', '');
  vi.stubEnv('TERM', 'xterm');
  const coloured = renderReport(report, palette({ isTTY: true }), 80).join('\n');
  vi.stubEnv(name, value);
  const bare = renderReport(report, palette({ isTTY: true }), 80).join('\n');
  expect(coloured).toContain('\u001b[');
  expect(bare).not.toContain('\u001b');
  expect(stripVTControlCharacters(coloured)).toBe(bare);
});

test('the head says what it is of, when, and what was not the real thing', () => {
  const seen = { ...attested(), signer: 'stand-in' as const };
  const report = reportFor(seen, {
    date: '2026-01-02T03:04:05.000Z',
    baseImage: { pinned: ['a'], used: 'b', note: '' },
  });
  const head = renderReport(report, plain).slice(0, 8).join('\n');
  for (const text of ['chain', 'git.example/org/chain', report.revision, '2026-01-02 03:04 UTC', report.tool.version])
    expect(head).toContain(text);
  expect(head).toContain("the base image is this machine's Node");
  expect(head).toContain('a key of this run signed');
  expect(head).toContain('1 scan was skipped');
});
