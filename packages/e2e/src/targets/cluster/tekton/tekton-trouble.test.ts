import { join } from 'node:path';
import { parsePublicKeys } from '@multi-image/digest-chain';
import { HeldClock } from '@multi-image/testing/clock';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { TektonMisfortunes } from '../../../testing/kube/tekton.ts';
import { startTekton, type TektonCluster } from '../../../testing/tekton.ts';
import { buildWorld, REVISION, type TenantWorld, writeRepository } from '../../../testing/tenant.ts';
import { until } from '../../../testing/until.ts';
import { KINDS, list, type Resource, text } from '../api/resource.ts';
import { DEFAULT_TIMEOUTS } from '../timeouts.ts';
import { cleanUpRuns } from './cleanup.ts';

let world: TenantWorld;
let cluster: TektonCluster;

beforeAll(async () => {
  world = await buildWorld();
});
afterAll(() => world.stop());
afterEach(() => cluster.stop());

async function start(misfortunes: TektonMisfortunes = {}): Promise<TektonCluster> {
  cluster = await startTekton(world, misfortunes);
  return cluster;
}

const paramOf = (run: Resource, name: string) =>
  list(run, 'spec', 'params').flatMap((param) => (text(param, 'name') === name ? text(param, 'value') : []))[0];
const keys = () => parsePublicKeys(world.signer.pem);
const made = () => cluster.server.store.all('PipelineRun').map(({ metadata }) => metadata.name.replace(/-\w+$/, ''));

describe('with the catalog’s tasks', () => {
  test('makes both runs, follows them, and proves what they left', async () => {
    await start({ chains: 'true' });
    const report = await cluster.run({ keys: keys() });
    expect(made()).toEqual(['app-on-push', 'scanner-on-push']);
    expect(report?.status).toBe('passed');
    expect(report?.target).toBe('tekton');
    const scanner = cluster.server.store.all('PipelineRun').find(({ metadata }) => /^scanner/.test(metadata.name));
    expect(scanner && paramOf(scanner, 'public-key')).toBe(world.signer.pem);
    const evidence = report?.criteria.flatMap((criterion) => criterion.evidence) ?? [];
    expect(evidence.filter(({ check }) => check === 'signed').map(({ status }) => status)).toEqual([
      'passed',
      'passed',
    ]);
    expect(evidence.filter(({ check }) => check === 'proof/provenance').map(({ status }) => status)).toContain(
      'passed',
    );
    expect(evidence.filter(({ check }) => check === 'snapshot')).toEqual([]);
  });

  test('without a key signatures are skipped, and nobody waits for them', async () => {
    await start();
    const report = await cluster.run();
    expect(report?.status).toBe('passed');
    expect(report?.criteria.find(({ id }) => id === 'scanned-and-signed')?.status).toBe('skipped');
  });

  test.each([
    ['failed', 'failed'],
    [undefined, 'no annotation in time'],
  ])('where Chains says %s, the criterion falls', async (chains, found) => {
    await start(chains === undefined ? {} : { chains });
    const timeouts = { ...DEFAULT_TIMEOUTS, ...(chains === undefined ? { signed: 200 } : {}) };
    const report = await cluster.run({ keys: keys(), timeouts });
    const criterion = report?.criteria.find(({ id }) => id === 'scanned-and-signed');
    expect(criterion?.status).toBe('failed');
    expect(criterion?.evidence).toContainEqual(expect.objectContaining({ check: 'signed', status: 'failed', found }));
  });

  test('a build that fails shows the end of its log', async () => {
    await start({ failingTask: { task: 'build-image-2', log: 'no such base\npassword=hunter22\n' } });
    const report = await cluster.run();
    expect(report?.status).toBe('failed');
    expect(report?.runs[0]?.tasks.find(({ name }) => name === 'build-image-2')?.logTail).toEqual([
      'no such base',
      'password=[hidden]',
    ]);
  });
});

