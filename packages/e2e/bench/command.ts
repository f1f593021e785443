import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runOrThrow } from '@multi-image/kit/commands';
import { type Row, table } from './table.ts';

// README's main command in this checkout and in another one, an earlier commit's perhaps, in turns: what else the machine
// does then falls on both. Each is the command as a person types it, with a cache folder of its own. A first round, which
// fills the caches, is not counted. What runs in containers is in no one's processor time, so watch the time as well.
//
// node bench/command.ts --against <another checkout, installed> [--rounds 5]

const GOAL = 1.05;
const HERE = resolve(import.meta.dirname, '../../..');

const { values } = parseArgs({ options: { against: { type: 'string' }, rounds: { type: 'string', default: '5' } } });
if (values.against === undefined) {
  process.stdout.write('README’s command beside an earlier commit’s: not measured without --against <checkout>\n');
} else {
  const there = resolve(values.against);
  const rounds: { here: Cost; there: Cost }[] = [];
  for (let round = 0; round <= Number(values.rounds); round++) {
    const both = { here: await measure(HERE), there: await measure(there) };
    if (round > 0) rounds.push(both);
  }
  const row = (what: string, of: (pair: (typeof rounds)[number]) => number, more: Partial<Row>): Row => ({
    what,
    found: median(rounds.map(of)),
    goal: undefined,
    unit: 's',
    digits: 1,
    ...more,
  });
  const ratio = { goal: GOAL, unit: '', digits: 2 };
  const rows = [
    row('time here', ({ here }) => here.time, {}),
    row('time there', ({ there: other }) => other.time, {}),
    row('user and system time here', ({ here }) => here.cpu, {}),
    row('user and system time there', ({ there: other }) => other.cpu, {}),
    row('time here ÷ there', ({ here, there: other }) => here.time / other.time, ratio),
    row('user and system time here ÷ there', ({ here, there: other }) => here.cpu / other.cpu, ratio),
  ];
  process.stdout.write(table(rows));
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
