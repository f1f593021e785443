import { readFile } from 'node:fs/promises';
import { KONFLUX } from '@multi-image/kit/konflux';
import { loadConfig } from '@multi-image/manifests';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Misfortunes } from '../../../testing/kube/konflux.ts';
import {
  buildWorld,
  REVISION,
  startTenant,
  type Tenant,
  type TenantWorld,
  writeRepository,
} from '../../../testing/tenant.ts';
import { until } from '../../../testing/until.ts';
import { KINDS, type Resource } from '../api/resource.ts';
import { DEFAULT_TIMEOUTS } from '../timeouts.ts';
import { desiredObjects } from './desired.ts';

let world: TenantWorld;
let tenant: Tenant;
let misfortunes: Misfortunes;

beforeAll(async () => {
  world = await buildWorld();
});
afterAll(() => world.stop());
afterEach(() => tenant.stop());

/** What goes wrong can be cured later. */
async function start(given: Misfortunes): Promise<Tenant> {
  misfortunes = given;
  tenant = await startTenant(world, misfortunes);
  return tenant;
}
const asked = (request: string): string[] =>
  tenant.konflux.requests.filter((entry) => entry.endsWith(request)).toSorted();

describe('a component that Konflux could not set up', () => {
  test('is asked for again once the cause is gone, and only then counts', async () => {
    await start({ configureError: '70: GitHub App is not installed' });
    await expect(tenant.run()).rejects.toMatchObject({
      code: 'COMPONENT_NOT_CONFIGURED',
      found: '70: GitHub App is not installed',
      hint: expect.stringContaining(`${KONFLUX.request}=configure-pac-no-mr --overwrite`),
    });
    // The run is over with the first that fails; the other one gets its answer in its own time.
    await until(() => asked('configure-pac-no-mr').length === 2);
    delete misfortunes.configureError;
    expect(await tenant.run({ dryRun: true })).toBeUndefined();
    expect(tenant.output()).toContain('would ask again to configure component app: 70: GitHub App is not installed');
    expect(asked('app configure-pac-no-mr')).toHaveLength(1);
    expect((await tenant.run())?.status).toBe('passed');
    expect(asked('configure-pac-no-mr')).toHaveLength(4);
  });

  test('stays in error where the cause is not gone', async () => {
    await start({ configureError: '70: GitHub App is not installed' });
    await expect(tenant.run()).rejects.toMatchObject({ code: 'COMPONENT_NOT_CONFIGURED' });
    misfortunes.configureError = '71: GitHub App is suspended';
    await expect(tenant.run()).rejects.toMatchObject({ found: '71: GitHub App is suspended' });
  });

  test('since it has no image yet, and that nobody asked for: no pull request of Konflux’s own is asked for', async () => {
    await start({});
    const { store } = tenant.server;
    const [component] = desiredObjects(await loadConfig(world.config)).filter(({ kind }) => kind === 'Component');
    const { annotations: _, ...metadata } = component?.metadata ?? { name: '' };
    store.put({ ...(component as Resource), metadata }, 'kubectl');
    await until(() => store.get('Component', 'app')?.metadata.annotations?.[KONFLUX.buildStatus] !== undefined);
    expect((await tenant.run())?.status).toBe('passed');
    expect(tenant.konflux.requests.filter((request) => request.startsWith('app configure'))).toEqual([
      'app configure-pac-no-mr',
    ]);
  });

  test('or that was unconfigured, is configured', async () => {
    await start({});
    await tenant.run();
    tenant.server.store.change('Component', 'app', ({ metadata }) => {
      metadata.annotations[KONFLUX.buildStatus] = JSON.stringify({ pac: { state: 'disabled' }, message: 'done' });
      // Never carried out, since the component is not configured.
      metadata.annotations[KONFLUX.request] = 'trigger-pac-build';
    });
    expect((await tenant.run())?.status).toBe('passed');
    expect(tenant.output()).toContain('ask again to configure component app: disabled');
  });

  test('and that is unconfigured while it is waited for, is told at once', async () => {
    await start({});
    tenant.konflux.stop();
    const run = tenant.run().catch((error) => error);
    const { store } = tenant.server;
    await until(() => store.get('Component', 'app') !== undefined);
    store.change('Component', 'app', ({ metadata, spec }) => {
      delete metadata.annotations[KONFLUX.request];
      metadata.annotations[KONFLUX.buildStatus] = JSON.stringify({ pac: { state: 'disabled' }, message: 'done' });
      spec.containerImage = world.chain.image1;
    });
    expect(await run).toMatchObject({ code: 'COMPONENT_NOT_CONFIGURED', found: expect.stringContaining('disabled') });
  });
});

