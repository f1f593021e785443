import { Progress } from '@multi-image/kit/progress';
import { expect, it } from 'vitest';
import { showEvent } from './show.ts';

it('tells on a terminal what ended, and in one line why', () => {
  const writes: string[] = [];
  const progress = new Progress({ write: (text) => writes.push(text) });
  showEvent(progress, { type: 'task-started', task: 'a' });
  showEvent(progress, { type: 'log', task: 'a', step: 'run', line: '\u001b[2J' });
  showEvent(progress, { type: 'task-finished', task: 'a', status: 'Failed', message: '\u001b[2Jbroken\nmore' });
  showEvent(progress, { type: 'task-finished', task: 'b', status: 'Skipped', message: 'not today' });
  showEvent(progress, { type: 'note', message: 'careful' });
  expect(writes.join('').replace(/ +\d+ ms/, '')).toBe('✗ a  \\u{1b}[2Jbroken\n– b  not today\nnote: careful\n');
});
