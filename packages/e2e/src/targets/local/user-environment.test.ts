import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { hasCommand } from '@multi-image/testing/command';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFakeRegistry } from '../../testing/fake-registry.ts';
import { userEnvironment } from './user-environment.ts';

// Somebody who is neither root nor has a session. What root may read tells nothing, so tests are done as that user.
const NOBODY = { uid: 65534, gid: 65534 };
const canBeNobody = process.getuid?.() === 0 && everybodyMayRead(import.meta.filename);

let folder: string;

function everybodyMayRead(path: string): boolean {
  const isOpen = (part: string): boolean => (statSync(part).mode & 0o001) !== 0 || part === path;
  for (let part = path; part !== '/'; part = dirname(part)) if (!isOpen(part)) return false;
  return true;
}

beforeAll(async () => {
  // Where everybody may look: the folder of a run of the tests is its user's alone.
  folder = await mkdtemp('/tmp/e2e-user-');
  await chmod(folder, 0o777);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('nothing is changed where the usual files may be read, or are not there', async () => {
  const runtime = join(folder, 'runtime');
  await mkdir(runtime);
  expect(await userEnvironment(folder, { HOME: folder, XDG_RUNTIME_DIR: runtime })).toEqual({});
});

test('a file that the user named stays', async () => {
  const named = { HOME: folder, REGISTRY_AUTH_FILE: '/root/no/such/file' };
  expect(await userEnvironment(folder, named)).toEqual({});
});

test.runIf(canBeNobody)(
  'a runtime folder of another user is none, and logins in the home folder are used',
  async () => {
    const foreign = join(folder, 'foreign');
    await mkdir(foreign, { mode: 0o700 });
    const home = join(folder, 'home');
    await mkdir(join(home, '.docker'), { recursive: true });
    const environment = { HOME: home, XDG_RUNTIME_DIR: foreign };
    const own = join(folder, `podman-run-${NOBODY.uid}`);
    // Below /run there is a folder of root's only where root has run a container.
    const changed = await userEnvironmentOf(environment);
    expect(changed).toEqual({ XDG_RUNTIME_DIR: own });
    expect(statSync(own)).toMatchObject({ uid: NOBODY.uid, mode: 0o40700 });
    // Where somebody else has it, there is none, and the system's place for logins is root's alone.
    await chmod(own, 0o500);
    const without = await userEnvironmentOf(environment);
    expect(without).toHaveProperty('XDG_RUNTIME_DIR', null);
    if (!('REGISTRY_AUTH_FILE' in without)) return;
    expect(await readFile(without.REGISTRY_AUTH_FILE ?? '', 'utf8')).toBe('{"auths":{}}\n');
    await writeFile(join(home, '.docker/config.json'), '{}');
    expect((await userEnvironmentOf(environment)).REGISTRY_AUTH_FILE).toBe(join(home, '.docker/config.json'));
  },
);

test.runIf(canBeNobody && hasCommand('skopeo'))(
  'skopeo says what is wrong with the image, not with the user',
  async () => {
    const registry = await startFakeRegistry();
    const more = await userEnvironmentOf({ HOME: folder });
    const { XDG_RUNTIME_DIR: _, ...env } = process.env;
    const args = ['inspect', '--raw', '--tls-verify=false', `docker://${registry.host}/no/image:latest`];
    const asked = promisify(execFile)('skopeo', args, { ...NOBODY, env: { ...env, HOME: folder, ...more }, cwd: '/' });
    const { stderr } = await asked.catch((error: { stderr: string }) => error);
    registry.stop();
    expect(stderr).toContain('no/image');
    expect(stderr).not.toContain('permission denied');
  },
);

/** Asked by a process of that user. What is to be taken away is null. */
async function userEnvironmentOf(environment: Record<string, string>): Promise<Record<string, string | null>> {
  const script = `
    import { userEnvironment } from ${JSON.stringify(join(import.meta.dirname, 'user-environment.ts'))};
    const [folder, environment] = JSON.parse(process.argv[1]);
    const changed = await userEnvironment(folder, environment);
    console.log(JSON.stringify(changed, (_, value) => value ?? null));`;
  const args = ['--input-type=module', '--eval', script, JSON.stringify([folder, environment])];
  const env = { ...process.env, TMPDIR: folder };
  const { stdout } = await promisify(execFile)(process.execPath, args, { ...NOBODY, env, cwd: '/' });
  return JSON.parse(stdout);
}
