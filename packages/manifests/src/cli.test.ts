import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { TWO } from './testing/chains.ts';
import { Workspace } from './testing/workspace.ts';

const CLI = fileURLToPath(new URL('cli.ts', import.meta.url));

test('runs as a command, from source, in the folder of the config', () => {
  using workspace = new Workspace();
  workspace.configure(TWO);
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [CLI, ...args], { cwd: workspace.folder, encoding: 'utf8' });
  expect(run('render')).toMatchObject({ status: 0, stdout: expect.stringContaining('14 of 14 files written') });
  expect(run('render', '--check')).toMatchObject({ status: 0, stderr: '' });
  expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Usage: /) });
  expect(run('rendr')).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/^USAGE: /) });
});
