// Makes docs/report.png of a real local run of HEAD: `pnpm screenshot`. Needs chromium on the PATH.
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'multi-image-screenshot-'));

function run(program: string, args: readonly string[], cwd = root): void {
  const { status, error } = spawnSync(program, args, { cwd, stdio: ['ignore', 'inherit', 'ignore'] });
  if (status !== 0) throw new Error(`${program} failed: ${error?.message ?? `exit code ${status}`}`);
}

try {
  const page = join(folder, 'report.html');
  // What is being edited is not in the picture.
  const checkout = join(folder, 'checkout');
  run('git', ['clone', '--quiet', root, checkout]);
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  appendFileSync(join(checkout, '.git/info/exclude'), 'node_modules\n');
  run(process.execPath, [join(root, 'packages/e2e/src/cli.ts'), '--html', page], checkout);
  run('chromium', [
    '--headless',
    // Without a sandbox of its own: the page is ours, has no script and loads nothing.
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--hide-scrollbars',
    `--user-data-dir=${join(folder, 'browser')}`,
    '--force-device-scale-factor=1.5',
    '--window-size=1000,1120',
    `--screenshot=${join(root, 'docs/report.png')}`,
    `file://${page}`,
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
