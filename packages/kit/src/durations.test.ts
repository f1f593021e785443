import { expect, it } from 'vitest';
import { formatDuration, formatLimit, formatSpan, parseDuration } from './durations.ts';

it.each([
  ['1h30m0s', 5_400_000],
  ['90s', 90_000],
  ['500ms', 500],
  ['1.5m', 90_000],
  ['0', 0],
  ['1', undefined],
  ['1d', undefined],
  ['-1s', undefined],
  ['', undefined],
])('reads %s', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

it('writes what something took, a Go duration, and a limit', () => {
  expect([0, 12, 99.6, 6234, 59_400, 59_900, 725_000].map(formatSpan)).toEqual([
    '0.0 s',
    '12 ms',
    '100 ms',
    '6.2 s',
    '59.4 s',
    '1 min 0 s',
    '12 min 5 s',
  ]);
  expect([2500, 90_000, 3_661_000].map(formatDuration)).toEqual(['2.5s', '1m30s', '1h1m1s']);
  expect([1000, 90_000, 900_000, 14_400_000].map(formatLimit)).toEqual([
    '1 second',
    '90 seconds',
    '15 minutes',
    '4 hours',
  ]);
});
