import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Secrecy } from './secrecy.ts';
import { loadState, StateKeeper, type TenantState } from './state.ts';

const place = { server: 'https://api.example', namespace: 'my-tenant', application: 'chain' };
const state: TenantState = { version: 1, ...place, startedAt: 1, before: [], finished: {} };
let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'e2e-state-'));
  file = join(folder, 'deep/state.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('what was noted is there, in the order in which it was, for its owner alone', async () => {
  const keeper = new StateKeeper(file, state, new Secrecy(() => ['very-secret']));
  for (let index = 0; index < 20; index++) keeper.note({ revision: `${index} very-secret` });
  await keeper.settled();
  expect(await loadState(file, place)).toEqual({ ...state, revision: '19 [hidden]' });
  expect(await readdir(join(folder, 'deep'))).toEqual(['state.json']);
});

test('whoever is killed while it writes leaves the old state or the new, never half of one', async () => {
  const script = `
    import { StateKeeper } from ${JSON.stringify(join(import.meta.dirname, 'state.ts'))};
    const keeper = new StateKeeper(process.argv[1], ${JSON.stringify(state)}, { cleanAll: (value) => value });
    for (let index = 0; ; index++) {
      keeper.note({ before: Array.from({ length: 100000 }, () => 'app-on-push-' + index) });
      await keeper.settled();
      if (index === 0) console.log('writing');
    }`;
  const rounds = Array.from({ length: 12 }, async (_, round) => {
    const own = join(folder, `${round}/state.json`);
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, own], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await sleep(20 + 7 * round);
    child.kill('SIGKILL');
    await once(child, 'close');
    const { before } = await loadState(own, place);
    expect(new Set(before).size).toBe(1);
    expect(before).toHaveLength(100_000);
  });
  await Promise.all(rounds);
});

test.each([
  ['', 'not JSON'],
  ['{"version":1,"server":"htt', 'not JSON'],
  ['null', 'version'],
  ['{"version":2}', 'version 2'],
  [JSON.stringify({ ...state, server: 'https://other.example' }), 'server https://other.example'],
  [JSON.stringify({ ...state, before: undefined }), 'missing'],
])('%j is no state', async (text, found) => {
  const broken = join(folder, 'state.json');
  await writeFile(broken, text);
  await expect(loadState(broken, place)).rejects.toMatchObject({
    code: 'STATE_INVALID',
    found: expect.stringContaining(found),
  });
  expect(await readFile(broken, 'utf8')).toBe(text);
});

test.each([
  ['a folder', '', 'a folder'],
  ['below a file', '/a-file/state.json', /EEXIST|ENOTDIR/],
  ['below what the kernel won’t hold', '/proc/nope/state.json', 'ENOENT'],
])('what can not be written (%s) is an error, and leaves nothing behind', async (_, path, found) => {
  await writeFile(join(folder, 'a-file'), '');
  const target = path.startsWith('/proc') ? path : join(folder, path);
  const keeper = new StateKeeper(target, state, new Secrecy(() => []));
  keeper.note({});
  await expect(keeper.settled()).rejects.toMatchObject({
    code: 'STATE_INVALID',
    expected: expect.stringContaining('a file'),
    found: expect.stringMatching(found),
    hint: expect.stringContaining('--state'),
  });
  expect(await readdir(folder)).toEqual(['a-file']);
  const beside = (await readdir(tmpdir())).filter((name) => name.startsWith(`${basename(folder)}.`));
  expect(beside).toEqual([]);
});