describe('a build that Konflux refuses', () => {
  const triggerError = { component: 'scanner', message: '50: Pipelines as Code incoming webhook failed' };
  const pipelineError = {
    component: 'scanner',
    message: '305: 305: build-pipeline-config ConfigMap not found',
    isOfPipeline: true,
  };

  test.each([triggerError, pipelineError])(
    'ends the run with its message, and is asked for again with --resume: $message',
    async (triggerError) => {
      await start({ triggerError });
      await expect(tenant.run()).rejects.toMatchObject({
        code: 'COMPONENT_NOT_CONFIGURED',
        message: expect.stringContaining('component scanner'),
        found: triggerError.message,
        hint: expect.stringContaining('--resume'),
      });
      // As long as it is refused, nothing else is asked for.
      await expect(tenant.run({ resume: true })).rejects.toMatchObject({ found: triggerError.message });
      delete misfortunes.triggerError;
      const report = await tenant.run({ resume: true });
      expect(report?.status).toBe('passed');
      expect(report?.revision).toBe(REVISION);
      expect(asked('trigger-pac-build')).toEqual([
        'app trigger-pac-build',
        ...Array(3).fill('scanner trigger-pac-build'),
      ]);
      expect(JSON.parse(await readFile(tenant.stateFile, 'utf8')).triggeredAt).toBeDefined();
    },
  );

  test('or that it can not ask for: the wait says that it is still tried', async () => {
    await start({ noIncoming: true });
    await expect(tenant.run({ timeouts: { ...DEFAULT_TIMEOUTS, started: 300 } })).rejects.toMatchObject({
      code: 'WAIT_TIMEOUT',
      found: expect.stringMatching(/none of this commit; Konflux still tries to start those of app, scanner/),
      hint: expect.stringContaining('build service'),
    });
  });

  test('is not taken for one of the next run', async () => {
    await start({ triggerError });
    await expect(tenant.run()).rejects.toMatchObject({ code: 'COMPONENT_NOT_CONFIGURED' });
    delete misfortunes.triggerError;
    expect((await tenant.run())?.status).toBe('passed');
  });
});

describe('another image repository than the config’s', () => {
  test('that Konflux made: said before a build is asked for', async () => {
    await start({ organisation: 'other' });
    await expect(tenant.run()).rejects.toMatchObject({
      code: 'COMPONENT_NOT_CONFIGURED',
      expected: expect.stringContaining('quay.io/acme/my-tenant/chain-image1'),
      found: expect.stringContaining('quay.io/other/my-tenant/chain-image1'),
      hint: expect.stringContaining("registry: 'quay.io/other/my-tenant'"),
    });
    expect(asked('trigger-pac-build')).toEqual([]);
  });

  test('that Konflux would make: said before anything is applied', async () => {
    await start({});
    const config = await writeRepository(`${world.folder}/elsewhere`, 'my-tenant', { registry: 'quay.io/acme' });
    await expect(tenant.run({ config })).rejects.toMatchObject({
      code: 'PREFLIGHT_FAILED',
      found: expect.stringContaining('quay.io/acme/my-tenant'),
    });
  });

  test('that Konflux could not make: said at once', async () => {
    await start({ repositoryError: 'Number of private repositories exceeds current quay plan limit' });
    await expect(tenant.run()).rejects.toMatchObject({
      code: 'COMPONENT_NOT_CONFIGURED',
      found: 'Number of private repositories exceeds current quay plan limit',
    });
  });
});

