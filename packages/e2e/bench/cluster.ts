import { buildWorld, startTenant } from '../src/testing/tenant.ts';

// The other side of the benchmark, in a process of its own: a registry, and an API server on which two long builds run.

/** What the benchmark asks of this process. */
export type Question = 'calls' | 'stop';

export interface ClusterPlace {
  config: string;
  kubeconfig: string;
  stateFile: string;
  registryHost: string;
}

/** When which request came. */
export type Calls = readonly { time: number; isWatch: boolean }[];

const [pace = 1, tasks = 0, changes = 0, size = 0] = process.argv.slice(2).map(Number);
const MINUTE = 60_000 / pace;

const world = await buildWorld();
// Every change is five seconds of the simulated time after the one before.
const tenant = await startTenant(world, { pace: 5000 / pace, long: { tasks, changes, size } });
const { server } = tenant;
server.pace = pace;
server.bookmarkEvery = MINUTE;

const timers = [
  // etcd keeps five minutes of history.
  setInterval(() => server.store.compact(200), 5 * MINUTE),
  setInterval(() => server.dropWatches(), 17 * MINUTE),
  // An API server that restarts knows nothing from before.
  setInterval(() => {
    server.store.compact();
    server.dropWatches();
  }, 41 * MINUTE),
];

process.on('message', async (question: Question) => {
  if (question === 'calls') {
    process.send?.(server.calls.map(({ time, query }) => ({ time, isWatch: query.has('watch') })) satisfies Calls);
    return;
  }
  for (const timer of timers) clearInterval(timer);
  await tenant.stop();
  await world.stop();
  process.disconnect();
});
const { config, registryHost } = world;
const { kubeconfig, stateFile } = tenant;
process.send?.({ config, kubeconfig, stateFile, registryHost } satisfies ClusterPlace);
