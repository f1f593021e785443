import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificate, type TestCertificate } from '@multi-image/testing/certificate';
import { startTestServer, type TestResponse, type TestServer } from '@multi-image/testing/http-server';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KubernetesApi, readPodAccess } from './kubernetes.ts';

const PLACE = '/apis/appstudio.redhat.com/v1alpha1/namespaces/tenant/snapshots';
const clock = { now: () => 0, sleep: async () => {} };
const json = (status: number, body: object, headers: Record<string, string> = {}): TestResponse => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

describe('the API server of a pod', () => {
  let server: TestServer | undefined;
  afterEach(() => server?.stop());

  async function answering(...answers: (TestResponse | 'cut')[]): Promise<KubernetesApi> {
    const started = await startTestServer((_, response) => {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer === 'cut') response.destroy();
      return answer === 'cut' ? undefined : answer;
    });
    server = started;
    const access = { server: `http://${started.host}`, token: 'secret', authority: undefined, namespace: 'tenant' };
    return new KubernetesApi(access, { clock });
  }

  it('is asked as the pod’s account, page by page', async () => {
    const page = (name: string, more?: string) =>
      json(200, { items: [{ metadata: { name } }], metadata: { continue: more } });
    const api = await answering(page('a', 'next'), page('b'));
    const names = (await api.list('snapshots', 'app=x')).map(({ metadata }) => (metadata as { name: string }).name);
    expect(names).toEqual(['a', 'b']);
    expect(server?.requests.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      [`${PLACE}?limit=500&labelSelector=app%3Dx&continue=`, 'Bearer secret'],
      [`${PLACE}?limit=500&labelSelector=app%3Dx&continue=next`, 'Bearer secret'],
    ]);
  });

  it('is asked again where it is busy or breaks off: what is created has a fixed name', async () => {
    const api = await answering('cut', json(429, {}, { 'retry-after': '1' }), json(500, {}), json(409, {}));
    expect(await api.create('snapshots', { metadata: { name: 'a' } })).toBe('exists');
    expect(server?.requests).toHaveLength(4);
    expect(await api.get('snapshots', '../x').catch((error) => error)).toMatchObject({ code: 'CLUSTER_ERROR' });
    expect(server?.requests.at(-1)?.path).toBe(`${PLACE}/..%2Fx`);
  });

  it('says which right is missing, and what to send to whom', async () => {
    const message =
      'snapshots.appstudio.redhat.com is forbidden: User "system:serviceaccount:tenant:releaser" cannot create resource "snapshots"';
    const api = await answering(json(403, { message }));
    await expect(api.create('snapshots', {})).rejects.toMatchObject({
      code: 'CLUSTER_FORBIDDEN',
      message: 'the service account releaser may not create snapshots in the namespace tenant',
      expected: 'a Role that allows create of snapshots.appstudio.redhat.com, bound to it',
      hint: expect.stringContaining('kubectl apply -f konflux/release-access.yaml'),
    });
  });

  it('is named with its own words where it says something else, and not for ever waited for', async () => {
    const api = await answering({ status: 503, body: '<html>upstream</html>' });
    await expect(api.list('snapshots')).rejects.toMatchObject({
      code: 'CLUSTER_ERROR',
      message: 'the API server answered 503 to list snapshots',
      found: '<html>upstream</html>',
    });
    await server?.stop();
    await expect(api.list('snapshots')).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE' });
  });
});

describe('a pod', () => {
  let folder: string;
  let certificate: TestCertificate;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'digest-chain-pod-'));
    certificate = await createCertificate();
  });
  afterAll(async () => {
    await certificate.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('trusts the authority that its service account names, and no other', async () => {
    const { key, certificate: cert } = certificate;
    const server = createServer({ key, cert }, (_, response) => response.end('{"items": []}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as { port: number };
      await writeFile(join(folder, 'token'), 'secret\n');
      await writeFile(join(folder, 'namespace'), 'tenant');
      await writeFile(join(folder, 'ca.crt'), cert);
      const environment = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(port) };
      const access = await readPodAccess(folder, environment);
      expect(access).toMatchObject({ token: 'secret', namespace: 'tenant' });
      expect(await new KubernetesApi(access, { clock }).list('snapshots')).toEqual([]);
      const untrusted = new KubernetesApi({ ...access, authority: undefined }, { clock });
      await expect(untrusted.list('snapshots')).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE' });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it.each([[{}], [{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }]])('is what this is not (%j)', async (environment) => {
    await expect(readPodAccess(join(folder, 'none'), environment)).rejects.toMatchObject({
      code: 'CLUSTER_UNREACHABLE',
      hint: expect.stringContaining('kubectl create -f -'),
    });
  });
});
