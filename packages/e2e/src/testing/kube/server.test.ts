import { afterEach, beforeEach, expect, test } from 'vitest';
import { KINDS, list, type Resource } from '../../targets/cluster/api/resource.ts';
import { until } from '../until.ts';
import { KubeServer } from './server.ts';

// The rules of Kubernetes' API that this package relies on, each asked for over HTTP.

let server: KubeServer;
let address: string;

beforeEach(async () => {
  server = new KubeServer();
  address = await server.start();
});
afterEach(() => server.stop());

const component = (name: string, application = 'chain', more: object = {}): string =>
  JSON.stringify({ ...KINDS.component, metadata: { name, ...more }, spec: { componentName: name, application } });

const COMPONENTS = '/apis/appstudio.redhat.com/v1alpha1/namespaces/my-tenant/components';
const RUNS = '/apis/tekton.dev/v1/namespaces/my-tenant/pipelineruns';

async function ask(path: string, init: RequestInit = {}) {
  const headers = { authorization: 'Bearer test-token', ...init.headers };
  const response = await fetch(address + path, { ...init, headers });
  const text = await response.text();
  const isObject = response.headers.get('content-type')?.includes('json') === true && !path.includes('watch=true');
  return { code: response.status, body: isObject ? JSON.parse(text) : text };
}
const send = (method: string, path: string, body: string, type = 'application/json') =>
  ask(path, { method, body, headers: { 'content-type': type } });
const APPLY = 'application/apply-patch+yaml';
const run = (name: string, labels: Record<string, string> = { app: 'a' }): Resource => ({
  ...KINDS.pipelineRun,
  metadata: { name, labels },
  spec: {},
});

/** All events of a watch until it ends by itself after a second. */
async function watched(query: string, during: () => void): Promise<string> {
  const asked = ask(`${RUNS}?watch=true&timeoutSeconds=1&${query}`);
  await until(() => server.watching === 1);
  during();
  return String((await asked).body);
}

test('an error is a Status with its reason and details', async () => {
  server.store.put(run('one'));
  server.denied.add('delete pipelineruns');
  expect(await ask(`${RUNS}/two`)).toMatchObject({
    code: 404,
    body: { kind: 'Status', reason: 'NotFound', details: { name: 'two', group: 'tekton.dev', kind: 'pipelineruns' } },
  });
  expect(await ask(`${RUNS}/one`, { method: 'DELETE' })).toMatchObject({ code: 403, body: { reason: 'Forbidden' } });
  server.absent.add('tekton.dev/v1');
  // No kind, no Status: nothing is installed there.
  expect(await ask(RUNS)).toEqual({ code: 404, body: '404 page not found\n' });
  server.fault = () => ({ status: 429, headers: { 'retry-after': '7' } });
  expect(await ask(RUNS)).toMatchObject({
    code: 429,
    body: { reason: 'TooManyRequests', details: { retryAfterSeconds: 7 } },
  });
});

