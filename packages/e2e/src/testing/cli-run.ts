import { type ChildProcessByStdio, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { freePort } from '@multi-image/kit/free-port';
import { startForTest } from '@multi-image/testing/child';
import type { Report } from '../report/report.ts';
import { makeDemo } from './demo.ts';

const cli = resolve(import.meta.dirname, '../cli.ts');
export const repository: string = resolve(import.meta.dirname, '../../../..');

export interface CliRun {
  exitCode: number | null;
  output: string;
  report: Report | undefined;
}

/** A temporary folder in which the command line is run on clones of this repository. */
export interface CliFolder {
  folder: string;
  /** Of the registry of its runs, one after the other: always the same, where nobody else has it; see `LayerCache`. */
  port: number;
  /** What a run needs of this repository, in a repository in which a test may break things; see `makeDemo`. */
  clone(name: string): Promise<string>;
  /** Starts a run, for a test that does something to it; it ends with the test, see `startForTest`. */
  start(cwd: string, ...args: string[]): ChildProcessByStdio<null, Readable, Readable>;
  e2e(cwd: string, ...args: string[]): Promise<CliRun>;
  /** Containers and folders of the runs that were started here; those of others are theirs. */
  leftovers(): Promise<string[]>;
  remove(): Promise<void>;
}

export async function makeCliFolder(): Promise<CliFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'e2e-test-'));
  const port = await usualPort();
  const started: string[] = [];
  let demo: Promise<void> | undefined;
  const start: CliFolder['start'] = (cwd, ...args) => {
    const child = startForTest(process.execPath, [cli, ...args], {
      cwd,
      // What a tool in the run finds in TMPDIR must be gone afterwards.
      env: { ...process.env, TMPDIR: folder, CI: '1' },
    });
    started.push(`multi-image-${child.pid}-`);
    return child;
  };
  return {
    folder,
    port,
    async clone(name) {
      const [first, into] = [join(folder, 'demo'), join(folder, name)];
      // To render and commit takes many times as long as to copy.
      demo ??= makeDemo(repository, first);
      await demo;
      await cp(first, into, { recursive: true, verbatimSymlinks: true });
      return into;
    },
    start,
    async e2e(cwd, ...args) {
      const file = join(folder, `report-${Math.random().toString(36).slice(2)}.json`);
      const place = args.includes('--port') || args.includes('--target') ? [] : ['--port', String(port)];
      const child = start(cwd, '--report', file, ...place, ...args);
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
      const [exitCode] = await once(child, 'close');
      const text = existsSync(file) ? await readFile(file, 'utf8') : '';
      return { exitCode, output, report: text === '' ? undefined : (JSON.parse(text) as Report) };
    },
    async leftovers() {
      const names = execFileSync('podman', ['ps', '--all', '--format', '{{.Names}}'], { encoding: 'utf8' }).split('\n');
      const containers = names.filter((name) => started.some((prefix) => name.startsWith(prefix)));
      return [...containers, ...(await readdir(folder)).filter((name) => name.startsWith('multi-image-'))];
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** One for each of the workers that run tests at the same time; where somebody has it, any other. */
async function usualPort(): Promise<number> {
  return freePort(5480 + Number(process.env.VITEST_POOL_ID ?? 0)).catch(() => freePort());
}
