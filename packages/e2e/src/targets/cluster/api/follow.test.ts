import { TestClock } from '@multi-image/testing/clock';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeKubeConfig } from '../../../testing/kube/login.ts';
import { emptyRun, type KubePlace, startKube } from '../../../testing/kube/place.ts';
import type { Fault } from '../../../testing/kube/server.ts';
import { until } from '../../../testing/until.ts';
import type { ClusterOptions } from './cluster-session.ts';
import { follow } from './follow.ts';
import { KINDS } from './resource.ts';

const namespace = 'my-tenant';
let kube: KubePlace;
let server: KubePlace['server'];
let connect: KubePlace['connect'];

beforeEach(async () => {
  kube = await startKube();
  ({ server, connect } = kube);
});
afterEach(() => kube.stop());

async function seen(during: (heard: Map<string, string>) => Promise<void>, options: ClusterOptions = {}) {
  const heard = new Map<string, string>();
  const stop = new AbortController();
  const following = follow(connect(options), KINDS.pipelineRun, {
    namespace,
    selector: 'app=a',
    signal: stop.signal,
    onObject: ({ metadata, spec }) => heard.set(metadata.name, String((spec as { at?: number } | undefined)?.at)),
  });
  try {
    await during(heard);
  } finally {
    stop.abort();
    await following;
  }
  return heard;
}
test('hears of everything, through drops, 410 and a new login', async () => {
  server.store.put(emptyRun('one', { spec: { at: 0 } }));
  let expired = 0;
  await seen(
    async (heard) => {
      await until(() => server.watching === 1);
      for (let at = 1; at <= 12; at++) {
        if (at % 4 === 1) server.dropWatches();
        if (at % 4 === 2) server.dropWatches();
        if (at % 4 === 3) {
          server.tokens.clear();
          server.tokens.add(`token-${at}`);
          const before = expired;
          server.dropWatches();
          await until(() => expired > before);
          await writeKubeConfig(kube.kubeconfig, kube.address, `token-${at}`);
        }
        server.store.change('PipelineRun', 'one', (object) => {
          object.spec = { at };
        });
        // What changed while nobody watched is history that is gone.
        if (at % 4 === 2) server.store.compact();
        await until(() => heard.get('one') === String(at));
      }
    },
    { onExpired: () => void expired++ },
  );
});

test('goes on from where it was after a drop, without listing again', async () => {
  server.store.put(emptyRun('one'));
  await seen(async (heard) => {
    await until(() => server.watching === 1);
    server.dropWatches();
    server.store.put(emptyRun('two'));
    await until(() => heard.has('two'));
  });
  expect(server.calls.filter(({ path, query }) => path.endsWith('/pipelineruns') && !query.has('watch'))).toHaveLength(
    1,
  );
});

describe('never asks more than twice a second, and is never blind for long', () => {
  const REAL = { first: 1000, longest: 30_000 };

  /** When watches were opened in the first so many milliseconds: time passes by pauses, and by how long a watch lives. */
  async function watchesIn(time: number, lives: number, onWatch: (at: number) => Fault | undefined): Promise<number[]> {
    const clock = new TestClock();
    const stop = new AbortController();
    const opened: number[] = [];
    let requests = 0;
    server.fault = ({ query }) => {
      if (clock.now() > time) stop.abort();
      else requests++;
      if (!query.has('watch')) return undefined;
      opened.push(clock.now());
      clock.pass(lives);
      return onWatch(opened.length);
    };
    // It ends as soon as it begins.
    server.pace = 290_000;
    const options = { namespace, selector: 'app=a', signal: stop.signal, onObject: () => {} };
    await follow(connect({ clock, pauses: REAL }), KINDS.pipelineRun, options);
    expect(requests).toBeLessThanOrEqual(10);
    expect(requests).toBeGreaterThan(2);
    return opened.slice(1).map((at, index) => at - (opened[index] ?? 0));
  }

  test('where every watch is dropped at once', async () => {
    await watchesIn(5000, 0, () => ({ drop: true }));
  });

  test('where a proxy ends them soon', async () => {
    for (const gap of await watchesIn(8000, 1600, () => undefined)) expect(gap).toBeLessThan(2900);
  });

  test('where they end at once, with nothing said', async () => {
    for (const gap of await watchesIn(8000, 1, () => undefined)) expect(gap).toBeLessThan(3000);
  });

  test('where they end at once, with what happened', async () => {
    const gaps = await watchesIn(8000, 1, (at) => {
      server.store.put(emptyRun('one', { spec: { at } }));
      return undefined;
    });
    for (const gap of gaps) expect(gap).toBeLessThan(3000);
  });
});