describe('through trouble on the way', () => {
  test('an answer that was lost makes no second run', async () => {
    await start();
    let lost = 0;
    // The server does what it was asked, but the answer never arrives.
    cluster.server.fault = ({ method, path, query }) =>
      method === 'POST' && path.endsWith('/pipelineruns') && !query.has('dryRun') && lost++ < 2
        ? { cut: 1 }
        : undefined;
    expect((await cluster.run())?.status).toBe('passed');
    expect(lost).toBeGreaterThan(2);
    expect(made()).toEqual(['app-on-push', 'scanner-on-push']);
  });

  test('stopped and taken up again', async () => {
    await start({ pace: 60 });
    const stop = new AbortController();
    cluster.server.store.onEvent(({ object }) => {
      if (made().length === 2 && object.kind === 'TaskRun') stop.abort(new Error('stopped'));
    });
    await expect(cluster.run({ signal: stop.signal })).rejects.toThrow();
    expect(made()).toHaveLength(2);
    const report = await cluster.run({ resume: true, commit: undefined });
    expect(report?.status).toBe('passed');
    expect(report?.revision).toBe(REVISION);
    expect(made()).toHaveLength(2);
  });

  test('stopped between the one run and the other', async () => {
    await start();
    const stop = new AbortController();
    cluster.server.fault = ({ method, path, query }) => {
      if (method !== 'POST' || !path.endsWith('/pipelineruns') || query.has('dryRun')) return undefined;
      if (made().length === 0) return undefined;
      stop.abort(new Error('stopped'));
      return { drop: true };
    };
    await expect(cluster.run({ signal: stop.signal, gitUrl: 'http://127.0.0.1:2/other' })).rejects.toThrow();
    expect(made()).toHaveLength(1);
    cluster.server.fault = () => undefined;
    const report = await cluster.run({ resume: true, commit: undefined, gitUrl: undefined });
    expect(report?.status).toBe('passed');
    expect(made().toSorted()).toEqual(['app-on-push', 'scanner-on-push']);
    // It builds what it was told to, also when it is not told again.
    const urls = cluster.server.store.all('PipelineRun').map((run) => paramOf(run, 'git-url'));
    expect(urls).toEqual(['http://127.0.0.1:2/other', 'http://127.0.0.1:2/other']);
  });

  test('a pod that no node has room for is told of, and where that stays so, it is the reason', async () => {
    const told = 'build-image-1 has no room yet: pod status "PodScheduled":"False"';
    await start({ noRoom: { task: 'build-image-1', until: () => until(() => cluster.output().includes(told)) } });
    expect((await cluster.run())?.status).toBe('passed');
    expect(cluster.output().split(told)).toHaveLength(2);
    await cluster.stop();
    await start({ noRoom: { task: 'build-image-1', until: () => new Promise(() => {}) } });
    const clock = new HeldClock();
    const running = cluster.run({ clock });
    await Promise.race([running, until(() => cluster.output().includes(told))]);
    clock.expire();
    await expect(running).rejects.toMatchObject({
      code: 'WAIT_TIMEOUT',
      found: expect.stringContaining('1 Insufficient memory'),
    });
  });

  test('what the server would refuse of one run keeps the other from starting', async () => {
    await start();
    let asked = 0;
    cluster.server.fault = ({ method, path }) =>
      method === 'POST' && path.endsWith('/pipelineruns') && ++asked === 2
        ? { status: 400, message: 'admission webhook "validation.webhook.pipeline.tekton.dev" denied the request' }
        : undefined;
    await expect(cluster.run()).rejects.toMatchObject({ found: expect.stringContaining('denied the request') });
    expect(made()).toEqual([]);
  });
});

