import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@multi-image/manifests';
import { commitAll, git, makeRepository } from '@multi-image/testing/source';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { writeRepository } from '../../../testing/tenant.ts';
import { findCommitProblems } from './commit.ts';

let folder: string;
let first: string;

const commit = (): string => commitAll(folder);

function edit(path: string, from: RegExp, to: string): void {
  const text = readFileSync(join(folder, path), 'utf8');
  expect(text).toMatch(from);
  writeFileSync(join(folder, path), text.replace(from, to));
}

async function problemsOf(revision: string): Promise<string[]> {
  const config = await loadConfig(join(folder, 'konflux.config.mjs'));
  const findings = await findCommitProblems({
    config,
    revision,
    gitUrl: `file://${folder}`,
    signal: AbortSignal.timeout(60_000),
  });
  return findings.map(({ level, what }) => `${level}: ${what}`);
}

beforeAll(async () => {
  ({ folder } = makeRepository({}));
  await writeRepository(folder, 'my-tenant');
  first = commit();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => git(folder, 'reset', '--quiet', '--hard', first));

test('a commit that is what the config says, and can be fetched', async () => {
  expect(await problemsOf(first)).toEqual([]);
});

test('a pipeline that somebody edited', async () => {
  edit('pipeline/unified-build.yaml', /name: init\n/, 'name: begin\n');
  const revision = commit();
  expect(await problemsOf(revision)).toEqual([
    `problem: pipeline/unified-build.yaml: at commit ${revision.slice(0, 12)} not what the config here says`,
  ]);
});

test('a pipeline that is not in the commit', async () => {
  git(folder, 'rm', '--quiet', 'pipeline/unified-build.yaml');
  expect(await problemsOf(commit())).toEqual([
    expect.stringContaining('problem: pipeline/unified-build.yaml: at commit'),
  ]);
});

test('pins that a bot moved are what the next rendering takes over', async () => {
  edit('pipeline/unified-build.yaml', /(task-init):[^@\s]+@sha256:[0-9a-f]{64}/, `$1:0.9@sha256:${'9'.repeat(64)}`);
  expect(await problemsOf(commit())).toEqual([]);
});

test('what is not committed is not built', async () => {
  edit('image1/Containerfile', /$/, '\n# more\n');
  expect(await problemsOf(first)).toEqual(['note: one uncommitted change is not in what is built']);
});

test('a commit that is not here, and not there', async () => {
  const findings = await problemsOf('f'.repeat(40));
  expect(findings).toEqual([
    expect.stringContaining(`has no commit ${'f'.repeat(40)}`),
    expect.stringContaining('note: this clone does not have the commit'),
  ]);
});
