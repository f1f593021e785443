import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FETCH_SOURCE, READ_SNAPSHOT, REPORT } from './verify-chain.ts';

const jq = spawnSync('jq', ['--version']).status === 0;
const DIGEST = `sha256:${'ab'.repeat(32)}`;
const COMMIT = 'c'.repeat(40);
const OTHER = `sha256:${'cd'.repeat(32)}`;
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

const result = (name: string): string => join(folder, name);
const text = (name: string): string => readFileSync(result(name), 'utf8');

describe.skipIf(!jq)(`the steps' scripts${jq ? '' : ' (skipped: no jq here)'}`, () => {
  const snapshot = (components: object[]) => JSON.stringify({ application: 'chain', components });
  const builtFrom = (git: object) =>
    snapshot([
      { name: 'app', containerImage: `quay.io/org/app@${OTHER}` },
      { name: 'scanner', containerImage: `quay.io/org/metadata@${DIGEST}`, source: { git } },
    ]);
  const both = builtFrom({ url: 'https://git.example/Org/chain.git', revision: COMMIT });
  const names = () => ({
    COMPONENT: 'scanner',
    ENTRY_COMPONENT: 'app',
    SOURCE: 'https://git.example/org/chain',
    PUBLIC_KEY: '',
    BUILDER_ID: '',
    EVENT: 'push',
    PULL_REQUEST: '',
    ENTRY_RESULT: result('entry'),
    DIGEST_RESULT: result('digest'),
    PROBLEM_RESULT: result('problem'),
    DEMANDS_RESULT: result('demands'),
  });
  /** What is demanded of a Snapshot, and what is wrong with it. */
  const read = (SNAPSHOT: string, env: Record<string, string> = {}) => {
    expect(step(READ_SNAPSHOT, { SNAPSHOT, ...names(), ...env })).toMatchObject({ status: 0, stderr: '' });
    return { demands: JSON.parse(text('demands')) as string[], problem: text('problem') };
  };

  test('read what a Snapshot says, without a newline at the end', () => {
    expect(read(both)).toEqual({ demands: [`--revision=${COMMIT}`], problem: '' });
    expect([text('entry'), text('digest')]).toEqual([`quay.io/org/app@${OTHER}`, DIGEST]);
  });

  const key = { PUBLIC_KEY: 'a key' };
  const push = [`--revision=${COMMIT}`, '--key=env://PUBLIC_KEY', '--source=https://git.example/org/chain'];
  const fork = 'https://git.example/stranger/chain';
  const pull = [...push.slice(0, 2), `--source=${fork}`, '--allow-pull-request'];

  test('with a key, a push has to be built from the repository of the config', () => {
    expect(read(both, key)).toEqual({ demands: push, problem: '' });
    expect(read(both, { ...key, EVENT: '' }).demands).toEqual(push);
    expect(read(both, { ...key, BUILDER_ID: 'https://builder.example' }).demands).toContain(
      '--builder-id=https://builder.example',
    );
  });

  test.each([
    ['a fork', { url: fork, revision: COMMIT }, 'the Snapshot was built from another repository'],
    ['a branch', { url: 'https://git.example/org/chain', revision: 'main' }, 'the Snapshot names no commit'],
    [
      'options',
      { url: 'https://git.example/org/chain', revision: `${COMMIT}\n--allow-pull-request` },
      'the Snapshot names no commit',
    ],
  ])('a push of %s is a problem, and demands no less', (_, git, problem) => {
    const found = read(builtFrom(git), key);
    expect(found.problem).toBe(problem);
    expect(found.demands.slice(1)).toEqual(push.slice(1));
  });

  test.each<Record<string, string>>([
    { EVENT: 'pull_request' },
    { EVENT: 'Merge Request' },
    { EVENT: 'retest-comment', PULL_REQUEST: '7' },
  ])('a pull request (%j) may come from a fork', (event) => {
    expect(read(builtFrom({ url: fork, revision: COMMIT }), { ...key, ...event })).toEqual({
      demands: pull,
      problem: '',
    });
    const more = read(builtFrom({ url: `${fork}\n--key=/dev/null`, revision: COMMIT }), { ...key, ...event });
    expect(more.problem).toBe('the Snapshot names no repository');
    expect(more.demands).toHaveLength(4);
  });

  test.each([
    ['a component that is not in it', snapshot([{ name: 'scanner', containerImage: 'x' }])],
    [
      'no source',
      snapshot([
        { name: 'app', containerImage: 'x' },
        { name: 'scanner', containerImage: 'x' },
      ]),
    ],
    ['a component without an image', snapshot([{ name: 'app' }, { name: 'scanner', containerImage: 'x' }])],
    ['no JSON', '{'],
    ['a name that is code', '$(touch pwned)'],
  ])('fail on %s', (_, SNAPSHOT) => {
    expect(step(READ_SNAPSHOT, { SNAPSHOT, ...names() }).status).not.toBe(0);
  });

  test.each([
    ['the same digest', DIGEST, { result: 'SUCCESS', successes: 1, failures: 0 }],
    ['another digest', OTHER, { result: 'FAILURE', successes: 0, failures: 1, note: expect.stringContaining(OTHER) }],
    [
      'no link',
      undefined,
      { result: 'FAILURE', successes: 0, failures: 1, note: expect.stringContaining('not proved') },
    ],
  ])('report %s', (_, linked, expected) => {
    if (linked !== undefined) writeFileSync(result('linked-digest'), linked);
    const env = { EXPECTED: DIGEST, PROBLEM: '', PUBLIC_KEY: 'a key', TEST_OUTPUT: result('output') };
    expect(step(REPORT, env)).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(text('output'))).toMatchObject({
      ...expected,
      warnings: 0,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    expect(text('output')).not.toMatch(/\n$/);
  });

  test('report what is not known without a key, and what is wrong with the Snapshot itself', () => {
    writeFileSync(result('linked-digest'), DIGEST);
    const env = { EXPECTED: DIGEST, PROBLEM: '', PUBLIC_KEY: '', TEST_OUTPUT: result('output') };
    expect(step(REPORT, env).status).toBe(0);
    expect(JSON.parse(text('output'))).toMatchObject({
      result: 'SUCCESS',
      warnings: 1,
      note: expect.stringContaining('who built it is not known'),
    });
    expect(step(REPORT, { ...env, PUBLIC_KEY: 'a key', PROBLEM: 'built from a fork' }).status).toBe(0);
    expect(JSON.parse(text('output'))).toMatchObject({ result: 'FAILURE', note: 'built from a fork', warnings: 0 });
  });
});

test('the source is fetched at its branch or commit', () => {
  const origin = join(folder, 'origin');
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', origin, '-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], {
      encoding: 'utf8',
    }).trim();
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
