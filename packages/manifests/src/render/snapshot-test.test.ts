import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FETCH_HISTORY } from './create-snapshot.ts';
import { FETCH_SOURCE, REPORT } from './snapshot-test.ts';

const jq = spawnSync('jq', ['--version']).status === 0;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'verify-chain-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a step's script as Tekton would: from a file, with its environment; the work folder is a temporary one. */
function step(script: string, env: Record<string, string>): { status: number | null; stderr: string } {
  const file = join(folder, 'script');
  writeFileSync(file, script.replaceAll('/var/workdir', folder), { mode: 0o700 });
  const { PATH = '' } = process.env;
  return spawnSync(file, { env: { PATH, HOME: folder, ...env }, encoding: 'utf8' });
}

const gitIn =
  (origin: string) =>
  (...args: string[]): string =>
    execFileSync('git', ['-C', origin, '-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], {
      encoding: 'utf8',
    }).trim();

const result = (name: string): string => join(folder, name);
const text = (name: string): string => readFileSync(result(name), 'utf8');

describe('the step report', () => {
  test('hands on what was judged, as it is', () => {
    writeFileSync(result('test-output'), '{"result":"SUCCESS"}');
    expect(step(REPORT, { TEST_OUTPUT: result('output') })).toMatchObject({ status: 0, stderr: '' });
    expect(text('output')).toBe('{"result":"SUCCESS"}');
  });

  test('says that nothing was judged where the step before said nothing', () => {
    expect(step(REPORT, { TEST_OUTPUT: result('output') })).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(text('output'))).toMatchObject({
      result: 'ERROR',
      failures: 1,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
  });
});

const history = `the step fetch-history${jq ? '' : ' (skipped: no jq here)'}`;
test.skipIf(!jq)(`${history} writes the commit that was built and those before it`, () => {
  const origin = join(folder, 'origin');
  const git = gitIn(origin);
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', origin]);
  const commits = [1, 2, 3].map((number) => {
    git('commit', '--quiet', '--allow-empty', '-m', `${number}`);
    return git('rev-parse', 'HEAD');
  });
  const of = (revision: string) => {
    rmSync(result('commits'), { recursive: true, force: true });
    rmSync(result('history'), { force: true });
    const components = [
      { name: 'app', source: { git: { revision } } },
      { name: 'scanner', source: { git: { revision: commits[2] } } },
    ];
    const SNAPSHOT = JSON.stringify({ components });
    const env = { SNAPSHOT, BUILT: 'app', SOURCE: `file://${origin}`, GIT_CONFIG_GLOBAL: '/dev/null' };
    expect(step(FETCH_HISTORY, env).status).toBe(0);
    return existsSync(result('history')) ? text('history') : undefined;
  };
  git('config', 'uploadpack.allowFilter', 'true');
  git('config', 'uploadpack.allowAnySHA1InWant', 'true');
  expect(of(commits[1] ?? '')).toMatch(new RegExp(`^${commits[1]} \\d+\n${commits[0]} \\d+\n$`));
  // Who needs it says that it is not there.
  for (const revision of ['main', '--upload-pack=touch pwned', 'f'.repeat(40)]) expect(of(revision)).toBeUndefined();
  expect(step(FETCH_HISTORY, { SNAPSHOT: '{', BUILT: 'app', SOURCE: origin }).status).toBe(0);
});

test('the source is fetched at its branch or commit', () => {
  const origin = join(folder, 'origin');
  const git = gitIn(origin);
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', origin]);
  writeFileSync(join(origin, 'file'), 'content');
  git('add', '.');
  git('commit', '--quiet', '-m', 'x');
  for (const REVISION of ['main', git('rev-parse', 'HEAD')]) {
    expect(step(FETCH_SOURCE, { GIT_URL: origin, REVISION }).status).toBe(0);
    expect(text('source/file')).toBe('content');
    rmSync(result('source'), { recursive: true });
  }
  const tag = git('rev-parse', 'HEAD').replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
  git('branch', tag);
  // A branch may be called like a commit; it is not that commit.
  expect(step(FETCH_SOURCE, { GIT_URL: origin, REVISION: tag }).status).not.toBe(0);
  rmSync(result('source'), { recursive: true });
  expect(step(FETCH_SOURCE, { GIT_URL: origin, REVISION: 'no-such-branch' }).status).not.toBe(0);
  expect(step(FETCH_SOURCE, { GIT_URL: '--upload-pack=touch pwned', REVISION: 'main' }).status).not.toBe(0);
});
