import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { pipelineRun } from '../../testing/kube/objects.ts';
import { buildWorld, REVISION, startTenant, type Tenant, type TenantWorld } from '../../testing/tenant.ts';
import { until } from '../../testing/until.ts';
import { DEFAULT_TIMEOUTS } from './timeouts.ts';

const OTHER = 'f'.repeat(40);
let world: TenantWorld;
let tenant: Tenant;

beforeAll(async () => {
  world = await buildWorld();
});
afterAll(() => world.stop());
afterEach(() => tenant.stop());

const isSeen = (): boolean => tenant.output().includes(`commit     ${OTHER}`);
let mayStart: boolean;

/** Right after the builds were asked for runs of another commit appear; theirs come when those were seen. */
async function start(others: readonly string[], status: object = {}): Promise<void> {
  mayStart = true;
  tenant = await startTenant(world, { mayStart: () => until(() => isSeen() && mayStart) });
  const { store } = tenant.server;
  let asked = false;
  store.onEvent(({ object }) => {
    if (asked || !tenant.konflux.requests.some((request) => request.includes('trigger'))) return;
    asked = object.kind === 'Component';
    if (!asked) return;
    for (const component of others) {
      const run = pipelineRun(`${component}-on-push-other`, component, OTHER);
      store.put({ ...run, status: { ...(run.status as object), ...status } });
    }
  });
}
const failed = { completionTime: new Date().toISOString(), conditions: [{ type: 'Succeeded', status: 'False' }] };

describe('another commit’s run that appears before those that were asked for', () => {
  test.each([
    ['runs on', {}],
    ['fails at once', failed],
  ])('is left alone, where the other components have none of it: %s', async (_, status) => {
    await start(['app'], status);
    const report = await tenant.run();
    expect(report).toMatchObject({ status: 'passed', revision: REVISION });
    expect(tenant.output()).toContain(`commit     ${OTHER}`);
    expect(tenant.output()).toContain(`commit     ${REVISION}, not ${OTHER}: it has all the runs`);
    expect(JSON.parse(await readFile(tenant.stateFile, 'utf8'))).toMatchObject({ revision: REVISION });
  });

  test('is not what a resumed run goes on with', async () => {
    await start(['app']);
    mayStart = false;
    const stop = new AbortController();
    const running = tenant.run({ signal: stop.signal });
    await Promise.race([running, until(isSeen)]);
    stop.abort();
    await expect(running).rejects.toThrow();
    mayStart = true;
    expect(await tenant.run({ resume: true })).toMatchObject({ status: 'passed', revision: REVISION });
  });

  test('is followed to its end, once it has a run of every component', async () => {
    await start(['app', 'scanner']);
    const running = tenant.run({ timeouts: { ...DEFAULT_TIMEOUTS, runs: 1000 } });
    await expect(running).rejects.toMatchObject({
      code: 'WAIT_TIMEOUT',
      found: expect.stringContaining('app-on-push-other: Running'),
    });
    expect(tenant.output()).not.toContain(REVISION);
  });
});
