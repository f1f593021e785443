import { Progress } from '@multi-image/kit/progress';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildWorld, startTenant, type Tenant, type TenantWorld } from '../../../testing/tenant.ts';
import { until } from '../../../testing/until.ts';
import { KINDS } from '../api/resource.ts';
import { type CleanupOptions, cleanUp } from './cleanup.ts';

let world: TenantWorld;
let tenant: Tenant;
let output: string;

beforeAll(async () => {
  world = await buildWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  tenant = await startTenant(world);
  output = '';
});
afterEach(() => tenant.stop());

function clean(answer: boolean, options: Partial<CleanupOptions> = {}): Promise<void> {
  const stream = { isTTY: false, write: (text: string) => (output += text) };
  return cleanUp({
    config: world.config,
    kubeconfig: tenant.kubeconfig,
    confirm: async () => answer,
    progress: new Progress(stream),
    signal: new AbortController().signal,
    pauses: { first: 10, longest: 100 },
    ...options,
  });
}

const names = (): string[] =>
  ['Application', 'Component', 'ImageRepository', 'IntegrationTestScenario', 'ServiceAccount', 'Secret', 'PipelineRun']
    .flatMap((kind) => tenant.server.store.all(kind).map(({ metadata }) => `${kind} ${metadata.name}`))
    .toSorted();

test('takes back what a run made, and nothing else', async () => {
  const { store } = tenant.server;
  // Konflux and people had these before.
  store.put({ ...KINDS.serviceAccount, metadata: { name: 'build-pipeline-app' }, secrets: [{ name: 'of-somebody' }] });
  store.put({ ...KINDS.component, metadata: { name: 'other' }, spec: { application: 'chain' } }, 'kubectl');
  store.put({ ...KINDS.application, metadata: { name: 'chain' }, spec: { displayName: 'chain' } }, 'kubectl');
  await tenant.run();
  expect(store.get('ServiceAccount', 'build-pipeline-app')?.secrets).toContainEqual({
    name: 'imagerepository-for-chain-scanner-image-push',
  });
  await clean(true);
  const left = names();
  expect(left).toContain('Application chain');
  expect(left).toContain('Component other');
  expect(left).toContain('ServiceAccount build-pipeline-app');
  expect(
    left.filter((name) => /^(Component (app|scanner)|ImageRepository|IntegrationTestScenario)/.test(name)),
  ).toEqual([]);
  expect(output).toContain('delete Component app');
  expect(output).toContain('with all images in it');
  const secrets = store.get('ServiceAccount', 'build-pipeline-app')?.secrets;
  expect(secrets).toContainEqual({ name: 'of-somebody' });
  expect(secrets).toContainEqual({ name: 'imagerepository-for-chain-app-image-push' });
  expect(secrets).not.toContainEqual({ name: 'imagerepository-for-chain-scanner-image-push' });
});

test('service accounts that Konflux made meanwhile stay, without what was linked', async () => {
  await tenant.run();
  await clean(true);
  const { store } = tenant.server;
  expect(store.all('ServiceAccount').map(({ metadata }) => metadata.name)).toEqual([
    'build-pipeline-app',
    'build-pipeline-scanner',
  ]);
  expect(store.get('ServiceAccount', 'build-pipeline-app')?.secrets).toEqual([
    { name: 'imagerepository-for-chain-app-image-push' },
    { name: 'components-namespace-pull' },
  ]);
});

test('says which image repositories go with their components, whoever made them', async () => {
  const { store } = tenant.server;
  const metadata = { name: 'of-kubectl', labels: { 'appstudio.redhat.com/component': 'app' } };
  const image = { name: 'my-tenant/other', visibility: 'public' };
  store.put({ ...KINDS.imageRepository, metadata, spec: { image } }, 'kubectl');
  await tenant.run();
  await clean(true);
  expect(output).toContain('delete Component app, and with it ImageRepository of-kubectl, with all images in it');
  expect(store.get('ImageRepository', 'of-kubectl')).toBeUndefined();
});

test('says which pull requests Konflux opens for components that it had set up', async () => {
  await tenant.run();
  const { store } = tenant.server;
  store.change('Component', 'scanner', ({ metadata }) => delete metadata.finalizers);
  await clean(true, { dryRun: true });
  expect(output).toContain(
    'Konflux then opens a pull request for app, which deletes its files in .tekton/: close it to keep them',
  );
});

test('asks, and without a yes leaves everything', async () => {
  await tenant.run();
  const before = names();
  await expect(clean(false)).rejects.toMatchObject({ code: 'NOT_CONFIRMED' });
  expect(names()).toEqual(before);
});

test('leaves an object that was made anew since it was looked at', async () => {
  await tenant.run();
  const { server } = tenant;
  server.fault = ({ method, path }) => {
    if (
      method !== 'DELETE' ||
      !path.endsWith('/applications/chain') ||
      server.store.get('Application', 'chain')?.spec === undefined
    )
      return undefined;
    server.store.delete('Application', 'chain');
    server.store.put({ ...KINDS.application, metadata: { name: 'chain' }, spec: { displayName: 'new' } });
    server.fault = () => undefined;
    return undefined;
  };
  await expect(clean(true)).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' });
  expect(server.store.get('Application', 'chain')?.spec).toEqual({ displayName: 'new' });
});

test('a dry run says what would be deleted, and deletes nothing', async () => {
  await tenant.run();
  const before = names();
  await clean(true, { dryRun: true });
  expect(names()).toEqual(before);
  expect(output).toContain('delete Component app');
  expect(output).toContain('nothing was deleted');
  expect(tenant.server.calls.filter(({ method }) => method === 'DELETE')).toEqual([]);
});

test('waits until everything is gone, or says what is still going', async () => {
  await tenant.stop();
  let mayGo = false;
  tenant = await startTenant(world, { mayGo: () => until(() => mayGo) });
  await tenant.run();
  await clean(true, { patience: 100 });
  expect(output).toContain('still going: Component app (held by pac.component.appstudio.openshift.io/finalizer)');
  expect(output).not.toContain('done');
  const cleaning = clean(true);
  await until(() => output.split('delete Component app').length === 3);
  mayGo = true;
  await cleaning;
  expect(output).toContain('done');
  expect(tenant.server.store.all('Component')).toEqual([]);
});

test('deletes and unlinks nothing where it may not delete everything', async () => {
  await tenant.run();
  tenant.server.denied.add('delete components');
  const before = JSON.stringify([...tenant.server.store.everything()]);
  await expect(clean(true)).rejects.toMatchObject({
    code: 'PREFLIGHT_FAILED',
    found: expect.stringContaining('delete components'),
  });
  expect(JSON.stringify([...tenant.server.store.everything()])).toBe(before);
});

test('says so where there is nothing', async () => {
  await clean(true);
  expect(output).toContain('nothing that this command made');
});
