import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Credentials } from './credentials.ts';
import { findInFiles } from './files.ts';

const { signal } = new AbortController();
const IMAGE = { registry: 'quay.io', repository: 'org/team/image' };

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'digest-chain-home-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const auth = (text: string): { auth: string } => ({ auth: Buffer.from(text).toString('base64') });
const login = (username: string, password: string): Credentials => ({ type: 'basic', username, password });

async function write(path: string, content: unknown): Promise<string> {
  const file = join(home, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

/** A credential helper on the PATH; it notes what it was asked. */
async function writeHelper(name: string, script: string): Promise<void> {
  const file = await write(
    `bin/docker-credential-${name}`,
    `#!/bin/sh\nread key\nprintf %s "$1 $key" >> ${home}/asked\n${script}\n`,
  );
  await chmod(file, 0o755);
}

function find(
  repository = IMAGE,
  { authFile, ...environment }: Record<string, string> & { authFile?: string } = {},
): Promise<Credentials | undefined> {
  const path = `${join(home, 'bin')}:${process.env.PATH}`;
  return findInFiles(repository, { environment: { HOME: home, PATH: path, ...environment }, authFile, signal });
}

const codeIs = (code: string): unknown => expect.objectContaining({ code });

describe('which file', () => {
  it('finds nothing where there is none', async () => {
    await expect(find()).resolves.toBeUndefined();
  });

  it('takes what a variable names before what lies in a usual place', async () => {
    const files = {
      '.config/containers/auth.json': 'config',
      'run/containers/auth.json': 'run',
      '.docker/config.json': 'docker',
      'elsewhere/config.json': 'DOCKER_CONFIG',
      'auth.json': 'REGISTRY_AUTH_FILE',
      'explicit.json': 'option',
    };
    for (const [file, user] of Object.entries(files)) {
      await write(file, { auths: { 'quay.io': auth(`${user}:secret`) } });
    }
    const environment: Record<string, string> = {};
    const found: unknown[] = [];
    const look = async (name: string, value: string): Promise<void> => {
      environment[name] = join(home, value);
      found.push(await find(IMAGE, environment));
    };
    found.push(await find());
    await look('XDG_RUNTIME_DIR', 'run');
    await look('DOCKER_CONFIG', 'elsewhere');
    await look('REGISTRY_AUTH_FILE', 'auth.json');
    await look('authFile', 'explicit.json');
    const users = ['docker', 'docker', 'DOCKER_CONFIG', 'REGISTRY_AUTH_FILE', 'option'];
    expect(found).toEqual(users.map((user) => login(user, 'secret')));
    await rm(join(home, '.docker'), { recursive: true });
    await expect(find(IMAGE, { XDG_RUNTIME_DIR: join(home, 'run') })).resolves.toEqual(login('run', 'secret'));
    await expect(find()).resolves.toEqual(login('config', 'secret'));
  });

  it('goes on to the next file where one has nothing for the repository', async () => {
    await write('.docker/config.json', { auths: { 'other.example': auth('a:b'), 'quay.io': {} } });
    await write('.config/containers/auth.json', { auths: { 'quay.io/org': auth('podman:secret') } });
    await expect(find()).resolves.toEqual(login('podman', 'secret'));
  });

  it('says which file it can not use, and nothing of what is in it', async () => {
    for (const [content, reason] of [
      ['{"auths": {"quay.io": {"auth": "aHVudGVyMg==hunter2', 'it is not JSON'],
      ['{"auths":{"hunter2":1,"hunter2":2}}', 'it has the same key twice'],
      ['hunter2', 'it is not JSON'],
      [{ auths: { 'quay.io': auth('hunter2') } }, 'auths["quay.io"].auth is not base64 of "user:password"'],
      [{ auths: { 'quay.io': { auth: 'hunter2!' } } }, 'auths["quay.io"].auth is not base64 of "user:password"'],
    ] as const) {
      const file = await write('.docker/config.json', content);
      const error = await find().catch((failure: unknown) => failure);
      expect(error).toMatchObject({ code: 'CREDENTIALS_INVALID', found: `${file}: ${reason}` });
      expect(`${JSON.stringify(error)} ${error} ${(error as Error).cause}`).not.toMatch(/hunter2/);
    }
  });

  it('refuses a named file that is not there', async () => {
    await expect(find(IMAGE, { authFile: join(home, 'none.json') })).rejects.toEqual(codeIs('CREDENTIALS_INVALID'));
    await mkdir(join(home, '.docker/config.json'), { recursive: true });
    await expect(find()).rejects.toEqual(codeIs('CREDENTIALS_INVALID'));
  });
});

describe('which entry', () => {
  it('takes the longest key that is a whole part of the path', async () => {
    const keys = [
      'quay.io',
      'quay.io/org',
      'quay.io/org/team',
      'quay.io/org/team/image',
      'quay.io/org/tea',
      'quay.io/or',
    ];
    await write('.docker/config.json', { auths: Object.fromEntries(keys.map((key) => [key, auth(`${key}:secret`)])) });
    const cases = {
      'org/team/image': 'quay.io/org/team/image',
      'org/team/image2': 'quay.io/org/team',
      'org/teams/image': 'quay.io/org',
      'organisation/image': 'quay.io',
    };
    for (const [repository, key] of Object.entries(cases)) {
      await expect(find({ registry: 'quay.io', repository })).resolves.toEqual(login(key, 'secret'));
    }
    await expect(find({ registry: 'quay.io.evil.example', repository: 'org' })).resolves.toBeUndefined();
    await expect(find({ registry: 'evil-quay.io', repository: 'org' })).resolves.toBeUndefined();
    await expect(find({ registry: 'quay.io:8443', repository: 'org' })).resolves.toBeUndefined();
  });

  it('knows the ways in which tools have written keys', async () => {
    const repository = 'library/ubuntu';
    for (const key of ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io', 'registry-1.docker.io']) {
      await write('.docker/config.json', { auths: { [key]: auth('hub:secret') } });
      await expect(find({ registry: 'docker.io', repository })).resolves.toEqual(login('hub', 'secret'));
    }
    await write('.docker/config.json', {
      auths: { 'https://Quay.io/v2/': auth('u:p'), 'quay.io/v1': auth('narrow:p') },
    });
    await expect(find()).resolves.toEqual(login('u', 'p'));
    await write('.docker/config.json', { auths: { 'quay.io/org/v1': auth('narrow:p') } });
    await expect(find()).resolves.toBeUndefined();
    await write('.docker/config.json', { auths: { 'http://localhost:5000': auth('u:p') } });
    await expect(find({ registry: 'localhost:5000', repository: 'x' })).resolves.toEqual(login('u', 'p'));
  });

  it('reads every kind of entry', async () => {
    const entries: [unknown, Credentials | undefined][] = [
      [auth('user:pass:word'), login('user', 'pass:word')],
      [auth('<token>:identity'), { type: 'identity', token: 'identity' }],
      [
        { ...auth('user:x'), identitytoken: 'identity' },
        { type: 'identity', token: 'identity' },
      ],
      [{ registrytoken: 'bearer' }, { type: 'bearer', token: 'bearer' }],
      [{ username: 'user', password: 'secret' }, login('user', 'secret')],
      [{ auth: '' }, undefined],
      [{}, undefined],
      [null, undefined],
      ['text', undefined],
    ];
    for (const [entry, expected] of entries) {
      await write('.docker/config.json', { auths: { 'quay.io': entry } });
      await expect(find()).resolves.toEqual(expected);
    }
  });

  it('does not take a member of Object for an entry', async () => {
    await write('.docker/config.json', '{"auths":{"__proto__":{"auth":"dTpw"}},"credHelpers":{}}');
    await expect(find({ registry: 'constructor', repository: 'x' })).resolves.toBeUndefined();
    await expect(find({ registry: '__proto__', repository: 'x' })).resolves.toEqual(login('u', 'p'));
  });
});

describe('credential helpers', () => {
  it('asks the helper of the longest key, before what stands in the file for that key', async () => {
    await writeHelper('mine', 'echo \'{"ServerURL":"x","Username":"helper","Secret":"s3cret"}\'');
    await write('.docker/config.json', {
      credHelpers: { 'quay.io/org': 'mine' },
      auths: { 'quay.io/org': auth('file:x'), 'quay.io': auth('wide:x') },
      credsStore: 'none',
    });
    await expect(find()).resolves.toEqual(login('helper', 's3cret'));
    expect(await readFile(join(home, 'asked'), 'utf8')).toBe('get quay.io/org');
    await expect(find({ registry: 'quay.io', repository: 'other' })).resolves.toEqual(login('wide', 'x'));
  });

  it('asks the store last, and for Docker Hub by its old address', async () => {
    await writeHelper('store', 'echo \'{"Username":"<token>","Secret":"identity"}\'');
    await write('.docker/config.json', { credsStore: 'store', auths: { 'https://index.docker.io/v1/': {} } });
    const found = await find({ registry: 'docker.io', repository: 'library/ubuntu' });
    expect(found).toEqual({ type: 'identity', token: 'identity' });
    expect(await readFile(join(home, 'asked'), 'utf8')).toBe('get https://index.docker.io/v1/');
  });

  it('goes on where a helper has none', async () => {
    await writeHelper('empty', 'echo credentials not found in native keychain; exit 1');
    await write('.docker/config.json', { credHelpers: { 'quay.io': 'empty' }, auths: { 'quay.io': auth('file:x') } });
    await expect(find()).resolves.toEqual(login('file', 'x'));
    await write('.docker/config.json', { credsStore: 'empty' });
    await expect(find()).resolves.toBeUndefined();
  });

  it.each([
    ['ends with an error', 'echo hunter2; echo hunter2 >&2; exit 3'],
    ['answers something else', 'echo hunter2'],
    ['answers without end', 'yes hunter2'],
  ])('says when a helper %s, and nothing of what it printed', async (_, script) => {
    await writeHelper('broken', script);
    await write('.docker/config.json', { credHelpers: { 'quay.io': 'broken' } });
    const error = await find().catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'CREDENTIALS_INVALID',
      message: expect.stringContaining('docker-credential-broken'),
    });
    expect(`${JSON.stringify(error)} ${(error as Error).cause}`).not.toMatch(/hunter2/);
  });

  it('says when a helper is not installed, or has no name for a program', async () => {
    for (const name of ['not-there', '../bin/evil', 'a b', '', '-x']) {
      await write('.docker/config.json', { credHelpers: { 'quay.io': name } });
      if (name === '') await expect(find()).resolves.toBeUndefined();
      else await expect(find()).rejects.toEqual(codeIs('CREDENTIALS_INVALID'));
    }
  });

  it('does not wait for a helper once it is stopped', async () => {
    await writeHelper('slow', 'exec sleep 600');
    await write('.docker/config.json', { credHelpers: { 'quay.io': 'slow' } });
    const environment = { HOME: home, PATH: `${join(home, 'bin')}:${process.env.PATH}` };
    const stopped = AbortSignal.timeout(100);
    await expect(findInFiles(IMAGE, { environment, authFile: undefined, signal: stopped })).rejects.toHaveProperty(
      'name',
      'TimeoutError',
    );
  });
});
