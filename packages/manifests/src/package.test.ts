import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { TWO } from './testing/chains.ts';
import { Workspace } from './testing/workspace.ts';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

test('what is published works by itself: compiled, with its pins', async () => {
  const { default: manifest } = (await import('../package.json', { with: { type: 'json' } })) as {
    default: { files: string[] };
  };
  const folder = mkdtempSync(join(tmpdir(), 'package-'));
  using workspace = new Workspace();
  try {
    const tsc = join(PACKAGE, '../../node_modules/.bin/tsc');
    execFileSync(tsc, ['-p', join(PACKAGE, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')], {
      stdio: 'pipe',
    });
    for (const file of [...manifest.files, 'package.json']) {
      if (file !== 'dist') cpSync(join(PACKAGE, file), join(folder, file));
    }
    symlinkSync(join(PACKAGE, 'node_modules'), join(folder, 'node_modules'));
    workspace.configure(TWO);
    workspace.write('konflux.config.ts', `export default ${JSON.stringify(TWO)};\n`);
    const output = execFileSync(process.execPath, [join(folder, 'dist/cli.js'), 'render'], {
      cwd: workspace.folder,
      encoding: 'utf8',
    });
    expect(output).toContain('14 of 14 files written');
    expect(existsSync(join(folder, 'dist/testing'))).toBe(false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
