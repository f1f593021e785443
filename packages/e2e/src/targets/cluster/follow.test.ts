import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeKubeConfig } from '../../testing/kube/login.ts';
import { emptyRun, type KubePlace, startKube } from '../../testing/kube/place.ts';
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
const until = async (holds: () => boolean): Promise<void> => {
  const deadline = Date.now() + 5000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('it did not happen');
    await sleep(5);
  }
};

test('hears of everything, through drops, 410 and a new login', async () => {
  server.store.put(emptyRun('one', { spec: { at: 0 } }));
  await seen(
    async (heard) => {
      await until(() => server.watching === 1);
      for (let at = 1; at <= 12; at++) {
        if (at % 4 === 1) server.dropWatches();
        if (at % 4 === 2) server.dropWatches();
        if (at % 4 === 3) {
          server.tokens.clear();
          server.tokens.add(`token-${at}`);
          server.dropWatches();
          await sleep(20);
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
    { onExpired: () => {} },
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

test('stays at two requests a second, even where every watch is dropped at once', { timeout: 20_000 }, async () => {
  server.fault = ({ query }) => (query.has('watch') ? { drop: true } : undefined);
  await seen(
    async () => {
      await sleep(5000);
    },
    { pauses: { first: 1000, longest: 30_000 } },
  );
  expect(server.calls.length).toBeLessThanOrEqual(10);
});

describe('is never blind for long where watches end soon, and stays at one request a second', () => {
  const gaps = async (seconds: number, during: () => Promise<void>): Promise<number[]> => {
    server.pace = 290 / seconds;
    server.bookmarkEvery = 60_000;
    await seen(during, { pauses: { first: 1000, longest: 30_000 } });
    const times = server.calls.filter(({ query }) => query.has('watch')).map(({ time }) => time);
    expect(server.calls.length).toBeLessThanOrEqual(10);
    return times.slice(1).map((time, index) => time - (times[index] ?? 0));
  };

  test('by a proxy', { timeout: 20_000 }, async () => {
    for (const gap of await gaps(1.6, () => sleep(8000))) expect(gap).toBeLessThan(2900);
  });

  test('at once, with nothing said', { timeout: 20_000 }, async () => {
    for (const gap of await gaps(0.001, () => sleep(8000))) expect(gap).toBeLessThan(3000);
  });

  test('at once, with what happened', { timeout: 20_000 }, async () => {
    const gapsOf = gaps(0.001, async () => {
      for (let at = 0; at < 80; at++) {
        // What happens in the moment of its end is another thing.
        while (server.watching > 0) await sleep(1);
        server.store.put(emptyRun('one', { spec: { at } }));
        await sleep(100);
      }
    });
    for (const gap of await gapsOf) expect(gap).toBeLessThan(3000);
  });
});

test('waits as long as the server asks before the next watch', async () => {
  let refused = 0;
  server.fault = ({ query }) =>
    query.has('watch') && refused++ < 1 ? { status: 429, headers: { 'retry-after': '1' } } : undefined;
  await seen(() => until(() => server.watching === 1));
  const [first, second] = server.calls.filter(({ query }) => query.has('watch'));
  expect((second?.time ?? 0) - (first?.time ?? 0)).toBeGreaterThanOrEqual(990);
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
    follow(connect(), KINDS.pipelineRun, { namespace, signal: AbortSignal.timeout(5000), onObject: () => {} });
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
