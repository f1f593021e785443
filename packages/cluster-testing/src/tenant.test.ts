import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig, render } from '@multi-image/manifests';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KubeApi, KubeObject } from './kube-api.ts';
import { API_SERVER, inState, kubeconfig, REGISTRY } from './place.ts';
import { konfluxCrds } from './testing/konflux-crds.ts';
import { repository } from './testing/served-chain.ts';
import { thisCluster } from './testing/this-cluster.ts';

// What `--target tenant` sets up, on a real API server with Konflux' kinds: as a tenant's admin, who has just the
// permissions that docs/tenant-run.md asks for. What plays Konflux sets up components, and builds nothing.

const NAMESPACE = 'my-tenant';
const KONFLUX = 'appstudio.redhat.com';
const REQUEST = 'build.appstudio.openshift.io/request';
const STATUS = 'build.appstudio.openshift.io/status';

let api: KubeApi;
let folder: string;
let config: string;
let registry: Server;
let key: string;

beforeAll(async () => {
  const { api: connected, cluster } = thisCluster();
  api = connected;
  key = inState.publicKey(cluster.state);
  folder = mkdtempSync(join(tmpdir(), 'tenant-test-'));
  // The cluster's registry, by a name that needs no TLS and has no port: Konflux takes none with one.
  registry = createServer((socket) => {
    const [host = '', port = ''] = REGISTRY.split(':');
    const onward = connect(Number(port), host);
    for (const [one, other] of [[socket, onward] as const, [onward, socket] as const]) {
      one.on('error', () => other.destroy());
      one.pipe(other);
    }
  });
  registry.listen(80, '127.0.0.1');
  await once(registry, 'listening');
  config = await writeChain(`localhost/acme/${NAMESPACE}`);
  await api.applyAll([
    ...konfluxCrds(),
    ...['Snapshot', 'ReleasePlan', 'Release'].map(crdOf),
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    ...permissionsOf('admin', ['get', 'create', 'patch']),
    ...permissionsOf('reader', ['get']),
    ...['app', 'scanner'].map(
      (component): KubeObject => ({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: `build-pipeline-${component}`, namespace: NAMESPACE },
      }),
    ),
  ]);
});
afterAll(() => {
  registry?.close();
  api?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A kind of Konflux' that is looked at here, and never made. */
function crdOf(kind: string): KubeObject {
  const plural = `${kind.toLowerCase()}s`;
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${KONFLUX}` },
    spec: {
      ...{ group: KONFLUX, scope: 'Namespaced' },
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{ name: 'v1alpha1', served: true, storage: true, schema }],
    },
  };
}

/** The permissions of docs/tenant-run.md, with these verbs on what is applied. */
function permissionsOf(name: string, verbs: readonly string[]): readonly KubeObject[] {
  const metadata = { name, namespace: NAMESPACE };
  const applied = ['applications', 'components', 'imagerepositories', 'integrationtestscenarios'];
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata,
      rules: [
        { apiGroups: [KONFLUX], resources: applied, verbs },
        { apiGroups: [''], resources: ['serviceaccounts'], verbs },
        { apiGroups: [KONFLUX], resources: ['components', 'snapshots'], verbs: ['list', 'watch'] },
        { apiGroups: ['tekton.dev'], resources: ['pipelineruns', 'taskruns'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', ...metadata }],
    },
  ];
}

/** A fork of two images, with everything rendered. */
async function writeChain(images: string): Promise<string> {
  const root = join(folder, 'chain');
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const image = (role: string, component: string, more: object) => ({
    ...{ role, component, repository: component, containerfile: `${component}/Containerfile`, ...more },
  });
  const value = {
    ...{ application: 'chain', namespace: NAMESPACE, git: { url: 'https://github.com/acme/chain' }, registry: images },
    images: [image('primary', 'app', {}), image('metadata', 'scanner', { embeds: ['primary'] })],
  };
  for (const { containerfile } of value.images) write(containerfile, 'FROM scratch\n');
  write('konflux.config.mjs', `export default ${JSON.stringify(value)};\n`);
  const file = join(root, 'konflux.config.mjs');
  const { chain, pins, folder: place } = await loadConfig(file);
  for (const { path, text } of render(chain, pins, place)) write(path, text);
  return file;
}

async function e2e(account: string, ...more: readonly string[]): Promise<{ code: number | null; output: string }> {
  const { status } = (await api.ask('POST', `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${account}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {},
  })) as { status: { token: string } };
  const login = join(folder, `${account}.kubeconfig`);
  writeFileSync(login, kubeconfig(API_SERVER, api.ca, status.token), { mode: 0o600 });
  const words = [join(repository, 'packages/e2e/src/cli.ts'), '--target', 'tenant', '--config', config, '--key', key];
  const child = spawn(process.execPath, [...words, '--state', join(folder, 'state.json'), ...more], {
    cwd: dirname(config),
    env: { ...process.env, KUBECONFIG: login, CI: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

const SHORT = ['--timeout', 'configured=3s'];
const read = async (plural: string, name: string): Promise<KubeObject> =>
  (await api.ask('GET', `/apis/${KONFLUX}/v1alpha1/namespaces/${NAMESPACE}/${plural}/${name}`)) as KubeObject;

test('who may not apply is told every verb that is missing, and nothing is made', async () => {
  const { code, output } = await e2e('reader', ...SHORT);
  expect(code, output).toBe(2);
  for (const verb of ['create', 'patch']) expect(output).toContain(`you may not ${verb} components.${KONFLUX}`);
  await expect(read('applications', 'chain')).rejects.toMatchObject({ code: 'API_REFUSED' });
});

test('a dry run says what it would make, and makes nothing', async () => {
  const { code, output } = await e2e('admin', '--dry-run');
  expect(code, output).toBe(0);
  for (const what of ['Application chain', 'Component app', 'Component scanner']) {
    expect(output).toContain(`would create ${what}`);
  }
  await expect(read('applications', 'chain')).rejects.toMatchObject({ code: 'API_REFUSED' });
});

/** Sets up the components that ask for it, and links their secrets, as Konflux does, until it is stopped. */
async function playKonflux(signal: AbortSignal): Promise<void> {
  const path = `/apis/${KONFLUX}/v1alpha1/namespaces/${NAMESPACE}/components`;
  for (; !signal.aborted; await sleep(200)) {
    const { items } = (await api.ask('GET', path)) as { items: readonly KubeObject[] };
    for (const { metadata, spec } of items) {
      if (!metadata.annotations?.[REQUEST]?.startsWith('configure-pac')) continue;
      const status = JSON.stringify({ pac: { state: 'enabled' }, message: 'done' });
      const { containerImage = `localhost/acme/${NAMESPACE}/${metadata.name}` } = spec as { containerImage?: string };
      const change = { metadata: { annotations: { [REQUEST]: null, [STATUS]: status } }, spec: { containerImage } };
      await api.ask('PATCH', `${path}/${metadata.name}`, change, 'application/merge-patch+json');
      await api.apply({
        ...{ apiVersion: 'v1', kind: 'ServiceAccount' },
        metadata: { name: `build-pipeline-${metadata.name}`, namespace: NAMESPACE },
        secrets: [{ name: `imagerepository-for-chain-${metadata.name}-image-push` }],
      });
    }
  }
}

test('the tenant’s admin sets it up as it is rendered; a second time there is nothing to do', async () => {
  const first = await e2e('admin', ...SHORT);
  // Nobody sets up the components.
  expect(first.code, first.output).toBe(2);
  expect(first.output).toMatch(/WAIT_TIMEOUT[\s\S]*--timeout configured=/);
  const stop = new AbortController();
  const konflux = playKonflux(stop.signal);
  const second = await e2e('admin', '--timeout', 'configured=60s', '--timeout', 'started=3s').finally(() =>
    stop.abort(),
  );
  await konflux;
  expect(second.code, second.output).toBe(2);
  expect(second.output).toMatch(/builds are asked for[\s\S]*WAIT_TIMEOUT[\s\S]*--timeout started=/);
  for (const component of ['app', 'scanner']) {
    const { metadata, spec } = await read('components', component);
    expect(metadata.annotations?.[REQUEST]).toBe('trigger-pac-build');
    expect(spec).toMatchObject({ application: 'chain', componentName: component });
    const path = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/build-pipeline-${component}`;
    const { secrets } = (await api.ask('GET', path)) as { secrets: readonly { name: string }[] };
    expect(secrets.length).toBeGreaterThan(0);
  }
  const third = await e2e('admin', '--dry-run');
  expect(third.code, third.output).toBe(0);
  expect(third.output).toContain('nothing to apply: the tenant is as the config says');
});

test('what somebody else owns is left alone, and named', async () => {
  const { apiVersion, kind, metadata, spec } = await read('components', 'app');
  const { name, namespace } = metadata;
  const source = { git: { url: 'https://github.com/somebody/else' } };
  await api.apply({
    apiVersion,
    kind,
    metadata: { name, namespace: namespace ?? '' },
    spec: { ...(spec as object), source },
  });
  const { code, output } = await e2e('admin', ...SHORT);
  expect(code, output).toBe(2);
  expect(output).toMatch(/APPLY_CONFLICT[\s\S]*Component app[\s\S]*cluster-testing/);
  expect((await read('components', 'app')).spec).toMatchObject({ source });
});
