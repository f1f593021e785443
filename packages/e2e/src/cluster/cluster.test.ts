import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeKubeConfig } from '../testing/kube-login.ts';
import { KubeServer } from '../testing/kube-server.ts';
import { Cluster } from './cluster.ts';
import type { ClusterOptions } from './cluster-session.ts';
import { follow } from './follow.ts';
import { KINDS, type Resource } from './resource.ts';

const namespace = 'my-tenant';
let folder: string;
let server: KubeServer;
let kubeconfig: string;
let address: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'e2e-cluster-'));
  server = new KubeServer();
  address = await server.start();
  kubeconfig = await writeKubeConfig(join(folder, 'config'), address);
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const connect = (options: ClusterOptions = {}): Cluster =>
  new Cluster({ kubeconfig, pauses: { first: 5, longest: 40 }, ...options });

const run = (name: string, more: object = {}): Resource => ({
  ...KINDS.pipelineRun,
  metadata: { name, labels: { app: 'a' } },
  ...more,
});

describe('a request', () => {
  test('reads, and finds nothing where there is nothing', async () => {
    server.store.put(run('one'));
    const cluster = connect();
    expect((await cluster.read(KINDS.pipelineRun, 'one', namespace))?.metadata.name).toBe('one');
    expect(await cluster.read(KINDS.pipelineRun, 'two', namespace)).toBeUndefined();
    server.absent.add('appstudio.redhat.com/v1alpha1');
    expect(await cluster.serves(KINDS.component)).toBeUndefined();
  });

  test.each([
    ['429, after the time it says', { status: 429, headers: { 'retry-after': '1' } }, 900],
    ['500', { status: 500 }, 0],
    ['503', { status: 503 }, 0],
    ['a dropped connection', { drop: true }, 0],
  ])('is tried again after %s', async (_, fault, atLeast) => {
    server.store.put(run('one'));
    let left = 2;
    server.fault = ({ path }) => (path.endsWith('/one') && left-- > 1 ? fault : undefined);
    const began = Date.now();
    expect(await connect().read(KINDS.pipelineRun, 'one', namespace)).toBeDefined();
    expect(Date.now() - began).toBeGreaterThanOrEqual(atLeast);
  });

  test.each([
    ['CLUSTER_FORBIDDEN', { status: 403 }],
    ['CLUSTER_UNAUTHORIZED', { status: 401 }],
    ['CLUSTER_CONFLICT', { status: 409 }],
    ['CLUSTER_ERROR', { status: 500 }],
    ['CLUSTER_UNREACHABLE', { drop: true }],
    ['CLUSTER_UNREACHABLE', { wait: 300 }],
  ])('fails with %s after %o', async (code, fault) => {
    server.fault = () => fault;
    await expect(connect({ timeout: 100 }).read(KINDS.pipelineRun, 'one', namespace)).rejects.toMatchObject({ code });
  });

  test('says nothing of the login in an error', async () => {
    server.fault = () => ({ status: 403, headers: { 'x-secret': 'test-token' } });
    const error = await connect()
      .read(KINDS.pipelineRun, 'one', namespace)
      .catch((caught) => caught);
    expect(JSON.stringify(error) + error.message + error.found + String(error.cause)).not.toContain('test-token');
  });

  test('fetches no data of Secrets but of the public key', async () => {
    server.store.put({ ...KINDS.secret, metadata: { name: 'push' } });
    server.secretData.set('my-tenant/push', { '.dockerconfigjson': 'c2VjcmV0' });
    server.secretData.set('tekton-pipelines/public-key', { 'cosign.pub': Buffer.from('PEM').toString('base64') });
    const cluster = connect();
    expect(JSON.stringify(await cluster.read(KINDS.secret, 'push', namespace))).not.toContain('c2VjcmV0');
    expect(await cluster.publicKey('tekton-pipelines')).toBe('PEM');
    expect(await cluster.publicKey('openshift-pipelines')).toBeUndefined();
  });

  test('takes up a new login where the old one expired', async () => {
    server.store.put(run('one'));
    let asked = 0;
    const cluster = connect({ onExpired: () => void asked++ });
    await cluster.read(KINDS.pipelineRun, 'one', namespace);
    server.tokens.clear();
    server.tokens.add('new-token');
    const reading = cluster.read(KINDS.pipelineRun, 'one', namespace);
    await sleep(50);
    await writeKubeConfig(kubeconfig, address, 'new-token');
    expect((await reading)?.metadata.name).toBe('one');
    expect(asked).toBe(1);
  });

  test('does not wait for a login where there never was a good one', async () => {
    server.tokens.clear();
    const reading = connect({ onExpired: () => {} }).read(KINDS.pipelineRun, 'one', namespace);
    await expect(reading).rejects.toMatchObject({ code: 'CLUSTER_UNAUTHORIZED' });
  });

  test('lists page by page', async () => {
    for (let index = 0; index < 600; index++) server.store.put(run(`run-${index}`));
    const { items } = await connect().list(KINDS.pipelineRun, namespace, 'app=a');
    expect(items).toHaveLength(600);
    expect(items[0]?.kind).toBe('PipelineRun');
  });
});

describe('following', () => {
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
    server.store.put(run('one', { spec: { at: 0 } }));
    await seen(
      async (heard) => {
        await until(() => server.watching === 1);
        for (let at = 1; at <= 12; at++) {
          if (at % 4 === 1) server.dropWatches();
          if (at % 4 === 2) {
            server.dropWatches();
            server.store.compact();
          }
          if (at % 4 === 3) {
            server.tokens.clear();
            server.tokens.add(`token-${at}`);
            server.dropWatches();
            await sleep(20);
            await writeKubeConfig(kubeconfig, address, `token-${at}`);
          }
          server.store.change('PipelineRun', 'one', (object) => {
            object.spec = { at };
          });
          await until(() => heard.get('one') === String(at));
        }
      },
      { onExpired: () => {} },
    );
  });

  test('goes on from where it was after a drop, without listing again', async () => {
    server.store.put(run('one'));
    await seen(async (heard) => {
      await until(() => server.watching === 1);
      server.dropWatches();
      server.store.put(run('two'));
      await until(() => heard.has('two'));
    });
    expect(
      server.calls.filter(({ path, query }) => path.endsWith('/pipelineruns') && !query.has('watch')),
    ).toHaveLength(1);
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

  test('keeps nothing of a long run in memory', { timeout: 60_000 }, async () => {
    const { setFlagsFromString } = await import('node:v8');
    const { runInNewContext } = await import('node:vm');
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const ballast = 'x'.repeat(20_000);
    server.store.put(run('one'));
    await seen(async (heard) => {
      await until(() => server.watching === 1);
      const sizes: number[] = [];
      // Two hours with a change a second, as fast as they go through.
      for (let at = 1; at <= 7200; at++) {
        server.store.change('PipelineRun', 'one', (object) => {
          object.spec = { at, ballast: ballast + at };
        });
        if (server.store.events.length > 50) server.store.events.splice(0, 40);
        if (at % 50 === 0) await until(() => heard.get('one') === String(at));
        if (at % 1800 === 0) {
          server.calls.length = 0;
          collect();
          sizes.push(process.memoryUsage().heapUsed);
        }
      }
      const [, first = 0, , last = 0] = sizes;
      expect(last - first).toBeLessThan(4 << 20);
    });
  });
});
