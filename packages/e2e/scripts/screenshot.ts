// Makes docs/report.png of a real local run: `pnpm screenshot`. Needs chromium on the PATH.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'multi-image-screenshot-'));

function run(program: string, args: readonly string[]): void {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'ignore'] });
  if (status !== 0) throw new Error(`${program} failed: ${error?.message ?? `exit code ${status}`}`);
}

try {
  const page = join(folder, 'report.html');
  run(process.execPath, [join(root, 'packages/e2e/src/cli.ts'), '--html', page]);
  run('chromium', [
    '--headless',
    // Without a sandbox of its own: the page is ours, has no script and loads nothing.
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--hide-scrollbars',
    `--user-data-dir=${join(folder, 'browser')}`,
    '--window-size=1000,1180',
    `--screenshot=${join(root, 'docs/report.png')}`,
    `file://${page}`,
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