test('waits as long as the server asks before the next watch', async () => {
  let refused = 0;
  server.fault = ({ query }) =>
    query.has('watch') && refused++ < 1 ? { status: 429, headers: { 'retry-after': '7' } } : undefined;
  const clock = new TestClock();
  await seen(() => until(() => server.watching === 1), { clock });
  expect(clock.now()).toBeGreaterThanOrEqual(7000);
});

test('outlasts a server that is away for longer than a request is tried, and says so once', async () => {
  const told: string[] = [];
  server.store.put(emptyRun('one'));
  await seen(
    async (heard) => {
      await until(() => server.watching === 1);
      // As after an upgrade of the control plane: away, and its history is gone.
      let refused = 0;
      server.fault = ({ query }) => {
        if (query.has('watch') || refused++ >= 30) return undefined;
        return refused % 2 === 0 ? { status: 503 } : { drop: true };
      };
      server.store.compact();
      server.dropWatches();
      server.store.put(emptyRun('two'));
      server.store.compact();
      await until(() => heard.has('two'));
      expect(refused).toBeGreaterThan(20);
    },
    { onTrouble: (what) => told.push(what) },
  );
  expect(told).toEqual([expect.stringContaining('trying on')]);
});

test('ends when it is told to, also while the server is away', async () => {
  const stop = new AbortController();
  server.fault = () => ({ status: 503 });
  const following = follow(connect(), KINDS.pipelineRun, { namespace, signal: stop.signal, onObject: () => {} });
  await until(() => server.calls.length > 10);
  stop.abort();
  await following;
});

test('tells what is gone: deleted before its eyes, or while it did not look', async () => {
  const gone: string[] = [];
  const uids = ['a', 'b', 'c'].map((name) => server.store.put(emptyRun(name)).metadata.uid);
  const stop = new AbortController();
  const following = follow(connect(), KINDS.pipelineRun, {
    namespace,
    signal: stop.signal,
    onObject: () => {},
    onGone: (uid) => gone.push(uid),
  });
  await until(() => server.watching === 1);
  server.store.delete('PipelineRun', 'b');
  await until(() => gone.length === 1);
  server.fault = ({ query }) => (query.has('watch') ? { drop: true } : undefined);
  server.dropWatches();
  server.store.delete('PipelineRun', 'c');
  server.store.compact();
  server.fault = () => undefined;
  await until(() => gone.length === 2);
  expect(gone).toEqual([uids[1], uids[2]]);
  stop.abort();
  await following;
});

test('a kind that goes in the middle, and a right that is taken away', async () => {
  const follows = (): Promise<void> =>
    follow(connect(), KINDS.pipelineRun, { namespace, signal: new AbortController().signal, onObject: () => {} });
  const first = follows();
  await until(() => server.watching === 1);
  server.absent.add('tekton.dev/v1');
  server.dropWatches();
  await expect(first).rejects.toMatchObject({ code: 'KIND_MISSING' });
  server.absent.clear();
  const second = follows();
  await until(() => server.watching === 1);
  server.denied.add('watch pipelineruns');
  server.dropWatches();
  await expect(second).rejects.toMatchObject({ code: 'CLUSTER_FORBIDDEN' });
});
