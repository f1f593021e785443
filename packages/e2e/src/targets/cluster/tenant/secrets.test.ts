import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Misfortunes } from '../../../testing/kube/konflux.ts';
import { writeLogin } from '../../../testing/kube/login.ts';
import { createAuthority } from '../../../testing/kube/tls.ts';
import { type QuayProxy, startQuayProxy } from '../../../testing/quay-proxy.ts';
import { buildWorld, startTenant, type Tenant, type TenantWorld } from '../../../testing/tenant.ts';
import { type CommandEnd, runTenantCommand, startTenantCommand } from '../../../testing/tenant-command.ts';
import { until } from '../../../testing/until.ts';

// Secrets in every place that a run reads from, and a look at everything that the command says and writes.

const TOKEN = 'planted/token+4711=';
const PASSWORD = 'planted-password-4711';
const REGISTRY = 'planted-registry-4711';

let world: TenantWorld;
let quay: QuayProxy;
let tenant: Tenant;
let key: string;
let loot: string;

beforeAll(async () => {
  world = await buildWorld();
  quay = await startQuayProxy(world.registryHost, join(world.folder, 'quay'));
  const { client } = await createAuthority(join(world.folder, 'login'));
  key = await readFile(client.key, 'utf8');
  const auth = Buffer.from(`robot:${REGISTRY}`).toString('base64');
  await writeFile(join(world.folder, 'auth.json'), JSON.stringify({ auths: { 'quay.io': { auth } } }));
  loot = [
    `Authorization: Bearer ${TOKEN}`,
    `Authorization: Basic ${Buffer.from(`me:${PASSWORD}`).toString('base64')}`,
    `the login was ${TOKEN}, or ${PASSWORD}, in a Secret ${Buffer.from(TOKEN).toString('base64')}`,
    `?token=${encodeURIComponent(TOKEN)}`,
    `https://robot:${REGISTRY}@quay.io/v2/`,
    `{"auths":{"quay.io":{"auth":"${auth}"}}}`,
    `password=${REGISTRY}`,
    key,
  ].join('\n');
});
afterAll(async () => {
  await quay.stop();
  await world.stop();
});
afterEach(() => tenant.stop());

/** A tenant that says the secrets wherever it can, and a login to it with others. */
async function prepare(misfortunes: Misfortunes): Promise<void> {
  tenant = await startTenant(world, { chains: loot, test: loot, ...misfortunes });
  const user = {
    token: TOKEN,
    username: 'me',
    password: PASSWORD,
    'client-key-data': Buffer.from(key).toString('base64'),
  };
  await writeLogin(tenant.kubeconfig, { server: tenant.address, user });
  tenant.server.tokens.add(TOKEN);
}

async function run(misfortunes: Misfortunes): Promise<CommandEnd> {
  await prepare(misfortunes);
  return runTenantCommand(world, tenant, quay);
}

/** All places in which a secret is found, in any of its forms. */
function leaks({ stdout, stderr, files }: CommandEnd): string[] {
  const forms = [TOKEN, PASSWORD, REGISTRY].flatMap((secret) => [
    secret,
    Buffer.from(secret).toString('base64').slice(0, 20),
    encodeURIComponent(secret),
  ]);
  const pairs = [`me:${PASSWORD}`, `robot:${REGISTRY}`].map((pair) => Buffer.from(pair).toString('base64'));
  const lines = key.split('\n').filter((line) => line.length > 20 && !line.includes('----'));
  const places = Object.entries({ stdout, stderr, ...files });
  return [...forms, ...pairs, ...lines].flatMap((secret) =>
    places.flatMap(([place, text]) => (text.includes(secret) ? [`${place}: ${secret}`] : [])),
  );
}

test('of a run whose images are good, but not what Konflux says of them', async () => {
  const end = await run({});
  expect([end.exitCode, leaks(end)]).toEqual([1, []]);
  // What was hidden had been there.
  expect(end.files.report).toContain('Authorization: Bearer [hidden]');
});

test('of a run in which all is well', async () => {
  const end = await run({ chains: undefined, test: undefined });
  expect([end.exitCode, leaks(end)]).toEqual([0, []]);
});

test('of a build that fails', async () => {
  const failingTask = { component: 'app', task: 'build-image-2', log: loot, message: loot };
  const end = await run({ failingTask });
  expect([end.exitCode, leaks(end)]).toEqual([1, []]);
  expect(end.stdout).toContain('https://robot:[hidden]@quay.io');
});

test('of a log that begins in the middle of a key', async () => {
  const failingTask = { component: 'app', task: 'build-image-2', log: `${'x\n'.repeat(40)}${key}${'y\n'.repeat(27)}` };
  const end = await run({ failingTask });
  expect([end.exitCode, leaks(end)]).toEqual([1, []]);
});

test('of a run that ends before its first task', async () => {
  const runReason = { component: 'app', reason: 'CouldntGetPipeline', message: loot, early: true };
  const end = await run({ runReason });
  expect([end.exitCode, leaks(end)]).toEqual([1, []]);
});

test('of a component that can not be configured', async () => {
  const end = await run({ configureError: loot });
  expect([end.exitCode, leaks(end)]).toEqual([2, []]);
  expect(end.stderr).toContain('COMPONENT_NOT_CONFIGURED');
});

test('of an API server that quotes what it was sent in a refusal', async () => {
  await prepare({ pace: 40 });
  tenant.server.fault = ({ path, method, login }) =>
    method === 'PATCH' && path.endsWith('/app')
      ? { status: 403, message: `${loot}\n${login}`, headers: { 'x-sent': login } }
      : undefined;
  const end = await runTenantCommand(world, tenant, quay);
  expect([end.exitCode, leaks(end)]).toEqual([2, []]);
  expect(end.stderr).toContain('error CLUSTER_');
});

test.each<[NodeJS.Signals, number | null]>([
  ['SIGKILL', null],
  ['SIGTERM', 143],
])('of a run that %s ends', async (signal, exitCode) => {
  const failingTask = { component: 'scanner', task: 'clair-scan', log: loot, message: loot };
  await prepare({ failingTask, pace: 60 });
  const command = startTenantCommand(world, tenant, quay);
  // The failed run is in the state file then.
  await until(async () => (await readFile(tenant.stateFile, 'utf8').catch(() => '')).includes('clair-scan'));
  command.child.kill(signal);
  const end = await command.ended;
  expect([end.exitCode, leaks(end)]).toEqual([exitCode, []]);
  expect(end.files.state).toContain('[hidden]');
});
