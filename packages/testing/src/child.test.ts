import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFailed } from 'vitest';
import { startForTest } from './child.ts';

describe('a program that a test starts', () => {
  let child: ChildProcess;
  const failures: string[] = [];

  it('may end by itself', async () => {
    const echo = startForTest('echo', ['hello']);
    expect(await once(echo, 'close')).toEqual([0, null]);
  });

  it.fails('and goes on when the test is over makes it fail', async () => {
    onTestFailed(({ task }) => {
      for (const { message } of task.result?.errors ?? []) failures.push(message);
    });
    const hanging = startForTest('sh', ['-c', 'echo at step 3; exec sleep 600']);
    await once(hanging.stdout, 'data');
    child = hanging;
  });

  it('has then been ended, and what it had said is told', () => {
    expect(child.signalCode).toBe('SIGKILL');
    expect(failures).toEqual([expect.stringMatching(/^still running .*: sh -c .*\nit had said:\nat step 3\n$/s)]);
  });
});
