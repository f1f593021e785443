import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestClock } from '@multi-image/testing/clock';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeLogin } from '../../../testing/kube/login.ts';
import { KubeServer } from '../../../testing/kube/server.ts';
import { createAuthority, readTls } from '../../../testing/kube/tls.ts';
import { Cluster } from './cluster.ts';
import { KINDS } from './resource.ts';

let folder: string;
let server: Server | undefined;
let calls = 0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'e2e-foreign-'));
  calls = 0;
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Something that is no API server, and always answers the same. */
async function connect(status: number, type: string, body: string): Promise<Cluster> {
  const answering = createServer((_, response) => {
    calls++;
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  server = answering;
  await new Promise<void>((resolve) => answering.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(answering.address() as AddressInfo).port}`;
  const kubeconfig = await writeLogin(join(folder, 'config'), { server: address, user: { token: 'a' } });
  return new Cluster({ kubeconfig, pauses: { first: 1, longest: 2 } });
}
const page = '<!DOCTYPE html>\n<html><body>Sign in to your company</body></html>';

describe('an answer that is none of Kubernetes is said to be that', () => {
  test.each([
    ['a page', 200, 'text/html; charset=utf-8', page, /^200 with text\/html/, 1],
    ['a page in place of what is missing', 404, 'text/html', page, /^404 with a page/, 1],
    ['a page of a gateway', 502, 'text/html', page, /^502 with a page/, 6],
    ['JSON of another service', 200, 'application/json', '{"ok":true}', /^JSON of another kind/, 1],
    ['half of its JSON', 200, 'application/json', '{"resources":[', /not JSON/, 6],
  ])('%s', async (_, status, type, body, found, tries) => {
    const cluster = await connect(status, type, body);
    const error = await cluster.serves(KINDS.pipelineRun).catch((caught) => caught);
    expect(error).toMatchObject({
      code: 'CLUSTER_ERROR',
      message: expect.stringContaining('gives no answer of Kubernetes'),
      found: expect.stringMatching(found),
      hint: expect.stringContaining('proxy'),
    });
    expect(calls).toBe(tries);
  });

  test('not where Kubernetes has no such kind, which it says in a text', async () => {
    const cluster = await connect(404, 'text/plain', '404 page not found\n');
    expect(await cluster.serves(KINDS.pipelineRun)).toBeUndefined();
  });
});

test('a server that takes too long gives no answer in time', async () => {
  const kube = new KubeServer();
  const kubeconfig = await writeLogin(join(folder, 'config'), { server: await kube.start(), user: {} });
  kube.fault = () => ({ wait: 200 });
  const reading = new Cluster({ kubeconfig, timeout: 20, pauses: { first: 1, longest: 2 } }).serves(KINDS.pipelineRun);
  await expect(reading).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE', found: 'no answer in time' });
  await kube.stop();
});

test('a certificate that is not trusted does not get better by itself, and the hint names what to change', async () => {
  const kube = new KubeServer();
  const address = await kube.start(await readTls(await createAuthority(join(folder, 'tls'))));
  const { ca } = await createAuthority(join(folder, 'other'));
  const kubeconfig = await writeLogin(join(folder, 'config'), { server: address, ca, user: { token: 'test-token' } });
  const clock = new TestClock();
  try {
    await expect(new Cluster({ kubeconfig, clock }).serves(KINDS.pipelineRun)).rejects.toMatchObject({
      code: 'CLUSTER_UNREACHABLE',
      found: expect.stringContaining('certificate'),
      hint: expect.stringContaining('certificate-authority'),
    });
    expect(clock.waits).toEqual([]);
  } finally {
    await kube.stop();
  }
});

describe('plain HTTP', () => {
  const load = async (address: string): Promise<Cluster> => {
    const kubeconfig = await writeLogin(join(folder, 'config'), { server: address, ca: '', user: {} });
    return new Cluster({ kubeconfig, pauses: { first: 1, longest: 2 } });
  };

  test('is spoken with this machine, as with kubectl proxy', async () => {
    const kube = new KubeServer();
    kube.tokens.add('');
    const address = await kube.start();
    kube.fault = ({ login }) => (login === '' ? { status: 404 } : { status: 500 });
    try {
      for (const host of ['127.0.0.1', 'localhost']) {
        expect(await (await load(address.replace('127.0.0.1', host))).serves(KINDS.pipelineRun)).toBeUndefined();
      }
      expect(kube.calls.length).toBeGreaterThan(0);
    } finally {
      await kube.stop();
    }
  });

  test.each(['http://api.example:8080', 'http://127.0.0.1.example', 'http://me:secret@10.0.0.1/'])(
    'and not with %s',
    async (address) => {
      const error = await load(address).catch((caught) => caught);
      expect(error).toMatchObject({
        code: 'KUBECONFIG_INVALID',
        message: expect.stringContaining('plain HTTP'),
        hint: expect.stringContaining('insecure-skip-tls-verify'),
      });
      expect(error.found).not.toContain('secret');
    },
  );
});
