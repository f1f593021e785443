import { readFile, writeFile } from 'node:fs/promises';
import { KONFLUX } from '@multi-image/kit/konflux';
import { loadConfig } from '@multi-image/manifests';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Misfortunes, PLANTED } from '../../../testing/kube/konflux.ts';
import { writeKubeConfig } from '../../../testing/kube/login.ts';
import type { Writable } from '../../../testing/kube/store.ts';
import { buildWorld, REVISION, startTenant, type Tenant, type TenantWorld } from '../../../testing/tenant.ts';
import { until } from '../../../testing/until.ts';
import { KINDS, type Resource } from '../api/resource.ts';
import { desiredObjects } from './desired.ts';

let world: TenantWorld;
let tenant: Tenant;

beforeAll(async () => {
  world = await buildWorld();
});
afterAll(() => world.stop());
afterEach(() => tenant.stop());

async function start(misfortunes: Misfortunes = {}): Promise<Tenant> {
  tenant = await startTenant(world, misfortunes);
  return tenant;
}

describe('through trouble on the way', () => {
  test('watches that are dropped and versions that are too old', async () => {
    let steps = 0;
    await start({
      onStep: () => {
        if (++steps % 2 === 0) tenant.server.store.compact();
        tenant.server.dropWatches();
      },
      pace: 40,
    });
    expect((await tenant.run())?.status).toBe('passed');
  });

  test('a login that expires in the middle', async () => {
    await start({
      pace: 40,
      failingTask: { component: 'scanner', task: 'clair-scan', log: 'logged in with second-token\n' },
      onStep: (component, task) => {
        if (component !== 'app' || task !== 'build-image-1') return;
        tenant.server.tokens.clear();
        tenant.server.tokens.add('second-token');
        tenant.server.dropWatches();
        void until(() => tenant.output().includes('the login expired')).then(() =>
          writeKubeConfig(tenant.kubeconfig, tenant.address, 'second-token'),
        );
      },
    });
    const report = await tenant.run();
    expect(report?.runs.map(({ status }) => status)).toEqual(['Succeeded', 'Failed']);
    expect(tenant.output()).toContain('the login expired');
    expect(tenant.output()).toContain('logged in with [hidden]');
  });

  test('a server that is busy, slow, and drops every tenth request', async () => {
    await start();
    let calls = 0;
    tenant.server.fault = ({ query }) => {
      calls++;
      if (query.has('watch')) return undefined;
      if (calls % 10 === 0) return { drop: true };
      if (calls % 7 === 0) return { status: 503 };
      return calls % 3 === 0 ? { wait: 20 } : undefined;
    };
    expect((await tenant.run())?.status).toBe('passed');
  });

  test('interrupted, and taken up again', async () => {
    const stop = new AbortController();
    await start({
      pace: 30,
      onStep: (component, task) => component === 'app' && task === 'build-image-2' && stop.abort(),
    });
    await expect(tenant.run({ signal: stop.signal })).rejects.toThrow();
    const report = await tenant.run({ resume: true });
    expect(report?.status).toBe('passed');
    // Nothing was applied, and nothing asked for, a second time.
    expect(tenant.konflux.requests.filter((request) => request.includes('trigger'))).toHaveLength(2);
    // And after the runs were pruned, from what is remembered.
    for (const kind of ['PipelineRun', 'TaskRun']) {
      for (const { metadata } of tenant.server.store.all(kind)) tenant.server.store.delete(kind, metadata.name);
    }
    const again = await tenant.run({ resume: true });
    expect(again?.status).toBe('passed');
    expect(again?.runs).toEqual(report?.runs);
  });

  test('nothing to resume', async () => {
    await start();
    await expect(tenant.run({ resume: true })).rejects.toMatchObject({ code: 'STATE_INVALID' });
    await writeFile(tenant.stateFile, '{"version":1,"server":"https://elsewhere"}');
    await expect(tenant.run({ resume: true })).rejects.toMatchObject({ code: 'STATE_INVALID' });
  });
});

