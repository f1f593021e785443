import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { statusOf } from '@multi-image/testing/criteria';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Misfortunes, SCENARIO } from '../../../testing/kube/konflux.ts';
import type { Call } from '../../../testing/kube/server.ts';
import { type QuayProxy, startQuayProxy } from '../../../testing/quay-proxy.ts';
import { buildWorld, startTenant, type Tenant, type TenantWorld } from '../../../testing/tenant.ts';
import {
  type CommandEnd,
  runTenantCommand,
  startTenantCommand,
  type TenantCommand,
} from '../../../testing/tenant-command.ts';
import { until } from '../../../testing/until.ts';

let world: TenantWorld;
let quay: QuayProxy;
let tenant: Tenant;

beforeAll(async () => {
  world = await buildWorld();
  quay = await startQuayProxy(world.registryHost, join(world.folder, 'quay'));
});
afterAll(async () => {
  await quay.stop();
  await world.stop();
});
afterEach(() => tenant.stop());

/** Runs the command until it is killed at a moment, by what nobody can catch. */
async function killed(moment: (call: Call) => boolean, misfortunes: Misfortunes = {}): Promise<CommandEnd> {
  let command: TenantCommand | undefined;
  let hit = false;
  tenant = await startTenant(world, misfortunes);
  tenant.server.fault = (call) => {
    hit ||= command?.child.killed !== true && moment(call);
    if (hit) command?.child.kill('SIGKILL');
    return undefined;
  };
  command = startTenantCommand(world, tenant, quay);
  const end = await command.ended;
  expect(hit && end.signal).toBe('SIGKILL');
  tenant.server.fault = () => undefined;
  return end;
}

const asks = ({ method, query }: Call): boolean =>
  method === 'PATCH' && query.get('fieldManager') === 'multi-image-e2e-trigger';

describe('killed with SIGKILL, and taken up again with --resume', () => {
  test.each<[string, (call: Call) => boolean]>([
    [
      'while it applies',
      ({ method, path, query }) => method === 'PATCH' && path.endsWith('/scanner') && !query.has('dryRun'),
    ],
    ['while it asks for the builds', asks],
    ['while the builds run', ({ path, query }) => query.has('watch') && path.endsWith('/taskruns')],
    ['while a build that failed is looked at', ({ path }) => path.endsWith('/log')],
  ])('%s', async (when, moment) => {
    const failingTask = { component: 'app', task: 'build-image-2', log: 'no space left on device\n' };
    const fails = when.includes('failed');
    await killed(moment, { pace: 40, ...(fails ? { failingTask } : {}) });
    const { exitCode, report, stdout, stderr } = await runTenantCommand(world, tenant, quay, '--resume');
    expect(stdout + stderr).not.toContain('error');
    const fallen = Object.entries(statusOf(report)).flatMap(([id, status]) => (status === 'passed' ? [] : [id]));
    const first = ['single-pipeline', 'image-2-embeds-image-1'];
    // No Snapshot of the whole chain was waited for, so that nothing is said of it.
    expect(fallen).toEqual(fails ? [...first, 'scanner-extracts', 'no-manual-step'] : []);
    if (fails) expect(stdout).toContain('no space left on device');
    expect(exitCode).toBe(fails ? 1 : 0);
    expect(tenant.konflux.requests.toSorted()).toEqual([
      'app configure-pac-no-mr',
      'app trigger-pac-build',
      'scanner configure-pac-no-mr',
      'scanner trigger-pac-build',
    ]);
  });

  test('after the runs, which Konflux has pruned until it goes on', async () => {
    tenant = await startTenant(world, { test: 'InProgress' });
    // Chains has written on the run by the time its last tasks are known.
    tenant.server.fault = ({ query }) =>
      query.get('labelSelector')?.startsWith('tekton.dev/pipelineRun=scanner') ? { wait: 300 } : undefined;
    const first = startTenantCommand(world, tenant, quay);
    const signed = (): object => JSON.parse(readFileSync(tenant.stateFile, 'utf8')).signed ?? {};
    await until(() => existsSync(tenant.stateFile) && Object.keys(signed()).length === 2);
    first.child.kill('SIGKILL');
    expect((await first.ended).signal).toBe('SIGKILL');
    const { store } = tenant.server;
    // Those of both builds, and the chain's.
    await until(() => store.all('Snapshot').length === 3);
    // From here on nothing is written but by this test.
    tenant.konflux.stop();
    for (const kind of ['PipelineRun', 'TaskRun']) {
      for (const { metadata } of store.all(kind)) store.delete(kind, metadata.name);
    }
    for (const { metadata } of store.all('Snapshot')) {
      store.change('Snapshot', metadata.name, ({ metadata: { annotations } }) => {
        const result = { scenario: SCENARIO, status: 'TestPassed', details: '' };
        annotations['test.appstudio.openshift.io/status'] = JSON.stringify([result]);
      });
    }
    const { exitCode, report } = await runTenantCommand(world, tenant, quay, '--resume');
    expect([exitCode, report?.status]).toEqual([0, 'passed']);
    expect(report?.runs.map(({ tasks }) => tasks.length)).toEqual([6, 3]);
  });

  test('before its builds were asked for: an earlier run’s result is not taken for its own', async () => {
    tenant = await startTenant(world);
    expect((await runTenantCommand(world, tenant, quay)).exitCode).toBe(0);
    const asked = tenant.konflux.requests.length;
    const second = startTenantCommand(world, tenant, quay);
    tenant.server.fault = ({ query }) => {
      if (query.get('dryRun') === 'All') second.child.kill('SIGKILL');
      return undefined;
    };
    expect((await second.ended).signal).toBe('SIGKILL');
    tenant.server.fault = () => undefined;
    expect((await runTenantCommand(world, tenant, quay, '--resume')).exitCode).toBe(0);
    expect(tenant.konflux.requests.slice(asked).toSorted()).toEqual([
      'app trigger-pac-build',
      'scanner trigger-pac-build',
    ]);
  });
});
