import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { tie } from '@multi-image/kit/tied';
import { onTestFinished } from 'vitest';

/** Characters of what a program said that are shown: what it hangs at comes last. */
const SHOWN = 8000;

/**
 * Starts a program for the test that is running. One that is still there when the test is over, as where its time ran out,
 * is ended, and the test fails with what the program had said: otherwise it would go on beside all that follows, and nobody
 * would learn where it hangs.
 */
export function startForTest(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): ChildProcessByStdio<null, Readable, Readable> {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said = (said + chunk).slice(-SHOWN);
    });
  }
  const { kill, release } = tie(child.pid);
  child.once('exit', release);
  onTestFinished(async () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    kill();
    await exit;
    const command = [program, ...args].join(' ');
    throw new Error(`still running when the test was over (process ${child.pid}): ${command}\nit had said:\n${said}`);
  });
  return child;
}
