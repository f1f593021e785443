import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { beginningOf } from './cluster.ts';
import { inState } from './place.ts';
import { CACHE } from './programs.ts';

const CLI = join(import.meta.dirname, 'cli.ts');

let cache: string;

/** What is up, as far as a log has to know: a cluster whose first process is this one. */
beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), 'cluster-cli-'));
  const state = join(cache, CACHE, 'cluster');
  const log = inState.log(state, 'controller');
  mkdirSync(dirname(log), { recursive: true });
  writeFileSync(log, 'a line\n'.repeat(1_000_000));
  const cluster = { state, extent: 'node', init: process.pid, began: beginningOf(process.pid) };
  writeFileSync(inState.cluster(state), JSON.stringify(cluster));
});
afterAll(() => rmSync(cache, { recursive: true, force: true }));

it('a log of which nobody reads more ends quietly', async () => {
  const line = 'set -o pipefail; "$0" "$1" logs controller | head --lines=1';
  const env = { ...process.env, XDG_CACHE_HOME: cache };
  const ended = await promisify(execFile)('bash', ['-c', line, process.execPath, CLI], { env });
  expect(ended).toEqual({ stdout: 'a line\n', stderr: '' });
});
