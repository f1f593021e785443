import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runOrThrow } from '@multi-image/kit/commands';
import { type Row, table } from './table.ts';

// README's main command in this checkout and in another one, an earlier commit's perhaps, in turns: what else the machine
// does then falls on both. Each is the command as a person types it, with a cache folder of its own. A first round, which
// fills the caches, is not counted. What runs in containers is in no one's processor time, so watch the time as well.
//
// What is built is the checkout itself, whose files are cloned, packed and unpacked for every task: a repository that has
// grown takes longer, whatever the command does. To compare the commands, leave out here what the other has not:
// a copy of this commit without those files is built then.
//
// node bench/command.ts --against <another checkout, installed> [--rounds 5] [--leave-out '*.test.ts' …]

const GOAL = 1.05;
const REPOSITORY = resolve(import.meta.dirname, '../../..');

const { values } = parseArgs({
  options: {
    against: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    'leave-out': { type: 'string', multiple: true, default: [] },
  },
});
if (values.against === undefined) {
  process.stdout.write('README’s command beside an earlier commit’s: not measured without --against <checkout>\n');
} else {
  const there = resolve(values.against);
  const temporary = mkdtempSync(join(tmpdir(), 'multi-image-bench-'));
  const here = values['leave-out'].length === 0 ? REPOSITORY : await copyWithout(values['leave-out'], temporary);
  const files = { here: await countFiles(here), there: await countFiles(there) };
  const rounds: { here: Cost; there: Cost }[] = [];
  for (let round = 0; round <= Number(values.rounds); round++) {
    const both = { here: await measure(here), there: await measure(there) };
    if (round > 0) rounds.push(both);
  }
  rmSync(temporary, { recursive: true, force: true });
  const row = (what: string, of: (pair: (typeof rounds)[number]) => number, more: Partial<Row>): Row => ({
    what,
    found: median(rounds.map(of)),
    goal: undefined,
    unit: 's',
    digits: 1,
    ...more,
  });
  const ratio = { goal: GOAL, unit: '', digits: 2 };
  const counted = { unit: '', digits: 0 };
  const rows = [
    row('files that are built here', () => files.here, counted),
    row('files that are built there', () => files.there, counted),
    row('time here', (pair) => pair.here.time, {}),
    row('time there', (pair) => pair.there.time, {}),
    row('user and system time here', (pair) => pair.here.cpu, {}),
    row('user and system time there', (pair) => pair.there.cpu, {}),
    row('time here ÷ there', (pair) => pair.here.time / pair.there.time, ratio),
    row('user and system time here ÷ there', (pair) => pair.here.cpu / pair.there.cpu, ratio),
  ];
  process.stdout.write(table(rows));
}

/** A clone of this commit in which those files are not, and what is installed. */
async function copyWithout(patterns: readonly string[], folder: string): Promise<string> {
  const copy = join(folder, 'copy');
  const git = ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost'];
  await runOrThrow('git', ['clone', '--quiet', REPOSITORY, copy]);
  await runOrThrow('git', ['rm', '-r', '--quiet', '--', ...patterns], { cwd: copy });
  await runOrThrow('git', [...git, 'commit', '--quiet', '--no-verify', '--message', 'Leave out'], { cwd: copy });
  await runOrThrow('npx', ['--yes', 'pnpm@12', 'install', '--frozen-lockfile'], { cwd: copy, timeout: 600_000 });
  return copy;
}

async function countFiles(cwd: string): Promise<number> {
  const { stdout } = await runOrThrow('git', ['ls-files', '-z'], { cwd });
  return stdout.split('\0').length - 1;
}

/** Seconds. */
interface Cost {
  time: number;
  cpu: number;
}

async function measure(checkout: string): Promise<Cost> {
  const script = 'TIMEFORMAT="%R %U %S"; time npx --yes pnpm@12 e2e >/dev/null 2>&1';
  const env = { ...process.env, XDG_CACHE_HOME: resolve(checkout, 'node_modules/.cache/bench'), LC_ALL: 'C' };
  const { stderr } = await runOrThrow('bash', ['-c', script], { cwd: checkout, env, timeout: 600_000 });
  const [time = Number.NaN, user = 0, system = 0] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { time, cpu: user + system };
}

function median(all: readonly number[]): number {
  return [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
}
