import {
  KubernetesApi,
  type PodAccess,
  parseHistory,
  type Release,
  type ReleaseOptions,
  releaseChain,
} from '@multi-image/digest-chain';
import { checkConfig, planChain, readPins, render } from '@multi-image/manifests';
import { REVISION } from '@multi-image/testing/chain';
import { type MemoryChain, memoryChain } from '@multi-image/testing/memory-chain';
import { memoryRegistry } from '@multi-image/testing/memory-registry';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubeApi, KubeObject } from './kube-api.ts';
import { API_SERVER } from './place.ts';
import { konfluxCrds } from './testing/konflux-crds.ts';
import { makeNamespace } from './testing/namespace.ts';
import { thisCluster } from './testing/this-cluster.ts';

const GIT = 'https://git.example/org/chain';
const AUTO_RELEASE = 'release.appstudio.openshift.io/auto-release';
const API = 'appstudio.redhat.com/v1alpha1';
const ZERO = `sha256:${'0'.repeat(64)}`;

const SNAPSHOT: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'snapshots.appstudio.redhat.com' },
  spec: {
    group: 'appstudio.redhat.com',
    scope: 'Namespaced',
    names: { kind: 'Snapshot', plural: 'snapshots', singular: 'snapshot', listKind: 'SnapshotList' },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        },
      },
    ],
  },
};

const registry = memoryRegistry();
const chains = new Map<'app' | 'other' | 'broken', MemoryChain>();
let api: KubeApi;
let tenants = 0;
let namespace: string;
let files: readonly KubeObject[];

beforeAll(async () => {
  ({ api } = thisCluster());
  await api.applyAll([...konfluxCrds(), SNAPSHOT]);
  // The server serves a new kind a moment after it took it.
  await vi.waitFor(
    async () => {
      const { resources } = (await api.ask('GET', `/apis/${API}`)) as { resources: { name: string }[] };
      expect(resources.map(({ name }) => name)).toEqual(expect.arrayContaining(['components', 'snapshots']));
    },
    { timeout: 30_000, interval: 100 },
  );
  for (const name of ['app', 'other', 'broken'] as const) chains.set(name, await memoryChain(registry, name));
  const { image2, metadata } = chains.get('broken') as MemoryChain;
  registry.manifests.delete(`${image2}@${metadata}`);
});
afterAll(() => api?.close());

/** A tenant with what is rendered for it, and nothing built yet. */
beforeEach(async () => {
  namespace = `snapshots-${process.pid}-${++tenants}`;
  await makeNamespace(api, namespace);
  const { config, issues } = checkConfig({
    application: 'chain',
    namespace,
    git: { url: GIT },
    registry: 'registry.example/app',
    images: [
      { role: 'primary', component: 'app', repository: 'image1', containerfile: 'Containerfile' },
      { role: 'metadata', component: 'scanner', repository: 'image2', containerfile: 'C', embeds: ['primary'] },
    ],
  });
  if (config === undefined) throw new Error(JSON.stringify(issues));
  const rendered = render(planChain(config), readPins());
  files = rendered.flatMap(({ text }) => parseAllDocuments(text).map((document) => document.toJS() as KubeObject));
  const kinds = ['Component', 'Role', 'RoleBinding', 'ServiceAccount'];
  // The accounts that Konflux makes are not ours to look at.
  const ours = files.filter(({ kind, metadata }) => kinds.includes(kind) && !metadata.name.startsWith('build-'));
  await api.applyAll(ours);
});

/** How a pod of this account reaches the server. */
async function accessOf(account: string): Promise<PodAccess> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } };
  const { status } = (await api.ask('POST', path, request)) as { status: { token: string } };
  return { server: API_SERVER, token: status.token, authority: api.ca, namespace };
}

const collection = (): string => `/apis/${API}/namespaces/${namespace}/snapshots`;

async function snapshots(): Promise<readonly KubeObject[]> {
  return ((await api.ask('GET', collection())) as { items: KubeObject[] }).items;
}

type Images = Readonly<Record<'app' | 'scanner', string>>;
const imagesOf = (chain: MemoryChain | undefined): Images => ({
  app: `${chain?.image1}@${chain?.sealed}`,
  scanner: `${chain?.image2}@${chain?.metadata}`,
});

/** A build's own Snapshot, as the integration service makes it: labels of the rendered run, and one image that is older. */
async function built(name: keyof Images, images: Images, event: 'push' | 'pull_request' = 'push'): Promise<void> {
  const file = `${name}-on-${event.replace('_', '-')}`;
  const run = files.find(({ kind, metadata }) => kind === 'PipelineRun' && metadata.name === file);
  const copied = Object.entries(run?.metadata.labels ?? {}).filter(([key]) => /^(?:custom|release|test)\./.test(key));
  const components = Object.entries(images).map(([each, image]) => ({
    name: each,
    containerImage: each === name ? image : `${image.split('@')[0]}@${ZERO}`,
    source: { git: { url: GIT, revision: REVISION } },
  }));
  const labels = {
    ...Object.fromEntries(copied),
    'appstudio.openshift.io/application': 'chain',
    'appstudio.openshift.io/component': name,
    'test.appstudio.openshift.io/type': 'component',
    'pac.test.appstudio.openshift.io/event-type': event,
    // A push that merged a pull request has its number as well.
    'pac.test.appstudio.openshift.io/pull-request': '7',
  };
  const metadata = { generateName: `build-${name}-`, namespace, labels };
  await api.ask('POST', collection(), {
    apiVersion: API,
    kind: 'Snapshot',
    metadata,
    spec: { application: 'chain', components },
  });
}

async function bothBuilt(images: Images, event?: 'pull_request'): Promise<void> {
  for (const name of ['app', 'scanner'] as const) await built(name, images, event);
}

