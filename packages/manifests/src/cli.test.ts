import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
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
  expect(run('render')).toMatchObject({ status: 0, stdout: expect.stringContaining('16 of 16 files written') });
  expect(run('render', '--check')).toMatchObject({ status: 0, stderr: '' });
  expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Usage: /) });
  expect(run('rendr')).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/^error USAGE: /) });
});

const script = spawnSync('script', ['--version']).status === 0;

// What it asks is in ask.test.ts: this is that a real terminal is taken for one, and given back.
test.skipIf(!script)(`Ctrl-C leaves configure with 130${script ? '' : ' (skipped: no script(1) here)'}`, async () => {
  using workspace = new Workspace();
  workspace.configure(TWO);
  const before = readFileSync(workspace.path('konflux.config.ts'), 'utf8');
  const command = ['--quiet', '--return', '--command', `${process.execPath} ${CLI} configure`, '/dev/null'];
  const child = spawn('script', command, { cwd: workspace.folder, env: { ...process.env, NO_COLOR: '1' } });
  let screen = '';
  child.stdout.on('data', (chunk) => {
    const wasAsked = screen.includes('The Konflux Application');
    screen += chunk;
    if (!wasAsked && screen.includes('The Konflux Application')) child.stdin.write('\u0003');
  });
  const [code] = await once(child, 'close');
  expect(screen).toContain('Nothing was written.');
  expect(code).toBe(130);
  expect(readFileSync(workspace.path('konflux.config.ts'), 'utf8')).toBe(before);
});
