import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Progress } from './progress.ts';

const UP = /^\[(\d+)A.\[0J$/;

/** What a terminal shows after these writes: it knows "up n lines" and "clear below", and shows no colours. */
function screenOf(writes: readonly string[]): string[] {
  const lines: string[] = [];
  for (const write of writes) {
    const up = UP.exec(write.slice(1))?.[1];
    if (up !== undefined) lines.splice(lines.length - Number(up));
    else
      lines.push(
        ...stripVTControlCharacters(write)
          .split('\n')
          .filter((line) => line !== ''),
      );
  }
  return lines;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubEnv('CI', '');
  vi.stubEnv('TERM', 'xterm');
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

it('keeps what has ended above what runs, in as many lines as the terminal has', () => {
  const writes: string[] = [];
  const progress = new Progress({ isTTY: true, columns: 41, rows: 3, write: (text) => writes.push(text) });
  for (const task of ['a', 'b', 'c']) progress.started(task);
  progress.says('b', `\u001b[2J${'x'.repeat(100)}`);
  vi.advanceTimersByTime(200);
  expect(screenOf(writes)).toEqual(['… a 0.2 s', `… b 0.2 s  \\u{1b}[2J${'x'.repeat(100)}`.slice(0, 40)]);
  progress.ended('a', 'failed', 'broken\nmore');
  progress.line('careful');
  expect(screenOf(writes).map((line) => line.slice(0, 10))).toEqual([
    '✗ a    0.2',
    'careful',
    '… b 0.2 s ',
    '… c 0.2 s',
  ]);
  progress.stop();
  expect(screenOf(writes)).toEqual(['✗ a    0.2 s  broken\\u{a}more', 'careful']);
});

it('writes a line into a pipe for what starts and for what ends, and for what ends at once only that', () => {
  const writes: string[] = [];
  const progress = new Progress({ write: (text) => writes.push(text) });
  progress.started('a');
  progress.started('b');
  progress.ended('b', 'passed');
  progress.says('a', 'busy');
  vi.advanceTimersByTime(2000);
  progress.ended('a', 'passed');
  progress.stop();
  expect(writes.join('')).toBe('✓ b    0.0 s\n… a\n✓ a    2.0 s\n');
});

it('is never silent in a pipe while something runs, and says less often what takes long', () => {
  const writes: { at: number; text: string }[] = [];
  const progress = new Progress({ write: (text) => writes.push({ at: performance.now(), text }) });
  const began = performance.now();
  progress.started('a');
  progress.says('a', 'copying\u001b[2J');
  vi.advanceTimersByTime(60_000);
  const times = [began, ...writes.map(({ at }) => at)];
  const silences = times.slice(1).map((at, index) => at - (times[index] ?? 0));
  expect(Math.max(...silences)).toBeLessThan(3000);
  expect(writes.at(-1)?.text).toMatch(/^… a \d+\.\d s {2}copying\\u\{1b\}\[2J\n$/);
  const before = writes.length;
  vi.advanceTimersByTime(240_000);
  expect(writes.length - before).toBeLessThan(25);
  progress.stop();
});
