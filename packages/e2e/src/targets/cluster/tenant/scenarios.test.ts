import { statusOf } from '@multi-image/testing/criteria';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../../report/report.ts';
import type { Misfortunes } from '../../../testing/kube/konflux.ts';
import { pipelineRun } from '../../../testing/kube/objects.ts';
import { buildWorld, REVISION, startTenant, type Tenant, type TenantWorld } from '../../../testing/tenant.ts';
import { until } from '../../../testing/until.ts';
import { DEFAULT_TIMEOUTS } from '../timeouts.ts';

// How Tekton and Konflux let a run end, in their own words.

let world: TenantWorld;
let tenant: Tenant;

beforeAll(async () => {
  world = await buildWorld();
});
afterAll(() => world.stop());
afterEach(() => tenant.stop());

async function run(misfortunes: Misfortunes = {}): Promise<Report | undefined> {
  tenant = await startTenant(world, misfortunes);
  return tenant.run();
}
const runOf = (report: Report | undefined, component: string) =>
  report?.runs.find(({ name }) => name.startsWith(`${component}-on-push`));

describe('a task that fails without a log', () => {
  test.each([
    [
      'TaskRunImagePullFailed',
      'the step "build" in TaskRun "app-build" failed to pull the image "quay.io/acme/builder:1". The pod errored with the message: "Back-off pulling image".',
    ],
    ['PodEvicted', 'The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 9Gi.'],
    ['TaskRunTimeout', 'TaskRun "app-build" failed to finish within "1h0m0s"'],
    ['CreateContainerConfigError', 'Failed to create pod due to config error'],
  ])('%s: its message is shown, and is in the report', async (reason, message) => {
    const report = await run({ failingTask: { component: 'app', task: 'build-image-1', reason, message } });
    expect(report?.status).toBe('failed');
    const task = runOf(report, 'app')?.tasks.find(({ name }) => name === 'build-image-1');
    expect(task).toMatchObject({ status: 'Failed', message: expect.stringContaining(message) });
    expect(task?.logTail).toBeUndefined();
    expect(tenant.output()).toContain(message);
    expect(JSON.stringify(report?.criteria)).toContain(message.slice(0, 40).replaceAll('"', '\\"').slice(0, 30));
  });
});

test('a task that is tried again: only its last end counts, and one line tells of it', async () => {
  const report = await run({ retriedTask: { component: 'app', task: 'build-image-1', times: 2 } });
  expect(report?.status).toBe('passed');
  expect(tenant.output().match(/app · build-image-1/g)).toHaveLength(1);
  expect(tenant.output()).not.toContain('✗');
  expect(tenant.server.calls.filter(({ path }) => path.endsWith('/log'))).toEqual([]);
});

describe('a run that ends before its first task', () => {
  test.each([
    [
      'CouldntGetPipeline',
      'Error retrieving pipeline for pipelinerun my-tenant/app: pipelines "unified" not found',
      'Failed',
    ],
    ['InvalidTaskResultReference', 'invalid result reference in pipeline task "label-image-1"', 'Failed'],
    ['PipelineRunTimeout', 'PipelineRun "app-on-push" failed to finish within "4h0m0s"', 'Failed'],
    ['Cancelled', 'PipelineRun "app-on-push" was cancelled', 'Cancelled'],
    ['CancelledRunFinally', 'PipelineRun "app-on-push" was cancelled', 'Cancelled'],
    ['StoppedRunFinally', 'PipelineRun "app-on-push" was stopped', 'Cancelled'],
  ])('%s', async (reason, message, status) => {
    const report = await run({ runReason: { component: 'app', reason, message, early: true } });
    expect(runOf(report, 'app')).toMatchObject({ status, message: `${reason}: ${message}`, tasks: [] });
    expect(statusOf(report)['single-pipeline']).toBe('failed');
    expect(tenant.output()).toContain(message);
  });
});

