import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { preflight } from './preflight.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'preflight-test-'));
  vi.stubEnv('PATH', folder);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

async function program(name: string, body = ''): Promise<void> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
}

const present = [
  'git',
  'tar',
  'buildah',
  'podman',
  'runc',
  'jq',
  'skopeo',
  'pivot_root',
  'docker-registry',
  'newuidmap',
];

test('finds what is there and installs nothing', async () => {
  for (const name of present) await program(name);
  const { registry, installed } = await preflight({ install: true });
  expect(registry).toBe(join(folder, 'docker-registry'));
  expect(installed).toEqual([]);
});

test('installs what is missing, and only that', async () => {
  vi.spyOn(process, 'getuid').mockReturnValue(0);
  for (const name of present.filter((name) => name !== 'skopeo')) await program(name);
  // An apt-get that does what apt-get does here: afterwards skopeo is there.
  await symlink('/bin/cp', join(folder, 'cp'));
  await program('apt-get', `echo "$@" >>${folder}/log; case "$1" in install) cp ${folder}/git ${folder}/skopeo;; esac`);
  const { installed } = await preflight({ install: true });
  expect(installed).toEqual(['skopeo']);
  expect(await readFile(join(folder, 'log'), 'utf8')).toBe('update\ninstall --yes --no-install-recommends skopeo\n');
});

test.each([
  ['is not allowed to', { install: false, uid: 0 }],
  ['has no right to', { install: true, uid: 1000 }],
])('prints the exact command where it %s install', async (_, { install, uid }) => {
  vi.spyOn(process, 'getuid').mockReturnValue(uid);
  for (const name of present.filter((name) => name !== 'buildah')) await program(name);
  await program('apt-get', 'exit 99');
  await program('sudo', 'exit 1');
  const sudo = uid === 0 ? '' : 'sudo ';
  await expect(preflight({ install })).rejects.toMatchObject({
    code: 'TOOL_MISSING',
    message: 'missing on this machine: buildah',
    hint: expect.stringMatching(
      new RegExp(`^run: ${sudo}apt-get update && ${sudo}apt-get install --yes --no-install-recommends buildah`),
    ),
  });
});

test('wants for a user what root has no need of', async () => {
  for (const name of present.filter((name) => name !== 'newuidmap')) await program(name);
  await program('apt-get');
  vi.spyOn(process, 'getuid').mockReturnValue(1000);
  await expect(preflight({ install: false })).rejects.toMatchObject({
    code: 'TOOL_MISSING',
    message: 'missing on this machine: newuidmap',
    hint: expect.stringMatching(/^run: .* uidmap slirp4netns fuse-overlayfs$/),
  });
  await program('newuidmap');
  expect(await preflight({ install: false })).toMatchObject({ installed: [] });
});

test('an installation that fails says what the package manager said', async () => {
  vi.spyOn(process, 'getuid').mockReturnValue(0);
  await program('apt-get', 'echo "E: Unable to locate package" >&2; exit 100');
  await expect(preflight({ install: true })).rejects.toMatchObject({
    code: 'TOOL_MISSING',
    found: expect.stringContaining('E: Unable to locate package'),
  });
});

test('says that it needs Linux', async () => {
  vi.spyOn(process, 'platform', 'get').mockReturnValue('darwin');
  await expect(preflight({ install: true })).rejects.toMatchObject({ code: 'PLATFORM_UNSUPPORTED', found: 'darwin' });
});

test('says that docker is not used where it is there and what builds is not', async () => {
  for (const name of present.filter((name) => name !== 'podman')) await program(name);
  await program('docker');
  await expect(preflight({ install: false })).rejects.toMatchObject({
    code: 'TOOL_MISSING',
    hint: expect.stringContaining('docker is here and is not used'),
  });
});
