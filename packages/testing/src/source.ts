import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Makes a folder with these files, by path. The caller removes it. */
export function makeFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tekton-local-source-'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** Makes a git repository with these files in one commit, dated 1700000000. The caller removes it. */
export function makeRepository(files: Readonly<Record<string, string>>): { folder: string; commit: string } {
  const folder = makeFolder(files);
  git(folder, 'init', '--quiet', '--initial-branch=main');
  return { folder, commit: commitAll(folder) };
}

/** Commits everything in the folder, and returns the commit. */
export function commitAll(folder: string): string {
  git(folder, 'add', '--all');
  git(folder, 'commit', '--quiet', '--allow-empty', '--message=test');
  return git(folder, 'rev-parse', 'HEAD');
}

/** Runs git with an identity and a date that are always the same. */
export function git(folder: string, ...args: string[]): string {
  const who = { NAME: 'Test', EMAIL: 'test@example.com', DATE: '1700000000 +0000' };
  const env = Object.fromEntries(
    Object.entries(who).flatMap(([key, value]) => [
      [`GIT_AUTHOR_${key}`, value],
      [`GIT_COMMITTER_${key}`, value],
    ]),
  );
  return execFileSync('git', ['-C', folder, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
  }).trim();
}