describe('what was there before', () => {
  test('a second run applies nothing, and says so', async () => {
    await start();
    await tenant.run();
    const before = tenant.server.store.get('Application', 'chain');
    tenant.server.calls.length = 0;
    expect((await tenant.run())?.status).toBe('passed');
    expect(tenant.output()).toContain('nothing to apply');
    expect(tenant.server.store.get('Application', 'chain')).toEqual(before);
    const applied = tenant.server.calls.filter(({ method, query }) => method === 'PATCH' && !query.has('dryRun'));
    // The two requests for builds.
    expect(applied.map(({ path }) => path.split('/').at(-1)).toSorted()).toEqual(['app', 'scanner']);
    expect(tenant.konflux.requests.filter((request) => request.includes('configure'))).toHaveLength(2);
  });

  test('after kubectl applied the files, and Konflux did what they ask for, there is nothing to apply', async () => {
    await start();
    const { store } = tenant.server;
    const config = await loadConfig(world.config);
    for (const object of desiredObjects(config)) store.apply(object, 'kubectl', false);
    const isReady = ({ metadata }: Resource): boolean => metadata.annotations?.[KONFLUX.buildStatus] !== undefined;
    await until(() => store.all('Component').every(isReady));
    expect((await tenant.run())?.status).toBe('passed');
    expect(tenant.output()).toContain('nothing to apply');
  });

  test('after kubectl applied the files, and before Konflux did anything of it', async () => {
    await start();
    const { store } = tenant.server;
    // As an older version named it.
    const metadata = { name: 'imagerepository-for-chain-app', labels: { 'appstudio.redhat.com/component': 'app' } };
    const image = { name: 'chain-image1', visibility: 'public' };
    store.put({ ...KINDS.imageRepository, metadata, spec: { image } }, 'kubectl');
    expect((await tenant.run())?.status).toBe('passed');
    const found = store.get('ImageRepository', metadata.name);
    expect(found?.spec).toEqual({ image });
    expect(found?.status).toMatchObject({ image: { url: 'quay.io/acme/my-tenant/chain-image1' } });
  });

  test('an object that is written at the same time is applied again', async () => {
    await start();
    let refused = 0;
    tenant.server.fault = ({ method, path, query }) =>
      method === 'PATCH' && path.endsWith('/applications/chain') && !query.has('dryRun') && refused++ < 2
        ? {
            status: 409,
            message: 'Operation cannot be fulfilled on applications "chain": the object has been modified',
          }
        : undefined;
    expect((await tenant.run())?.status).toBe('passed');
    expect(refused).toBe(3);
  });

  test('an object that Konflux writes after the look at it is looked at again', async () => {
    await start({ pace: 60 });
    const { server } = tenant;
    const name = 'imagerepository-for-chain-app';
    const image = { name: 'chain-image1', visibility: 'public' };
    // Konflux waits for the component.
    const labels = { 'appstudio.redhat.com/component': 'app' };
    server.store.put({ ...KINDS.imageRepository, metadata: { name, labels }, spec: { image } }, 'kubectl');
    const rename = ({ spec }: Writable): void => {
      spec.image.name = 'my-tenant/chain-image1';
    };
    server.fault = ({ method, path, query }) => {
      if (method === 'PATCH' && path.endsWith(name) && !query.has('dryRun'))
        server.store.change('ImageRepository', name, rename);
      return undefined;
    };
    expect((await tenant.run())?.status).toBe('passed');
  });

  test('a component that lost its image gets it again', async () => {
    await start();
    await tenant.run();
    const { store } = tenant.server;
    store.change('Component', 'app', ({ spec }) => delete spec.containerImage, { manager: 'kubectl' });
    expect((await tenant.run())?.status).toBe('passed');
    expect(tenant.output()).toContain('change ImageRepository imagerepository-for-chain-app');
  });

  test('a dry run says what it would do, and does nothing', async () => {
    await start();
    expect(await tenant.run({ dryRun: true })).toBeUndefined();
    expect(tenant.output()).toContain('would create Component app');
    expect(tenant.server.store.all('Component')).toEqual([]);
  });

  test('a field that somebody else set is not overwritten', async () => {
    await start();
    tenant.server.store.put(
      { ...KINDS.application, metadata: { name: 'chain' }, spec: { displayName: 'Somebody else’s' } },
      'kubectl',
    );
    await expect(tenant.run()).rejects.toMatchObject({
      code: 'APPLY_CONFLICT',
      found: expect.stringContaining('"kubectl"'),
    });
    expect(tenant.server.store.get('Application', 'chain')?.spec).toEqual({ displayName: 'Somebody else’s' });
    expect(tenant.server.store.all('Component')).toEqual([]);
  });

  test('a push is followed by its commit, without applying or asking for anything', async () => {
    await start();
    await tenant.run();
    const calls = tenant.server.calls.length;
    tenant.konflux.push();
    expect((await tenant.run({ commit: REVISION }))?.status).toBe('passed');
    expect(tenant.server.calls.slice(calls).filter(({ method }) => method === 'PATCH')).toEqual([]);
  });
});

test('no secret is in the output, the report, the state or an error', async () => {
  const token = 'sha256~AbCdEfGhIjKlMnOpQrStUvWxYz0123456789';
  const log = [
    `Authorization: Bearer ${token}`,
    `pushing with ${PLANTED}=1`,
    `"auth": "dXNlcjpwYXNzd29yZA=="`,
    'token test-token',
    'https://me:hunter22@quay.io/x',
  ].join('\n');
  await start({ failingTask: { component: 'app', task: 'build-image-1', log } });
  const report = await tenant.run();
  const everything = tenant.output() + JSON.stringify(report) + (await readFile(tenant.stateFile, 'utf8'));
  expect(everything).toContain('Authorization: Bearer [hidden]');
  for (const secret of [
    token,
    'test-token',
    'dXNlcjpwYXNzd29yZA',
    'hunter22',
    Buffer.from(PLANTED).toString('base64'),
  ]) {
    expect(everything).not.toContain(secret);
  }
});
