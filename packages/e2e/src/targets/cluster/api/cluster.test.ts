import { TestClock } from '@multi-image/testing/clock';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeKubeConfig } from '../../../testing/kube/login.ts';
import { emptyRun, type KubePlace, startKube } from '../../../testing/kube/place.ts';
import { until } from '../../../testing/until.ts';
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

describe('a request', () => {
  test('reads, and finds nothing where there is nothing', async () => {
    server.store.put(emptyRun('one'));
    const cluster = connect();
    expect((await cluster.read(KINDS.pipelineRun, 'one', namespace))?.metadata.name).toBe('one');
    expect(await cluster.read(KINDS.pipelineRun, 'two', namespace)).toBeUndefined();
    server.absent.add('appstudio.redhat.com/v1alpha1');
    expect(await cluster.serves(KINDS.component)).toBeUndefined();
  });

  test.each([
    ['429, after the time it says', { status: 429, headers: { 'retry-after': '7' } }, 7000],
    ['500', { status: 500 }, 0],
    ['503', { status: 503 }, 0],
    ['a dropped connection', { drop: true }, 0],
  ])('is tried again after %s', async (_, fault, atLeast) => {
    server.store.put(emptyRun('one'));
    let left = 2;
    server.fault = ({ path }) => (path.endsWith('/one') && left-- > 1 ? fault : undefined);
    const clock = new TestClock();
    expect(await connect({ clock }).read(KINDS.pipelineRun, 'one', namespace)).toBeDefined();
    expect(clock.now()).toBeGreaterThanOrEqual(atLeast);
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
    const reading = connect('wait' in fault ? { timeout: 100 } : {}).read(KINDS.pipelineRun, 'one', namespace);
    await expect(reading).rejects.toMatchObject({ code });
  });

  test('that fails says its status, Kubernetes’ reason and how long to wait as fields', async () => {
    const ask = (): Promise<unknown> => connect({ clock: new TestClock() }).read(KINDS.pipelineRun, 'one', namespace);
    server.fault = ({ path }) => (path.endsWith('/one') ? { status: 409, message: 'modified' } : undefined);
    await expect(ask()).rejects.toMatchObject({ status: 409, reason: 'Conflict', isTransient: false });
    server.fault = () => ({ status: 429, headers: { 'retry-after': '90' } });
    await expect(ask()).rejects.toMatchObject({
      status: 429,
      reason: 'TooManyRequests',
      isTransient: true,
      retryAfter: 60_000,
    });
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

  test('adds up how long a pod waited for images, of those that were pulled', async () => {
    const messages = [
      [
        'one',
        'Successfully pulled image "quay.io/a/b@sha256:1" in 1.25s (3.5s including waiting). Image size: 7 bytes.',
      ],
      ['one', 'Container image "quay.io/a/c" already present on machine'],
      ['one', 'Successfully pulled image "in 9s" in 500ms'],
      ['two', 'Container image "quay.io/a/c" already present on machine and can be accessed by the pod'],
    ] as const;
    for (const [index, [pod, message]] of messages.entries()) {
      server.store.put({
        ...{ apiVersion: 'v1', kind: 'Event', metadata: { name: `event-${index}`, namespace } },
        ...{ reason: 'Pulled', involvedObject: { kind: 'Pod', name: pod }, message },
      });
    }
    expect(await connect().pulls(namespace)).toEqual(
      new Map([
        ['one', 4000],
        ['two', 0],
      ]),
    );
    server.denied.add('list events');
    expect(await connect().pulls(namespace)).toBeUndefined();
  });

  test('takes up a new login where the old one expired', async () => {
    server.store.put(emptyRun('one'));
    let asked = 0;
    const cluster = connect({ onExpired: () => void asked++ });
    await cluster.read(KINDS.pipelineRun, 'one', namespace);
    server.tokens.clear();
    server.tokens.add('new-token');
    const reading = cluster.read(KINDS.pipelineRun, 'one', namespace);
    await until(() => asked > 0);
    await writeKubeConfig(kube.kubeconfig, kube.address, 'new-token');
    expect((await reading)?.metadata.name).toBe('one');
    expect(asked).toBe(1);
  });

  test('does not wait for a login where there never was a good one', async () => {
    server.tokens.clear();
    const reading = connect({ onExpired: () => {} }).read(KINDS.pipelineRun, 'one', namespace);
    await expect(reading).rejects.toMatchObject({ code: 'CLUSTER_UNAUTHORIZED' });
  });

  test('does not go on and on where one request is refused with a login that is good elsewhere', async () => {
    const cluster = connect({ onExpired: () => {} });
    await cluster.serves(KINDS.pipelineRun);
    server.fault = ({ path }) => (path.endsWith('/one') ? { status: 401 } : undefined);
    await expect(cluster.read(KINDS.pipelineRun, 'one', namespace)).rejects.toMatchObject({
      code: 'CLUSTER_UNAUTHORIZED',
    });
    expect(server.calls.filter(({ path }) => path.endsWith('/one')).length).toBeLessThanOrEqual(6);
  });
});

describe('a list', () => {
  const LIST = '/pipelineruns';
  const forget = (): void => {
    server.store.put(emptyRun('run-0', { spec: { at: server.store.version } }));
    server.store.compact();
  };

  beforeEach(() => {
    for (let index = 0; index < 600; index++) server.store.put(emptyRun(`run-${index}`));
  });

  test('comes page by page', async () => {
    const { items } = await connect().list(KINDS.pipelineRun, namespace, 'app=a');
    expect(new Set(items.map(({ metadata }) => metadata.name)).size).toBe(600);
    expect(items[0]?.kind).toBe('PipelineRun');
    expect(server.calls.filter(({ path }) => path.endsWith(LIST))).toHaveLength(3);
  });

  test('begins anew where its version is gone before the last page', async () => {
    let gone = 0;
    server.fault = ({ query }) => {
      if (query.has('continue') && gone++ < 1) forget();
      return undefined;
    };
    expect((await connect().list(KINDS.pipelineRun, namespace)).items).toHaveLength(600);
  });

  test('comes in one piece where versions go faster than its pages', async () => {
    server.fault = ({ query }) => {
      if (query.has('continue')) forget();
      return undefined;
    };
    expect((await connect().list(KINDS.pipelineRun, namespace)).items).toHaveLength(600);
    expect(server.calls.at(-1)?.query.has('limit')).toBe(false);
  });

  test.each([1, 5000, 20_000])('is asked for again where the connection is reset after %i bytes of it', async (cut) => {
    let left = 2;
    server.fault = ({ path }) => (path.endsWith(LIST) && left-- > 0 ? { cut } : undefined);
    expect((await connect().list(KINDS.pipelineRun, namespace)).items).toHaveLength(600);
  });
});