describe('an image repository of which Konflux says that', () => {
  const NAME = 'imagerepository-for-chain-app';

  test.each([
    [
      'missing',
      'Image repository is missing. Remove appstudio.openshift.io/image-repository finalizer to try to recover.',
    ],
    [
      'damaged',
      'Object status was damaged. Remove appstudio.openshift.io/image-repository finalizer to try to recover.',
    ],
  ])('it is %s: said before a build is asked for, and how it is cured', async (state, message) => {
    await start({});
    await tenant.run();
    tenant.server.store.change('ImageRepository', NAME, ({ status }) => Object.assign(status, { state, message }));
    const before = asked('trigger-pac-build');
    await expect(tenant.run()).rejects.toMatchObject({
      code: 'COMPONENT_NOT_CONFIGURED',
      found: message,
      hint: expect.stringContaining(
        `kubectl patch imagerepository ${NAME} -n my-tenant --type=merge -p '{"metadata":{"finalizers":null}}'`,
      ),
    });
    expect(asked('trigger-pac-build')).toEqual(before);
    tenant.server.store.change('ImageRepository', NAME, ({ metadata }) => delete metadata.finalizers);
    expect((await tenant.run())?.status).toBe('passed');
  });

  test('it stays public: nothing is built that would be published', async () => {
    const noPrivate = 'Quay organization plan private repositories limit exceeded';
    await start({ noPrivate });
    await tenant.run();
    const config = await writeRepository(`${world.folder}/private`, 'my-tenant', { visibility: 'private' });
    const before = asked('trigger-pac-build');
    await expect(tenant.run({ config })).rejects.toMatchObject({
      code: 'COMPONENT_NOT_CONFIGURED',
      expected: 'visibility private',
      found: `public: ${noPrivate}`,
    });
    // By now Konflux owns what it set back.
    await expect(tenant.run({ config })).rejects.toMatchObject({
      code: 'APPLY_CONFLICT',
      found: expect.stringContaining(noPrivate),
    });
    expect(asked('trigger-pac-build')).toEqual(before);
  });

  test('it is private now: waited for', async () => {
    await start({});
    await tenant.run();
    const config = await writeRepository(`${world.folder}/now-private`, 'my-tenant', { visibility: 'private' });
    await tenant.run({ config });
    expect(tenant.server.store.get('ImageRepository', NAME)?.status).toMatchObject({
      image: { visibility: 'private' },
    });
  });

  test('it waited for its component, and no longer does: the wait ends with how it is woken', async () => {
    await start({ registryDown: true });
    for (const component of ['app', 'scanner']) {
      const name = `imagerepository-for-chain-${component}`;
      const metadata = { name, labels: { 'appstudio.redhat.com/component': component } };
      const spec = { image: { name: `my-tenant/chain-image${component === 'app' ? 1 : 2}`, visibility: 'public' } };
      const status = { state: 'waiting', message: `Component '${component}' does not exist` };
      tenant.server.store.put({ ...KINDS.imageRepository, metadata, spec, status }, 'kubectl');
    }
    await expect(tenant.run({ timeouts: { ...DEFAULT_TIMEOUTS, configured: 300 } })).rejects.toMatchObject({
      found: expect.stringMatching(
        /^no containerImage yet: ImageRepository \S+ waiting: Component '\w+' does not exist$/,
      ),
      hint: expect.stringMatching(/kubectl annotate imagerepository imagerepository-for-chain-\w+ -n my-tenant/),
    });
  });

  test('nothing: the wait for it ends with where to look', async () => {
    await start({ registryDown: true });
    await expect(tenant.run({ timeouts: { ...DEFAULT_TIMEOUTS, configured: 300 } })).rejects.toMatchObject({
      code: 'WAIT_TIMEOUT',
      found: expect.stringMatching(/^no containerImage yet: ImageRepository \S+ has no state yet$/),
      hint: expect.stringMatching(/kubectl get imagerepository imagerepository-for-chain-\w+ -n my-tenant -o yaml/),
    });
  });
});

describe('what is still being deleted', () => {
  test('is waited for, and made anew', async () => {
    await start({ mayGo: () => until(() => tenant.output().includes('is being deleted: waiting')) });
    await tenant.run();
    const { store } = tenant.server;
    const before = store.get('Component', 'app')?.metadata.uid;
    for (const kind of ['Component', 'ImageRepository']) {
      for (const { metadata } of store.all(kind)) store.delete(kind, metadata.name);
    }
    await tenant.run({ dryRun: true });
    expect(tenant.output()).toMatch(/Component app \(held by .*\) is being deleted: a run waits until it is gone/);
    expect(tenant.output()).toContain('would create Component app');
    expect((await tenant.run())?.status).toBe('passed');
    expect(store.get('Component', 'app')?.metadata.uid).not.toBe(before);
  });

  test('or was deleted while it is waited for: said at once', async () => {
    await start({});
    tenant.konflux.stop();
    const run = tenant.run().catch((error) => error);
    const { store } = tenant.server;
    await until(() => tenant.server.watching > 0);
    store.delete('Component', 'app');
    expect(await run).toMatchObject({ code: 'COMPONENT_NOT_CONFIGURED', found: 'it was deleted' });
  });

  test('and never goes: the run names it, and what holds it', async () => {
    await start({ mayGo: () => new Promise(() => {}) });
    await tenant.run();
    tenant.server.store.delete('Component', 'app');
    await expect(tenant.run({ timeouts: { ...DEFAULT_TIMEOUTS, configured: 300 } })).rejects.toMatchObject({
      code: 'WAIT_TIMEOUT',
      found: 'Component app (held by pac.component.appstudio.openshift.io/finalizer)',
    });
  });
});

test.each([{ commit: REVISION }, { resume: true }])('a dry run of %j waits for nothing', async (options) => {
  await start({});
  await tenant.run();
  const calls = tenant.server.calls.length;
  expect(await tenant.run({ ...options, dryRun: true })).toBeUndefined();
  expect(tenant.output()).toContain('would follow the builds of');
  expect(tenant.server.calls.slice(calls).some(({ query }) => query.has('watch'))).toBe(false);
});
