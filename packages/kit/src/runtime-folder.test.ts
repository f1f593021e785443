import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { runtimeFolder } from './runtime-folder.ts';

/** Of a user without a session: nobody has logged in with such an id. */
const USER = 4_000_000_001;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'runtime-folder-'));
  vi.stubEnv('TMPDIR', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

it('is the one of the session, also by a link', () => {
  const session = join(folder, 'session');
  mkdirSync(session, { mode: 0o700 });
  symlinkSync(session, join(folder, 'link'));
  expect(runtimeFolder({ XDG_RUNTIME_DIR: session })).toBe(session);
  expect(runtimeFolder({ XDG_RUNTIME_DIR: join(folder, 'link') })).toBe(join(folder, 'link'));
});

it('is as it was for root, who needs none', () => {
  vi.spyOn(process, 'getuid').mockReturnValue(0);
  expect(runtimeFolder({})).toBeUndefined();
  expect(runtimeFolder({ XDG_RUNTIME_DIR: '/run/user/1000' })).toBe('/run/user/1000');
});

it.skipIf(process.getuid?.() === 0)(
  'without a session is where podman has it by itself, and nobody else can go',
  () => {
    // This user has no folder of the system's, as under su.
    const own = join(folder, `podman-run-${process.getuid?.()}`);
    const found = runtimeFolder({});
    if (found?.startsWith('/run/user/')) return;
    expect(found).toBe(own);
    expect(statSync(own).mode & 0o777).toBe(0o700);
    expect(runtimeFolder({ XDG_RUNTIME_DIR: join(folder, 'not/there') })).toBe(own);
    chmodSync(own, 0o500);
    expect(runtimeFolder({})).toBeUndefined();
  },
);

it('is none where what is there is somebody else’s', () => {
  vi.spyOn(process, 'getuid').mockReturnValue(USER);
  mkdirSync(join(folder, 'session'), { mode: 0o700 });
  expect(runtimeFolder({ XDG_RUNTIME_DIR: join(folder, 'session') })).toBeUndefined();
  expect(statSync(join(folder, `podman-run-${USER}`)).uid).not.toBe(USER);
});
