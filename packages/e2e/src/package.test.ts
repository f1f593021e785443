import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repository } from './testing/cli-run.ts';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

let folder: string;
let installed: string;

/** Packs what is published, and puts it where it would be installed, with what it depends on beside it. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'e2e-package-'));
  installed = join(folder, 'node_modules/@multi-image/e2e');
  mkdirSync(installed, { recursive: true });
  const archive = join(folder, 'package.tgz');
  const run = (program: string, args: string[]) => execFileSync(program, args, { cwd: PACKAGE, stdio: 'pipe' });
  run(join(repository, 'node_modules/.bin/tsdown'), []);
  run('npx', ['--yes', '--prefer-offline', 'pnpm@12', 'pack', '--out', archive]);
  run('tar', ['--extract', '--strip-components=1', '--file', archive, '--directory', installed]);
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true });
    symlinkSync(join(PACKAGE, 'node_modules', name), join(folder, 'node_modules', name));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function command(...args: string[]) {
  const { bin } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  const options = { cwd: repository, env: { ...process.env, TMPDIR: folder, CI: '1' }, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(installed, bin['multi-image-e2e']), ...args],
    options,
  );
  return { status, output: stdout + stderr };
}

test('what is published says how it is called, and verifies', () => {
  const help = command('--help');
  expect(help).toMatchObject({ status: 0, output: expect.stringContaining('Usage: multi-image-e2e [options]') });
  expect(help.output).not.toContain('pnpm');
  const refused = command('verify', 'Not A Reference');
  expect(refused).toMatchObject({ status: 2, output: expect.stringContaining('error REFERENCE_INVALID') });
});

test('it has the Tasks that stand in for the catalog’s', () => {
  expect(existsSync(join(installed, 'dist/stand-ins/init.yaml'))).toBe(true);
});

test('its janitor removes what a run made that could not go on', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { status, output } = command('--port', String((server.address() as AddressInfo).port));
  server.close();
  expect(output).toContain('error PORT_TAKEN');
  expect(status).toBe(2);
  expect(readdirSync(folder).filter((name) => name.startsWith('multi-image-'))).toEqual([]);
});
