import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takeSource } from './source.ts';

let folder: string;
let repository: string;

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.com', ...args], {
    cwd: repository,
    encoding: 'utf8',
  }).trimEnd();

async function take(name: string, reports?: string[]) {
  const into = join(folder, name);
  await mkdir(into);
  return takeSource(repository, into, { reports });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'source-test-'));
  repository = join(folder, 'repository');
  await mkdir(repository);
  git('init', '--quiet', '--initial-branch=trunk');
  await writeFile(join(repository, 'tracked'), 'one\n');
  await writeFile(join(repository, '.gitignore'), 'ignored\n');
  git('add', '.');
  git('commit', '--quiet', '-m', 'First');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test('a clean working tree is its HEAD', async () => {
  const source = await take('a');
  expect(source).toMatchObject({ revision: git('rev-parse', 'HEAD'), branch: 'trunk', uncommitted: [] });
  expect(await readFile(join(source.checkout, 'tracked'), 'utf8')).toBe('one\n');
});

test('uncommitted changes become a commit outside the repository, the same one each time', async () => {
  await writeFile(join(repository, 'tracked'), 'two\n');
  await writeFile(join(repository, 'new file'), 'new\n');
  await writeFile(join(repository, 'ignored'), 'no\n');
  const before = git('status', '--porcelain');
  const [first, second] = [await take('a'), await take('b')];

  expect(first.uncommitted).toEqual(['tracked', 'new file']);
  expect(first.revision).not.toBe(git('rev-parse', 'HEAD'));
  expect(second.revision).toBe(first.revision);
  expect(await readFile(join(first.checkout, 'tracked'), 'utf8')).toBe('two\n');
  expect(await readFile(join(first.checkout, 'new file'), 'utf8')).toBe('new\n');
  await expect(readFile(join(first.checkout, 'ignored'))).rejects.toThrow('ENOENT');
  // The user's repository was only read.
  expect(git('status', '--porcelain')).toBe(before);
  expect(() => git('cat-file', '-e', first.revision)).toThrow();
});

test('a report of this run or of the last one is no part of what is built', async () => {
  await mkdir(join(repository, 'new'));
  await mkdir(join(repository, 'there'));
  const reports = ['report.html', 'new/[report].json', 'there/report.xml', join(folder, 'outside.json')];
  for (const report of reports) await writeFile(resolve(repository, report), '');
  await symlink(repository, join(folder, 'link'));
  const head = { revision: git('rev-parse', 'HEAD'), uncommitted: [] };
  expect(await take('a', reports)).toMatchObject(head);
  await writeFile(join(repository, 'report.html'), 'of the last run');
  const byLink = reports.map((report) => resolve(join(folder, 'link'), report));
  expect(await take('b', byLink)).toMatchObject(head);
  await writeFile(join(repository, 'there/other'), '');
  const { uncommitted, checkout } = await take('c', reports);
  expect(uncommitted).toEqual(['there/']);
  expect(await readdir(join(checkout, 'there'))).toEqual(['other']);
  expect(await readdir(checkout)).not.toContain('report.html');
});

test('works on a shallow clone, as CI systems make them', async () => {
  await writeFile(join(repository, 'tracked'), 'two\n');
  git('commit', '--quiet', '--all', '-m', 'Second');
  git('clone', '--quiet', '--depth=1', `file://${repository}`, '../shallow');
  repository = join(folder, 'shallow');
  const source = await take('a');
  expect(source.revision).toBe(git('rev-parse', 'HEAD'));
  expect(await readFile(join(source.checkout, 'tracked'), 'utf8')).toBe('two\n');
});

test('refuses what is no repository, or has no commit', async () => {
  await expect(takeSource(folder, folder)).rejects.toMatchObject({ code: 'NOT_A_GIT_REPOSITORY' });
  const empty = join(folder, 'empty');
  execFileSync('git', ['init', '--quiet', empty]);
  await expect(takeSource(empty, folder)).rejects.toMatchObject({ code: 'NO_COMMIT' });
});
