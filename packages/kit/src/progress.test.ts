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

it('writes a line for what ends into a pipe, and nothing else', () => {
  const writes: string[] = [];
  const progress = new Progress({ write: (text) => writes.push(text) });
  progress.started('a');
  progress.says('a', 'busy');
  vi.advanceTimersByTime(2000);
  progress.ended('a', 'passed');
  progress.stop();
  expect(writes.join('')).toBe('✓ a    2.0 s\n');
});
