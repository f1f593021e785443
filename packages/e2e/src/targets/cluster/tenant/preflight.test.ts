import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { buildWorld, startTenant, type Tenant, type TenantWorld } from '../../../testing/tenant.ts';

let world: TenantWorld;
let tenant: Tenant;

beforeAll(async () => {
  world = await buildWorld();
});
afterAll(() => world.stop());
afterEach(() => tenant.stop());

/** What is told to stand in the way. */
async function findings(denied: readonly string[]): Promise<string[]> {
  tenant = await startTenant(world);
  for (const right of denied) tenant.server.denied.add(right);
  const { code, found } = await tenant.run().catch((caught) => caught);
  expect(code).toBe('PREFLIGHT_FAILED');
  return found.split('\n').filter((line: string) => !line.startsWith('  →'));
}

test('where service accounts may not be looked at, this is told once, and everything else is, too', async () => {
  expect(await findings(['get serviceaccounts', 'patch components', 'watch taskruns'])).toEqual([
    'you may not watch taskruns.tekton.dev in my-tenant',
    'you may not patch components.appstudio.redhat.com in my-tenant',
    'you may not get serviceaccounts in my-tenant',
  ]);
});

test('in a namespace of somebody else, every right that is missing is told', async () => {
  const kinds = ['pipelineruns', 'taskruns', 'snapshots', 'components', 'applications', 'imagerepositories'];
  const all = [...kinds, 'integrationtestscenarios', 'serviceaccounts', 'pods/log'];
  const denied = ['get', 'list', 'watch', 'create', 'patch'].flatMap((verb) => all.map((kind) => `${verb} ${kind}`));
  const told = await findings(denied);
  expect(told).toHaveLength(23);
  expect(told.filter((line) => line.startsWith('you may not '))).toHaveLength(23);
});

test('a service account that is refused in spite of the right', async () => {
  tenant = await startTenant(world);
  tenant.server.denied.add('patch components');
  tenant.server.fault = ({ path }) => (path.includes('/serviceaccounts/') ? { status: 403 } : undefined);
  const { found } = await tenant.run().catch((caught) => caught);
  expect(found).toContain('you may not patch components');
  expect(found).toContain('GET ServiceAccount build-pipeline-');
});

test('a key that is none is told with what to do', async () => {
  tenant = await startTenant(world);
  tenant.server.secretData.set('tekton-pipelines/public-key', { 'cosign.pub': btoa('no key at all') });
  const { found } = await tenant.run().catch((caught) => caught);
  expect(found).toMatch(/^Chains' public key in tekton-pipelines: .+\n {2}→ .+$/);
});
