import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FETCH_SOURCE, READ_SNAPSHOT, REPORT } from './verify-chain.ts';

const jq = spawnSync('jq', ['--version']).status === 0;
const DIGEST = `sha256:${'ab'.repeat(32)}`;
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
  const both = snapshot([
    { name: 'app', containerImage: `quay.io/org/app@${OTHER}` },
    { name: 'scanner', containerImage: `quay.io/org/metadata@${DIGEST}` },
  ]);
  const names = () => ({
    COMPONENT: 'scanner',
    ENTRY_COMPONENT: 'app',
    ENTRY_RESULT: result('entry'),
    DIGEST_RESULT: result('digest'),
  });

  test('read what a Snapshot says, without a newline at the end', () => {
    expect(step(READ_SNAPSHOT, { SNAPSHOT: both, ...names() })).toMatchObject({ status: 0, stderr: '' });
    expect([text('entry'), text('digest')]).toEqual([`quay.io/org/app@${OTHER}`, DIGEST]);
  });

  test.each([
    ['a component that is not in it', snapshot([{ name: 'scanner', containerImage: 'x' }])],
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
      { result: 'FAILURE', successes: 0, failures: 1, note: expect.stringContaining('not linked') },
    ],
  ])('report %s', (_, linked, expected) => {
    if (linked !== undefined) writeFileSync(result('linked-digest'), linked);
    expect(step(REPORT, { EXPECTED: DIGEST, TEST_OUTPUT: result('output') })).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(text('output'))).toMatchObject({
      ...expected,
      warnings: 0,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    expect(text('output')).not.toMatch(/\n$/);
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
  expect(step(FETCH_SOURCE, { GIT_URL: origin, REVISION: 'no-such-branch' }).status).not.toBe(0);
  expect(step(FETCH_SOURCE, { GIT_URL: '--upload-pack=touch pwned', REVISION: 'main' }).status).not.toBe(0);
});