describe('a run that is pruned', () => {
  test('right after its end, while nobody looked at it: as it last was', async () => {
    const report = await run({ pruned: 'app' });
    expect(report?.status).toBe('passed');
    expect(runOf(report, 'app')?.tasks).toHaveLength(6);
  });

  /** Stops everything in the middle of the builder's run, once what there is of both was seen. */
  const startStopping = async (then: () => unknown): Promise<void> => {
    tenant = await startTenant(world, {
      async onStep(component, task) {
        // It waits for Image 1, which is not to come.
        if (task === 'extract-image-2') return new Promise(() => {});
        if (component !== 'app' || task !== 'build-image-2') return;
        const seen = ['app: PipelineRun', 'scanner: PipelineRun', 'app · build-image-1'];
        await until(() => seen.every((line) => tenant.output().includes(line)));
        tenant.konflux.stop();
        await then();
      },
    });
  };
  const deleteRuns = (component: string): void => {
    const { store } = tenant.server;
    for (const { metadata } of store.all('PipelineRun'))
      if (metadata.name.startsWith(component)) store.delete('PipelineRun', metadata.name);
  };

  test('in the middle, by somebody: what was seen of it is judged', async () => {
    await startStopping(async () => {
      deleteRuns('app');
      await until(() => /✗ app /.test(tenant.output()));
      // The scanner would wait for Image 1 in vain.
      deleteRuns('scanner');
    });
    const report = await tenant.run();
    expect(runOf(report, 'app')).toMatchObject({
      status: 'Failed',
      message: expect.stringContaining('Deleted: the PipelineRun was deleted while it was Running'),
    });
    expect(runOf(report, 'app')?.tasks.map(({ name }) => name)).toContain('build-image-1');
  });

  test('in the middle, while the connection was away and the history gone', async () => {
    await startStopping(() => {
      const { server } = tenant;
      server.fault = ({ query }) => (query.has('watch') ? { drop: true } : undefined);
      server.dropWatches();
      for (const component of ['app', 'scanner']) deleteRuns(component);
      server.store.compact();
      server.fault = () => undefined;
    });
    const report = await tenant.run();
    expect(report?.runs.map(({ message }) => message)).toEqual([
      expect.stringContaining('was deleted'),
      expect.stringContaining('was deleted'),
    ]);
  });
});

describe('two builds of one commit', () => {
  const older = (name: string, status: object) => {
    const object = pipelineRun(name, 'app', REVISION);
    const metadata = { ...object.metadata, creationTimestamp: '2026-01-01T00:00:00Z' };
    return { ...object, metadata, status: { ...(object.status as object), ...status } };
  };
  const failed = {
    startTime: '2026-01-01T00:00:01Z',
    completionTime: '2026-01-01T00:10:00Z',
    conditions: [{ type: 'Succeeded', status: 'False', reason: 'Failed', message: 'long ago' }],
  };

  test('the later one counts, whatever is listed first', async () => {
    tenant = await startTenant(world);
    await tenant.run();
    tenant.server.store.put(older('app-on-push-00000', failed));
    tenant.server.store.put(older('app-on-push-zzzzz', failed));
    tenant.konflux.push();
    const report = await tenant.run({ commit: REVISION });
    expect(report?.status).toBe('passed');
  });

  test('a resumed run does not take one that was there before it', async () => {
    let mayStart = true;
    tenant = await startTenant(world, { mayStart: (component) => until(() => component === 'app' || mayStart) });
    await tenant.run();
    const before = tenant.server.store.all('PipelineRun').map(({ metadata }) => metadata.name);
    mayStart = false;
    const stop = new AbortController();
    const running = tenant.run({ signal: stop.signal });
    // The commit is known, and of the two runs one has not begun.
    await Promise.race([running, until(() => tenant.output().split('app: PipelineRun').length === 3)]);
    stop.abort();
    await expect(running).rejects.toThrow();
    mayStart = true;
    const report = await tenant.run({ resume: true });
    expect(report?.status).toBe('passed');
    expect(report?.runs.filter(({ name }) => before.includes(name))).toEqual([]);
  });
});

describe('the integration service’s words', () => {
  test.each([
    'TestFail',
    'TestWarning',
    'TestInvalid',
    'Deleted',
    'EnvironmentProvisionError',
    'DeploymentError',
    'SnapshotCreationFailed',
    'BuildPLRFailed',
    'GroupSnapshotCreationFailed',
  ])('%s is no pass', async (status) => {
    const report = await run({ test: status });
    const fallen = report?.criteria.flatMap(({ evidence }) => evidence.filter((entry) => entry.status === 'failed'));
    // Of each component's Snapshot, and of the chain's.
    expect(fallen).toHaveLength(3);
    for (const each of fallen ?? [])
      expect(each).toMatchObject({ check: 'integration-test', found: expect.stringContaining(status) });
  });

  test.each(['Pending', 'InProgress', 'BuildPLRInProgress'])('%s is no end', async (status) => {
    tenant = await startTenant(world, { test: status });
    const report = await tenant.run({ timeouts: { ...DEFAULT_TIMEOUTS, tests: 200 } });
    expect(JSON.stringify(report?.criteria)).toContain('no result in time');
  });

  test('of a run that fails at once it says that it began, and calls all of them finished', async () => {
    const report = await run({ test: 'InProgress', atOnce: true });
    expect(JSON.stringify(report?.criteria)).toContain('TestFail: Some tests failed; of this one it says: ');
  });
});
