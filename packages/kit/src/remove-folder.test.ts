import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { removeFolder } from './remove-folder.ts';

it.skipIf(process.getuid?.() !== 0)(
  'removes a folder with mounts in it, as a killed build leaves them (needs root)',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'remove folder-'));
    const inner = join(folder, 'storage/inner');
    mkdirSync(inner, { recursive: true });
    execFileSync('mount', ['--bind', join(folder, 'storage'), join(folder, 'storage')]);
    mkdirSync(inner, { recursive: true });
    execFileSync('mount', ['--bind', inner, inner]);
    writeFileSync(join(inner, 'file'), '');
    await removeFolder(folder);
    expect(existsSync(folder)).toBe(false);
    expect(execFileSync('cat', ['/proc/self/mountinfo'], { encoding: 'utf8' })).not.toContain('remove\\040folder-');
  },
);

it('has nothing to do for a folder that is not there', async () => {
  await expect(removeFolder(join(tmpdir(), 'never-made-by-anybody'))).resolves.toBeUndefined();
});
