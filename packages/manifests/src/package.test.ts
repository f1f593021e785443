import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { TWO } from './testing/chains.ts';
import { Workspace } from './testing/workspace.ts';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const BIN = join(PACKAGE, '../../node_modules/.bin');

test('what is published works by itself: packed, with its pins, its schema and its types', () => {
  using workspace = new Workspace();
  workspace.configure(TWO);
  const installed = workspace.path('node_modules/@multi-image/manifests');
  mkdirSync(installed, { recursive: true });
  const run = (program: string, args: string[], cwd = workspace.folder) =>
    execFileSync(program, args, { cwd, encoding: 'utf8', stdio: 'pipe' });

  run(join(BIN, 'tsdown'), [], PACKAGE);
  const archive = workspace.path('package.tgz');
  run('npx', ['--yes', '--prefer-offline', 'pnpm@12', 'pack', '--out', archive], PACKAGE);
  run('tar', ['--extract', '--strip-components=1', '--file', archive, '--directory', installed]);
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    bin: Record<string, string>;
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(manifest.dependencies)) {
    mkdirSync(dirname(workspace.path(`node_modules/${name}`)), { recursive: true });
    symlinkSync(join(PACKAGE, 'node_modules', name), workspace.path(`node_modules/${name}`));
  }

  const from = "from '@multi-image/manifests'";
  const config = `import { defineConfig } ${from};\nexport default defineConfig(${JSON.stringify(TWO)});\n`;
  workspace.write('konflux.config.ts', config);
  const command = (...args: string[]) =>
    run(process.execPath, [join(installed, manifest.bin['multi-image-manifests'] ?? ''), ...args]);
  expect(command('render')).toContain('16 of 16 files written');
  expect(command('configure', '--branch', 'dev')).toContain(`"git":{ branch: 'dev',`);
  const schema = createRequire(workspace.path('x.js')).resolve('@multi-image/manifests/konflux.config.schema.json');
  expect(command('schema')).toBe(readFileSync(schema, 'utf8'));

  // As `npm init` writes it.
  workspace.write('package.json', '{"type": "commonjs"}');
  const hint = expect.stringContaining('npm pkg set type=module');
  expect(() => command('doctor')).toThrowError(expect.objectContaining({ stderr: hint }));
  workspace.write('package.json', '{"type": "module"}');

  const checkTypes = () => run(join(BIN, 'tsc'), ['--noEmit', '--strict', '--module', 'nodenext', 'konflux.config.ts']);
  checkTypes();
  workspace.write('konflux.config.ts', config.replace('"role"', '"rule"'));
  expect(checkTypes).toThrowError(expect.objectContaining({ stdout: expect.stringContaining('"rule"') }));
});
