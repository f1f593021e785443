import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { plainEnvironment, runCommand } from './command.ts';
import { TektonLocalError } from './errors.ts';

it('passes arguments as they are', async () => {
  expect(await runCommand('printf', ['%s|', '$(id)', '; rm -rf x', 'a b', '*'])).toBe('$(id)|; rm -rf x|a b|*|');
});

it('gives the program no more of the environment than it needs', async () => {
  process.env.HTTP_PROXY = 'http://proxy.example.com';
  process.env.BUILDAH_FORMAT = 'docker';
  try {
    expect(await runCommand('env', [])).not.toMatch(/proxy|BUILDAH/i);
    expect(plainEnvironment({ A: '1' }).A).toBe('1');
  } finally {
    delete process.env.HTTP_PROXY;
    delete process.env.BUILDAH_FORMAT;
  }
});

it('says what a program that failed said last', async () => {
  const failed = runCommand('sh', ['-c', 'echo why >&2; exit 3']);
  await expect(failed).rejects.toBeInstanceOf(TektonLocalError);
  await expect(failed).rejects.toMatchObject({
    code: 'TOOL_FAILED',
    message: 'sh -c failed with exit code 3',
    found: 'why',
  });
});

it('ends a program and what it started', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tekton-local-command-'));
  const file = join(folder, 'pid');
  try {
    const controller = new AbortController();
    const running = runCommand('sh', ['-c', `sleep 60 & echo $! > ${file}; wait`], { signal: controller.signal });
    running.catch(() => undefined);
    while (!existsSync(file) || (await readFile(file, 'utf8')) === '')
      await new Promise((done) => setTimeout(done, 10));
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const pid = (await readFile(file, 'utf8')).trim();
    // Gone, or waiting for someone to take note of its end.
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'x) Z');
    expect(state).toMatch(/\) [ZX]/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
