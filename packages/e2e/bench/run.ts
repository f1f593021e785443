import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Progress } from '@multi-image/kit/progress';
import { renderPage } from '../src/report/html/page.ts';
import { runTenant } from '../src/targets/cluster/tenant/tenant-run.ts';
import { DEFAULT_TIMEOUTS } from '../src/targets/cluster/timeouts.ts';
import { quayAt } from '../src/testing/tenant-chain.ts';
import type { Calls, ClusterPlace, Question } from './cluster.ts';
import { type Row, table } from './table.ts';

// What it costs to follow a long run on a tenant: requests to the API server, memory, the size of the report.
//
// Two hours are simulated: two PipelineRuns of 12 and 9 tasks, one after the other; a task of each changes every 5 seconds, with objects of
// 24 KB; bookmarks once a minute, watches that end after 290 seconds, a dropped connection every 17 minutes, an API server
// that forgets its history every 41. Time goes faster by a factor: the server's own times and this program's clock and
// pauses are all divided by it. The code that is measured is that of every tenant run, its HTTP is real.

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
const SIMULATED = 2 * 3600;
const pace = SIMULATED / Number(values.seconds);
const TASKS = 12;
const EXTRA = 6;
const changes = Math.round(SIMULATED / 5 / TASKS) - 1;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const cluster = fork(
  fileURLToPath(new URL('./cluster.ts', import.meta.url)),
  [pace, EXTRA, changes, 24_000].map(String),
);
const ask = (question: Question): void => void cluster.send(question);
const [place] = (await once(cluster, 'message')) as [ClusterPlace];

const began = Date.now();
const clock = Date.now;
Date.now = () => began + (clock() - began) * pace;
const sizes: { heap: number; rss: number }[] = [];
const sampling = new AbortController();
let output = '';
try {
  const stream = { isTTY: false, write: (text: string) => (output += text) };
  const running = runTenant({
    ...place,
    registry: quayAt(place.registryHost),
    // They end with real timers.
    timeouts: DEFAULT_TIMEOUTS,
    pauses: { first: 1000 / pace, longest: 30_000 / pace },
    progress: new Progress(stream),
    signal: new AbortController().signal,
  });
  const sampled = sample();
  const report = await running;
  sampling.abort();
  await sampled;
  if (report?.status !== 'passed') throw new Error(`the run did not pass:\n${output}`);
  ask('calls');
  const [calls] = (await once(cluster, 'message')) as [Calls];
  process.stdout.write(table([...requests(calls), ...memory(), htmlSize(renderPage(report))]));
} finally {
  sampling.abort();
  ask('stop');
}

/** The memory once a second, when all garbage is collected. */
async function sample(): Promise<void> {
  while (!sampling.signal.aborted) {
    await sleep(1000, undefined, { signal: sampling.signal }).catch(() => {});
    collect();
    const { heapUsed, rss } = process.memoryUsage();
    sizes.push({ heap: heapUsed / 2 ** 20, rss: rss / 2 ** 20 });
  }
}

/** Steady watching is what lies between the builds' begin and end: the first watch and the last tenth. */
function requests(calls: Calls): Row[] {
  const watches = calls.filter(({ isWatch }) => isWatch).map(({ time }) => time);
  // The components are watched first, for some seconds.
  const first = (watches.at(0) ?? 0) + 120_000 / pace;
  const last = calls.at(-1)?.time ?? 0;
  const steady = calls.filter(({ time }) => time > first && time < last - 60_000 / pace);
  const simulated = ((last - first) / 1000) * pace;
  const minutes = new Map<number, number>();
  for (const { time } of steady) {
    const minute = Math.floor(((time - first) * pace) / 60_000);
    minutes.set(minute, (minutes.get(minute) ?? 0) + 1);
  }
  const busiest = Math.max(...minutes.values()) / 60;
  return [
    { what: 'API requests per second, steady', found: steady.length / simulated, goal: 2, unit: '', digits: 3 },
    { what: 'API requests per second, busiest minute', found: busiest, goal: 2, unit: '', digits: 3 },
    { what: 'simulated time of that', found: simulated / 60, goal: undefined, unit: 'min', digits: 0 },
  ];
}

/** The first tenth warms up; what is compared are the second and the last. */
function memory(): Row[] {
  const tenth = Math.max(1, Math.floor(sizes.length / 10));
  const middle = (key: 'heap' | 'rss', from: number): number => {
    const part = sizes.slice(from, from + tenth).map((entry) => entry[key]);
    return part.toSorted((a, b) => a - b)[Math.floor(part.length / 2)] ?? Number.NaN;
  };
  return (['heap', 'rss'] as const).flatMap((key) => {
    const [start, end] = [middle(key, tenth), middle(key, sizes.length - tenth)];
    const name = key === 'heap' ? 'heap after GC' : 'RSS';
    return [
      { what: `${name}, at the start`, found: start, goal: undefined, unit: 'MiB', digits: 1 },
      {
        what: `${name}, growth until the end`,
        found: end - start,
        goal: key === 'heap' ? 2 : 16,
        unit: 'MiB',
        digits: 1,
      },
    ];
  });
}

function htmlSize(page: string): Row {
  return { what: 'HTML report', found: Buffer.byteLength(page) / 1000, goal: 200, unit: 'KB', digits: 0 };
}
