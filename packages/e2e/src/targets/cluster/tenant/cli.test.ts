import { once } from 'node:events';
import { resolve } from 'node:path';
import { startForTest } from '@multi-image/testing/child';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { e2eHere } from '../../../testing/e2e-here.ts';
import { buildWorld, REVISION, startTenant, type Tenant, type TenantWorld } from '../../../testing/tenant.ts';

let world: TenantWorld;
let tenant: Tenant;

beforeAll(async () => {
  world = await buildWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  tenant = await startTenant(world);
});
afterEach(() => tenant.stop());

const where = (): string[] => ['--target', 'tenant', '--config', world.config];
// Nothing is listening there: what asks the registry gets an answer at once, and no network is needed.
const environment = () => ({ HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: '127.0.0.1', XDG_STATE_HOME: world.folder });

/** In a process of its own, as people run it. */
async function spawned(...args: string[]) {
  const cli = resolve(import.meta.dirname, '../../../cli.ts');
  const { KUBECONFIG: _, ...env } = process.env;
  const child = startForTest(process.execPath, [cli, ...where(), ...args], { env: { ...env, ...environment() } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const [exitCode] = await once(child, 'close');
  return { exitCode, output };
}

/** The command itself, in this process. */
async function e2e(...args: string[]) {
  const { status, stdout, stderr } = await e2eHere([...where(), ...args], { ...environment(), KUBECONFIG: undefined });
  return { exitCode: status, output: stdout + stderr };
}

test('names everything that is in the way, with exit code 2, without the login in it', async () => {
  tenant.server.denied.add('watch pipelineruns');
  const { exitCode, output } = await spawned('--kubeconfig', tenant.kubeconfig);
  expect(exitCode).toBe(2);
  for (const part of [
    'error PREFLIGHT_FAILED',
    'you may not watch pipelineruns.tekton.dev',
    'quay.io/acme/my-tenant/chain-image1',
  ]) {
    expect(output).toContain(part);
  }
  expect(output).not.toContain('test-token');
  expect(output).not.toContain('a bug in this program');
});

test.each([
  ['USAGE', ['--commit', 'main']],
  ['USAGE', ['--timeout', 'soon']],
  ['USAGE', ['--commit', REVISION, '--resume']],
  ['KUBECONFIG_INVALID', ['--kubeconfig', '/no/such/file']],
  ['KUBECONFIG_INVALID', ['--context', 'elsewhere']],
  ['KEY_INVALID', ['--key', '/no/such/key']],
])('%s for %j', async (code, args) => {
  const login = args.includes('--kubeconfig') ? [] : ['--kubeconfig', tenant.kubeconfig];
  const { exitCode, output } = await e2e(...login, ...args);
  expect(exitCode).toBe(2);
  expect(output).toContain(`error ${code}`);
});

test('a clean-up with nobody to ask deletes nothing; with --yes it does', async () => {
  await tenant.run();
  const refused = await e2e('--kubeconfig', tenant.kubeconfig, '--cleanup');
  expect(refused.exitCode).toBe(2);
  expect(refused.output).toContain('NOT_CONFIRMED');
  expect(tenant.server.store.all('Component')).toHaveLength(2);
  expect((await e2e('--kubeconfig', tenant.kubeconfig, '--cleanup', '--yes')).exitCode).toBe(0);
  expect(tenant.server.store.all('Component')).toHaveLength(0);
});
