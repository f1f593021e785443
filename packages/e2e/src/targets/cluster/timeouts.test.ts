import { expect, test } from 'vitest';
import { DEFAULT_TIMEOUTS, parseTimeouts } from './timeouts.ts';

test('one wait, all waits, the last word counts', () => {
  expect(parseTimeouts([])).toEqual(DEFAULT_TIMEOUTS);
  expect(parseTimeouts(['runs=4h', 'signed=90s'])).toEqual({ ...DEFAULT_TIMEOUTS, runs: 14_400_000, signed: 90_000 });
  expect(parseTimeouts(['10m', 'tests=1h'])).toMatchObject({ configured: 600_000, runs: 600_000, tests: 3_600_000 });
});

test.each(['', '4', 'runs=', 'never=4h', '0m', '-1h', '1d'])('refuses %j', (value) => {
  expect(() => parseTimeouts([value])).toThrow(expect.objectContaining({ code: 'USAGE' }));
});
