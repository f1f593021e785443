import { expect, it } from 'vitest';
import { LiveTree } from './live-tree.ts';

/** What a terminal shows after these writes: it knows "up n lines" and "clear below". */
function screenOf(writes: readonly string[]): string[] {
  const lines: string[] = [];
  for (const write of writes) {
    const up = /^\[(\d+)A.\[0J$/.exec(write.slice(1))?.[1];
    if (up !== undefined) lines.splice(lines.length - Number(up));
    else lines.push(...write.split('\n').filter((line) => line !== ''));
  }
  return lines;
}

it('keeps what has ended above what runs, in as many lines as the terminal has', () => {
  const writes: string[] = [];
  const tree = new LiveTree({ columns: 41, rows: 3, write: (text) => writes.push(text) });
  for (const task of ['a', 'b', 'c']) tree.show({ type: 'task-started', task });
  tree.show({ type: 'log', task: 'b', step: 'run', line: `\u001b[2J${'x'.repeat(100)}` });
  expect(screenOf(writes)).toEqual(['● a 0s  ', `● b 0s  run: \\u{1b}[2J${'x'.repeat(100)}`.slice(0, 40)]);
  tree.show({ type: 'task-finished', task: 'a', status: 'Failed', message: 'broken\nmore' });
  tree.show({ type: 'note', message: 'careful' });
  expect(screenOf(writes).map((line) => line.slice(0, 10))).toEqual([
    '✗ a 0s  br',
    '· careful',
    '● b 0s  ru',
    '● c 0s  ',
  ]);
  tree.end();
  expect(screenOf(writes)).toEqual(['✗ a 0s  broken', '· careful']);
});
