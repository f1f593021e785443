import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRegistry } from '@multi-image/digest-chain/oci';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { commitAll, git, makeFolder, makeRepository } from '@multi-image/testing/source';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fail, result, runTask, succeed, type TaskRun } from '../../testing/stand-ins/run-task.ts';
import { useTrustedArtifact } from './trusted-artifacts.ts';

let registry: TestRegistry;
const folders: string[] = [];

beforeAll(async () => {
  registry = await startTestRegistry();
});

afterAll(async () => {
  await registry?.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function repository(files: Record<string, string>): { folder: string; commit: string } {
  const made = makeRepository(files);
  folders.push(made.folder);
  return made;
}

const URL = 'https://example.com/org/source.git';

const clone = (...args: Parameters<typeof attempt>): Promise<TaskRun> => succeed(attempt(...args));

function attempt(fetchFrom: string, params: Record<string, string> = {}, signal?: AbortSignal): Promise<TaskRun> {
  const ociStorage = `${registry.host}/org/image:tag.git`;
  return runTask('git-clone-oci-ta', { url: URL, ociStorage, ...params }, { fetchFrom, signal });
}

async function unpack(run: TaskRun): Promise<string> {
  const folder = makeFolder({});
  folders.push(folder);
  await useTrustedArtifact(createRegistry(), result(run, 'SOURCE_ARTIFACT'), folder);
  return folder;
}

it('clones a commit that is no longer the newest, and says what it is', async () => {
  const { folder, commit } = repository({ 'a.txt': 'first' });
  writeFileSync(join(folder, 'a.txt'), 'second');
  commitAll(folder);
  const run = await clone(folder, { revision: commit });
  expect(run.results).toEqual({
    url: URL,
    commit,
    'short-commit': commit.slice(0, 7),
    'commit-timestamp': '1700000000',
    SOURCE_ARTIFACT: expect.stringMatching(/^oci:.*\/org\/image@sha256:[0-9a-f]{64}$/),
    'CHAINS-GIT_URL': URL,
    'CHAINS-GIT_COMMIT': commit,
  });
  const source = await unpack(run);
  expect(readFileSync(join(source, 'a.txt'), 'utf8')).toBe('first');
  expect(git(source, 'rev-parse', 'HEAD')).toBe(commit);
  expect(git(source, 'status', '--porcelain')).toBe('');
  expect(git(source, 'remote', 'get-url', 'origin')).toBe(URL);
  expect(git(source, 'rev-list', '--count', 'HEAD')).toBe('1');
});

it('clones what HEAD, a branch or a tag names, from a folder or a URL', async () => {
  const { folder, commit } = repository({ 'a.txt': 'x' });
  git(folder, 'branch', 'feature/x');
  git(folder, 'tag', '--annotate', '--message=v1', 'v1');
  for (const revision of ['', 'main', 'feature/x', 'v1', 'refs/heads/main']) {
    expect(result(await clone(folder, { revision }), 'commit'), revision).toBe(commit);
  }
  expect(result(await clone(`file://${folder}`, { revision: commit }), 'commit')).toBe(commit);
});

it('gives the same artifact each time', async () => {
  const { folder, commit } = repository({ 'a.txt': 'x', 'sub/b.txt': 'y' });
  const first = await clone(folder, { revision: commit });
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const second = await clone(folder, { revision: commit });
  expect(second.results).toEqual(first.results);
});

it('runs no hook and no filter of the user or of the repository', async () => {
  const { folder } = repository({ '.gitattributes': '*.txt filter=evil', 'a.txt': 'x' });
  const home = makeFolder({});
  folders.push(home);
  const hooks = join(home, 'hooks');
  const proof = join(home, 'was-run');
  mkdirSync(hooks);
  for (const hook of ['post-checkout', 'reference-transaction', 'post-index-change']) {
    writeFileSync(join(hooks, hook), `#!/bin/sh\ntouch ${proof}\n`);
    chmodSync(join(hooks, hook), 0o755);
  }
  const filter = `[filter "evil"]\n\tsmudge = "touch ${proof}; cat"\n\tclean = "touch ${proof}; cat"\n`;
  writeFileSync(join(home, '.gitconfig'), `[core]\n\thooksPath = ${hooks}\n${filter}`);
  const before = process.env.HOME;
  process.env.HOME = home;
  try {
    // The trap works: plain git does fall into it.
    execFileSync('git', ['clone', '--quiet', folder, join(home, 'trapped')]);
    expect(existsSync(proof)).toBe(true);
    rmSync(proof);
    await clone(folder);
    expect(existsSync(proof)).toBe(false);
  } finally {
    process.env.HOME = before;
  }
});

it.each(['--upload-pack=touch x', 'a b', 'a:b', '+main', 'a..b~1'])('refuses the revision %j', async (revision) => {
  const { folder } = repository({ a: '' });
  expect(await fail(attempt(folder, { revision }))).toContain('the revision is malformed');
});

it('says that a revision or a repository is not there', async () => {
  const { folder } = repository({ a: '' });
  expect(await fail(attempt(folder, { revision: 'a'.repeat(40) }))).toContain('not our ref');
  expect(await fail(attempt('/no/such/repository'))).toContain('does not appear to be a git repository');
  // Another transport would be another program.
  expect(await fail(attempt('other::x'))).toContain("transport 'other' not allowed");
});

it('refuses what it does not do', async () => {
  const { folder } = repository({ a: '', '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = y\n' });
  expect(await fail(attempt(folder))).toMatch(/^submodules are not supported[\s\S]*found: \.gitmodules$/m);
  await clone(folder, { submodules: 'false' });
  expect(await fail(attempt(folder, { mergeTargetBranch: 'true' }))).toContain('mergeTargetBranch is not supported');
});

it('refuses links that lead out of the source', async () => {
  const { folder } = repository({ a: '' });
  symlinkSync('/etc/passwd', join(folder, 'link'));
  commitAll(folder);
  expect(await fail(attempt(folder))).toMatch(/^a link leads out of the source[\s\S]*found: link → \/etc\/passwd$/m);
});

it('stops when it is interrupted', async () => {
  const { folder } = repository({ a: '' });
  expect(await attempt(folder, {}, AbortSignal.abort())).toMatchObject({ status: 'Skipped' });
});