describe('before anything is made', () => {
  test('everything that is in the way is named at once', async () => {
    await start();
    cluster.server.absent.add('resolution.tekton.dev/v1beta1');
    cluster.server.denied.add('create pipelineruns');
    const refused = cluster.run({ serviceAccount: 'nobody', imageRegistry: 'quay.io/your-org' });
    await expect(refused).rejects.toMatchObject({ code: 'PREFLIGHT_FAILED' });
    const { found } = await refused.catch((error) => error);
    expect(found).toContain('the registry is still a placeholder: quay.io/your-org');
    expect(found).toContain('ResolutionRequest');
    expect(found).toContain('you may not create pipelineruns.tekton.dev in my-tenant');
    expect(found).toContain('there is no service account nobody in my-tenant');
    expect(made()).toEqual([]);
  });

  test('a cluster without Tekton', async () => {
    await start();
    cluster.server.absent.add('tekton.dev/v1');
    await expect(cluster.run()).rejects.toMatchObject({
      code: 'PREFLIGHT_FAILED',
      found: expect.stringContaining('the cluster has no PipelineRun (tekton.dev/v1)'),
    });
  });

  test('a namespace that refuses builds', async () => {
    await start();
    cluster.server.store.put({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'my-tenant', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
    await expect(cluster.run()).rejects.toMatchObject({ found: expect.stringContaining('pod security standard') });
  });

  test('a run that is too large for a cluster to keep', async () => {
    await start();
    const images = Array.from({ length: 40 }, (_, index) => ({
      role: `r${index}`,
      repository: `image-${index}`,
      containerfile: `r${index}/Containerfile`,
      ...(index === 0 ? { component: 'app' } : { embeds: ['r0'] }),
    }));
    const config = await writeRepository(join(world.folder, 'many'), 'my-tenant', { images });
    const tooLarge = 'PipelineRun app-on-push-';
    const refused = await cluster.run({ config, standIns: true }).catch((error) => error);
    expect(refused).toMatchObject({ code: 'PREFLIGHT_FAILED' });
    expect(refused.found).toMatch(/PipelineRun app-on-push-\w+ would take \d\.\d MB with its status/);
    expect(refused.found).toContain('run without --stand-ins, or build fewer images in one chain');
    expect(made()).toEqual([]);
    // Bundles are in it by their names.
    expect((await cluster.run({ config, dryRun: true }).catch(({ found }) => found)) ?? '').not.toContain(tooLarge);
  });

  test.each([
    ['https://user:secret@git.example/x', 'git.example'],
    ['/some/folder', 'no URL'],
    ['https://git.example/$(params.x)', 'git.example'],
  ])('the git url %s is refused, and not repeated', async (gitUrl, found) => {
    await start();
    const refused = await cluster.run({ gitUrl }).catch((error) => error);
    expect(refused).toMatchObject({ code: 'USAGE', found });
    expect(JSON.stringify(refused)).not.toContain('secret@');
  });

  test('a dry run prints what would be made, and makes nothing', async () => {
    await start();
    const printed: string[] = [];
    const print = (yaml: string): void => {
      printed.push(yaml);
    };
    expect(await cluster.run({ dryRun: true, print })).toBeUndefined();
    const runs = parseAllDocuments(printed.join('')).map((document) => document.toJS());
    expect(runs.map(({ kind }) => kind)).toEqual(['PipelineRun', 'PipelineRun']);
    expect(made()).toEqual([]);
  });
});

test('cleans up the runs that it made, and no others, and asks first', async () => {
  await start();
  await cluster.run();
  const labels = { 'app.kubernetes.io/part-of': 'chain' };
  cluster.server.store.put({ ...KINDS.pipelineRun, metadata: { name: 'somebody-elses', labels } });
  const clean = (answer: boolean, dryRun = false) =>
    cleanUpRuns({
      dryRun,
      kubeconfig: cluster.kubeconfig,
      application: 'chain',
      namespace: undefined,
      confirm: async () => answer,
      progress: cluster.progress,
      signal: new AbortController().signal,
    });
  await expect(clean(false)).rejects.toMatchObject({ code: 'NOT_CONFIRMED' });
  await clean(true, true);
  expect(cluster.output()).toContain('nothing was deleted');
  expect(cluster.server.store.all('PipelineRun')).toHaveLength(3);
  await clean(true);
  expect(cluster.server.store.all('PipelineRun').map(({ metadata }) => metadata.name)).toEqual(['somebody-elses']);
  await clean(true);
  expect(cluster.output()).toContain('nothing that this command made');
});
