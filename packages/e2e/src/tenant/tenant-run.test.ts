import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../report/report.ts';
import type { Misfortunes } from '../testing/kube-konflux.ts';
import { buildWorld, REVISION, startTenant, type Tenant, type TenantWorld } from '../testing/tenant.ts';

let world: TenantWorld;
let tenant: Tenant;

beforeAll(async () => {
  world = await buildWorld();
});
afterAll(() => world.stop());
afterEach(() => tenant.stop());

async function start(misfortunes: Misfortunes = {}): Promise<Tenant> {
  tenant = await startTenant(world, misfortunes);
  return tenant;
}

const statusOf = (report: Report | undefined) =>
  Object.fromEntries(report?.criteria.map(({ id, status }) => [id, status]) ?? []);
const fallen = (report: Report | undefined) =>
  report?.criteria.flatMap(({ evidence }) => evidence.filter(({ status }) => status === 'failed').map(({ check }) => check));

test('applies, builds, follows, and proves it attested with the cluster’s key', async () => {
  const report = await (await start()).run();
  expect(report?.criteria.flatMap(({ evidence }) => evidence.filter(({ status }) => status !== 'passed'))).toEqual([]);
  expect(report).toMatchObject({ target: 'tenant', status: 'passed', revision: REVISION });
  expect(report?.images.map(({ sealedDigest, latestDigest }) => [sealedDigest, latestDigest])).toEqual([
    [world.chain.sealed, world.chain.sealed],
    [null, world.chain.metadata],
  ]);
  expect(report?.cluster?.snapshots).toHaveLength(2);
  expect(tenant.konflux.requests.toSorted()).toEqual([
    'app configure-pac-no-mr',
    'app trigger-pac-build',
    'scanner configure-pac-no-mr',
    'scanner trigger-pac-build',
  ]);
});