async function release(account = 'release-app'): Promise<Release> {
  const options: ReleaseOptions = {
    application: 'chain',
    chain: 'app',
    components: new Map([
      ['primary', 'app'],
      ['metadata', 'scanner'],
    ]),
    starts: ['primary'],
    gitUrl: GIT,
    history: parseHistory(`${REVISION} 1700000000`, REVISION),
  };
  return releaseChain(registry, new KubernetesApi(await accessOf(account)), options);
}

const made = async (): Promise<readonly KubeObject[]> =>
  (await snapshots()).filter(({ metadata }) => !metadata.name.startsWith('build-'));

test('ten that try at once make one Snapshot of a chain, and it is the only one that may be released', async () => {
  await bothBuilt(imagesOf(chains.get('app')));
  const releases = await Promise.all(Array.from({ length: 10 }, () => release()));
  expect(releases.map(({ outcome }) => outcome).toSorted()).toEqual(['created', ...Array(9).fill('exists')]);
  const all = await snapshots();
  expect(all).toHaveLength(3);
  const released = all.filter(({ metadata }) => metadata.labels?.[AUTO_RELEASE] !== 'false');
  const source = { git: { url: GIT, revision: REVISION } };
  const { app, scanner } = imagesOf(chains.get('app'));
  expect(released).toMatchObject([
    {
      metadata: { name: releases[0]?.name },
      spec: {
        components: [
          { name: 'app', containerImage: app, source },
          { name: 'scanner', containerImage: scanner, source },
        ],
      },
    },
  ]);
  // Once more, by a run that comes later.
  expect(await release()).toMatchObject({ outcome: 'exists' });
  expect(await snapshots()).toHaveLength(3);
});

describe('none is made', () => {
  test.each<[string, () => Promise<void>, string]>([
    ['of half a chain', () => built('app', imagesOf(chains.get('app'))), 'waits for the build of scanner'],
    ['of a pull request', () => bothBuilt(imagesOf(chains.get('app')), 'pull_request'), 'waits for the build of app'],
  ])('%s', async (_, prepare, note) => {
    await prepare();
    expect(await release()).toMatchObject({ outcome: 'waiting', note: expect.stringContaining(note) });
    expect(await made()).toEqual([]);
  });

  test.each<[string, () => Images, string]>([
    ['broken', () => imagesOf(chains.get('broken')), 'VERIFICATION_FAILED'],
    [
      'mixed',
      () => ({ ...imagesOf(chains.get('app')), scanner: imagesOf(chains.get('other')).scanner }),
      'SNAPSHOT_MIXED',
    ],
  ])('of a chain that is %s', async (_, images, code) => {
    await bothBuilt(images());
    await expect(release()).rejects.toMatchObject({ code });
    expect(await made()).toEqual([]);
  });
});

test('one of its name with other images is a conflict, and stays as it is', async () => {
  await bothBuilt(imagesOf(chains.get('app')));
  const { name = '' } = await release();
  await api.ask('DELETE', `${collection()}/${name}`);
  const spec = { application: 'chain', components: [{ name: 'app', containerImage: `quay.io/other@${ZERO}` }] };
  await api.ask('POST', collection(), { apiVersion: API, kind: 'Snapshot', metadata: { name, namespace }, spec });
  await expect(release()).rejects.toMatchObject({ code: 'SNAPSHOT_CONFLICT', found: `quay.io/other@${ZERO}` });
  expect(await made()).toMatchObject([{ spec }]);
});

describe('an account', () => {
  test('without the Role is told what is missing', async () => {
    await bothBuilt(imagesOf(chains.get('app')));
    await expect(release('default')).rejects.toMatchObject({
      code: 'CLUSTER_FORBIDDEN',
      message: `the service account default may not list snapshots in the namespace ${namespace}`,
      hint: expect.stringContaining('release-access.yaml'),
    });
  });

  test('with the Role may do that, and nothing beside it', async () => {
    const { token } = await accessOf('release-app');
    const review = async (verb: string, resource: string, group = 'appstudio.redhat.com'): Promise<boolean> => {
      const user = `system:serviceaccount:${namespace}:release-app`;
      const resourceAttributes = { namespace, verb, resource, group };
      const asked = await api.ask('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: { user, groups: ['system:serviceaccounts'], resourceAttributes },
      });
      return (asked as { status: { allowed: boolean } }).status.allowed;
    };
    expect(token).not.toBe('');
    for (const verb of ['get', 'list', 'create', 'patch']) expect(await review(verb, 'snapshots'), verb).toBe(true);
    expect(await review('list', 'components')).toBe(true);
    for (const verb of ['delete', 'deletecollection', 'update'])
      expect(await review(verb, 'snapshots'), verb).toBe(false);
    for (const [verb, resource, group] of [
      ['create', 'components', undefined],
      ['patch', 'components', undefined],
      ['create', 'releases', undefined],
      ['get', 'secrets', ''],
      ['create', 'pods', ''],
      ['create', 'pipelineruns', 'tekton.dev'],
    ] as const) {
      expect(await review(verb, resource, group), `${verb} ${resource}`).toBe(false);
    }
  });

  test('with half of it is told, and nothing was made', async () => {
    await bothBuilt(imagesOf(chains.get('app')));
    const role = files.find(({ kind }) => kind === 'Role') as KubeObject & { rules: { verbs: string[] }[] };
    const rules = role.rules.map((rule) => ({ ...rule, verbs: rule.verbs.filter((verb) => verb !== 'create') }));
    await api.apply({ ...role, rules });
    await expect(release()).rejects.toMatchObject({
      code: 'CLUSTER_FORBIDDEN',
      message: expect.stringContaining('may not create snapshots'),
    });
    expect(await made()).toEqual([]);
  });
});
