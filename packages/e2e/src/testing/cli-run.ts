import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Report } from '../report/report.ts';
import { takeSource } from '../targets/local/source.ts';
import { writeDemo } from './demo.ts';

export const cli: string = resolve(import.meta.dirname, '../cli.ts');
export const repository: string = resolve(import.meta.dirname, '../../../..');

export interface CliRun {
  exitCode: number | null;
  output: string;
  report: Report | undefined;
}

/** A temporary folder in which the command line is run on clones of this repository. */
export interface CliFolder {
  folder: string;
  /**
   * A clone of this repository as it stands, uncommitted changes included, in which a test may break things. What it
   * builds is a chain of its own (`writeDemo`).
   */
  clone(name: string): Promise<string>;
  e2e(cwd: string, ...args: string[]): Promise<CliRun>;
  /** Containers and folders of runs that have ended. */
  leftovers(): Promise<string[]>;
  remove(): Promise<void>;
}

export async function makeCliFolder(): Promise<CliFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'e2e-test-'));
  return {
    folder,
    async clone(name) {
      const into = join(folder, name);
      await rm(into, { recursive: true, force: true });
      await mkdir(into);
      const { checkout } = await takeSource(repository, into);
      await symlink(join(repository, 'node_modules'), join(checkout, 'node_modules'));
      await appendFile(join(checkout, '.git/info/exclude'), 'node_modules\n');
      await writeDemo(checkout);
      return checkout;
    },
    async e2e(cwd, ...args) {
      const file = join(folder, `report-${Math.random().toString(36).slice(2)}.json`);
      const child = spawn(process.execPath, [cli, '--report', file, ...args], {
        cwd,
        // What a tool in the run finds in TMPDIR must be gone afterwards.
        env: { ...process.env, TMPDIR: folder, CI: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
      const [exitCode] = await once(child, 'close');
      const text = existsSync(file) ? await readFile(file, 'utf8') : '';
      return { exitCode, output, report: text === '' ? undefined : (JSON.parse(text) as Report) };
    },
    async leftovers() {
      const names = execFileSync('podman', ['ps', '--all', '--format', '{{.Names}}'], { encoding: 'utf8' }).split('\n');
      return [...names, ...(await readdir(folder))].filter((name) => name.startsWith('multi-image-'));
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