test('apply needs a field manager, a type and the right format, and a namespace that is there', async () => {
  const path = `${COMPONENTS}/app`;
  expect(await send('PATCH', path, component('app'), APPLY)).toMatchObject({ code: 422 });
  expect(await send('PATCH', `${path}?fieldManager=a`, '{"metadata":{"name":"app"}}', APPLY)).toMatchObject({
    code: 400,
  });
  expect(await send('PATCH', `${path}?fieldManager=a`, component('app'), 'application/json')).toMatchObject({
    code: 415,
  });
  const elsewhere = path.replace('my-tenant', 'nowhere');
  expect(await send('PATCH', `${elsewhere}?fieldManager=a`, component('app'), APPLY)).toMatchObject({ code: 404 });
  expect(await send('PATCH', `${path}?fieldManager=a&dryRun=All`, component('app'), APPLY)).toMatchObject({
    code: 201,
  });
  expect(server.store.all('Component')).toEqual([]);
  expect(await send('PATCH', `${path}?fieldManager=a`, component('app'), APPLY)).toMatchObject({ code: 201 });
  const version = server.store.version;
  expect(await send('PATCH', `${path}?fieldManager=a`, component('app'), APPLY)).toMatchObject({ code: 200 });
  expect(server.store.version).toBe(version);
  expect(await send('PATCH', `${path}?fieldManager=b`, component('app', 'x'), APPLY)).toMatchObject({
    code: 409,
    body: { details: { causes: [{ reason: 'FieldManagerConflict', field: '.spec.application' }] } },
  });
  const [owned] = list(server.store.get('Component', 'app'), 'metadata', 'managedFields');
  expect(owned).toMatchObject({ manager: 'a', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:application': {} } } });
});

test('what a controller changes is its own from then on', async () => {
  const path = `${COMPONENTS}/app?fieldManager=a`;
  await send('PATCH', path, component('app', 'chain', { annotations: { request: 'configure' } }), APPLY);
  server.store.change('Component', 'app', (object) => {
    delete object.metadata.annotations.request;
    object.spec.application = 'moved';
  });
  expect(await send('PATCH', path, component('app'), APPLY)).toMatchObject({ code: 409 });
  expect(await send('PATCH', `${path}&force=true`, component('app'), APPLY)).toMatchObject({ code: 200 });
});

test('creation refuses a name that is taken; deletion what is another object; finalizers hold it', async () => {
  expect(await send('POST', COMPONENTS, component('app'))).toMatchObject({ code: 201 });
  expect(await send('POST', COMPONENTS, component('app'))).toMatchObject({
    code: 409,
    body: { reason: 'AlreadyExists' },
  });
  expect(await send('POST', COMPONENTS, '{"metadata":{}}')).toMatchObject({ code: 400 });
  const wrong = JSON.stringify({ preconditions: { uid: 'of-another' } });
  expect(await send('DELETE', `${COMPONENTS}/app`, wrong)).toMatchObject({ code: 409, body: { reason: 'Conflict' } });
  server.store.change('Component', 'app', (object) => {
    object.metadata.finalizers = ['test.appstudio.openshift.io/component'];
  });
  const deleted = await send('DELETE', `${COMPONENTS}/app`, '');
  expect(deleted.body.metadata.deletionTimestamp).toBeDefined();
  server.store.change('Component', 'app', (object) => {
    object.metadata.finalizers = [];
  });
  expect(server.store.get('Component', 'app')).toBeUndefined();
});

test('the pages of a list are of one version, until that is compacted', async () => {
  for (const name of ['c', 'a', 'b']) server.store.put(run(name));
  const first = await ask(`${RUNS}?limit=2`);
  expect(first.body.items.map(({ metadata }: Resource) => metadata.name)).toEqual(['a', 'b']);
  server.store.put(run('d'));
  const next = `${RUNS}?limit=2&continue=${first.body.metadata.continue}`;
  const second = await ask(next);
  expect(second.body.items.map(({ metadata }: Resource) => metadata.name)).toEqual(['c']);
  expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
  server.store.compact();
  const expired = await ask(next);
  expect(expired).toMatchObject({ code: 410, body: { reason: 'Expired' } });
  const rest = await ask(`${RUNS}?continue=${expired.body.metadata.continue}`);
  expect(rest.body.items.map(({ metadata }: Resource) => metadata.name)).toEqual(['c', 'd']);
  expect(await ask(`${RUNS}?continue=nonsense`)).toMatchObject({ code: 400 });
});

test('a watch begins after its version, follows its selector, and ends when its time is over', async () => {
  server.store.put(run('old'));
  server.store.put(run('moves'));
  const { version } = server.store;
  const text = await watched(`resourceVersion=${version}&labelSelector=app%3Da`, () => {
    server.store.put(run('new'));
    server.store.put(run('other', { app: 'b' }));
    server.store.change('PipelineRun', 'moves', (object) => {
      object.metadata.labels.app = 'b';
    });
    server.store.delete('PipelineRun', 'new');
  });
  expect(
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .map(({ type, object }) => [type, object.metadata.name]),
  ).toEqual([
    ['ADDED', 'new'],
    ['DELETED', 'moves'],
    ['DELETED', 'new'],
  ]);
  expect(text).not.toContain('BOOKMARK');
  expect(text).toContain(`"resourceVersion":"${server.store.version}"`);
});

test('a watch from a version that is compacted is told so; bookmarks come where they are asked for', async () => {
  server.store.put(run('old'));
  const { version } = server.store;
  server.store.put(run('new'));
  server.store.compact();
  const { body } = await ask(`${RUNS}?watch=true&resourceVersion=${version}`);
  expect(JSON.parse(body)).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
  const text = await watched(`resourceVersion=${server.store.version}&allowWatchBookmarks=true`, () => {});
  expect(text).toContain('"type":"BOOKMARK"');
});
