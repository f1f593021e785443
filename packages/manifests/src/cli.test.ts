import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
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
  expect(run('rendr')).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/^error USAGE: /) });
});

const script = spawnSync('script', ['--version']).status === 0;

test.skipIf(!script)(`configure asks on a terminal${script ? '' : ' (skipped: no script(1) here)'}`, () => {
  using workspace = new Workspace();
  workspace.configure(TWO);
  // script(1) gives the command a terminal. An empty answer keeps what is there.
  const asked = (input: string) =>
    spawnSync('script', ['--quiet', '--return', '--command', `${process.execPath} ${CLI} configure`, '/dev/null'], {
      cwd: workspace.folder,
      env: { ...process.env, NO_COLOR: '1' },
      input,
      encoding: 'utf8',
    });
  const { stdout, status } = asked('\nmine\n\ndev\n\n');
  expect(stdout).toContain('namespace [tenant]: ');
  expect(stdout).toContain('branch [main]: ');
  expect(status).toBe(0);
  const ended = asked('\nmine\n\u0004');
  expect(ended).toMatchObject({ status: 2, stdout: expect.stringContaining('USAGE: no answer for git-url') });
  const source = readFileSync(workspace.path('konflux.config.ts'), 'utf8');
  expect(source).toContain(`"namespace": 'mine'`);
  expect(source).toContain(`branch: 'dev'`);
  expect(source).toContain('"registry": "quay.io/org"');
});
