import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run, runOrThrow } from './commands.ts';
import { CodedError } from './errors.ts';

it('passes arguments as they are', async () => {
  expect((await run('printf', ['%s|', '$(id)', '; rm -rf x', 'a b', '*'])).stdout).toBe('$(id)|; rm -rf x|a b|*|');
});

it('logs each line of both streams, also one that a progress bar ends', async () => {
  const lines: string[] = [];
  await run('sh', ['-c', 'printf "a\\rb\\nc"; echo d >&2'], { onLine: (line) => lines.push(line) });
  expect(lines.sort()).toEqual(['a', 'b', 'c', 'd']);
});

it('says what a program that failed said last', async () => {
  await expect(runOrThrow('sh', ['-c', 'echo why >&2; exit 3'])).rejects.toMatchObject({
    code: 'TOOL_FAILED',
    message: 'sh -c failed with exit code 3',
    found: 'why',
  });
});

it('says which program is missing', async () => {
  await expect(run('no-such-program', [])).rejects.toMatchObject({ code: 'TOOL_MISSING' });
});

it('ends a program and what it started', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kit-command-'));
  const file = join(folder, 'pid');
  try {
    const controller = new AbortController();
    const running = run('sh', ['-c', `sleep 60 & echo $! > ${file}; wait`], { signal: controller.signal, group: true });
    running.catch(() => undefined);
    while (!existsSync(file) || (await readFile(file, 'utf8')) === '')
      await new Promise((done) => setTimeout(done, 10));
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const pid = (await readFile(file, 'utf8')).trim();
    // Gone, or waiting for someone to take note of its end: the kernel ends it when it comes to it.
    const state = (): Promise<string> => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'x) Z');
    await expect.poll(state, { timeout: 20_000 }).toMatch(/\) [ZX]/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it('does not start once it is interrupted', async () => {
  const signal = AbortSignal.abort();
  await expect(run('true', [], { signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
});

it('ends a program that takes longer than it may', async () => {
  await expect(run('sleep', ['60'], { timeout: 20 })).rejects.toMatchObject({ code: 'INTERRUPTED' });
});

it('throws the error class of the package that asks', async () => {
  class Failure extends CodedError {}
  await expect(run('no-such-program', [], {}, Failure)).rejects.toBeInstanceOf(Failure);
});

it('runs many programs at once without many listeners', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  try {
    await Promise.all(Array.from({ length: 12 }, () => run('true', [])));
    // A warning comes in a tick of its own.
    await new Promise(setImmediate);
    expect(warnings).toEqual([]);
  } finally {
    process.off('warning', note);
  }
});
