import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { KubernetesApi, link, parseHistory, type ReleaseOptions, releaseChain } from '@multi-image/digest-chain';
import { createRegistry, parseDigestReference, parseTagReference } from '@multi-image/digest-chain/oci';
import { type EmbeddingImage, pushEmbedding } from '@multi-image/testing/embedding-image';
import { memoryRegistry } from '@multi-image/testing/memory-registry';
import { startTestRegistry } from '@multi-image/testing/registry';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { KubeServer } from '../../../testing/kube/server.ts';
import { NAMESPACE } from '../../../testing/kube/store.ts';
import { createAuthority, readTls } from '../../../testing/kube/tls.ts';
import { type PublishedChain, publishChain } from '../../../testing/tenant-chain.ts';
import { KINDS, list, type Resource } from '../api/resource.ts';

const commit = (digit: string): string => digit.repeat(40);
const [R1, R2, R3] = [commit('1'), commit('2'), commit('3')];
const ANCESTORS: Readonly<Record<string, readonly string[]>> = { [R1]: [], [R2]: [R1], [R3]: [R2, R1] };
const ZERO = `sha256:${'0'.repeat(64)}`;
const GIT = 'https://git.example/acme/chain';
const AUTO_RELEASE = 'release.appstudio.openshift.io/auto-release';
const START = 1_700_000_000_000;
const registry = memoryRegistry();
const chains = new Map<string, PublishedChain>();
let server: KubeServer;
let address: string;

beforeAll(async () => {
  for (const revision of [R1, R2, R3])
    chains.set(revision, await publishChain(registry, 'quay.io/acme/chain', revision));
  chains.set('again', await publishChain(registry, 'quay.io/acme/again', R1));
  const broken = await publishChain(registry, 'quay.io/acme/broken', R1);
  registry.manifests.delete(`${broken.image2}@${broken.metadata}`);
  chains.set('broken', broken);
});

beforeEach(async () => {
  server = new KubeServer();
  address = await server.start();
  for (const name of ['app', 'scanner']) component(name);
});
afterEach(() => server.stop());

function component(name: string, status: object = {}, labels: Record<string, string> = {}): void {
  const source = { git: { url: `https://git.example/acme/${name}`, revision: 'main' } };
  const spec = { application: 'chain', componentName: name, source };
  server.store.put({ ...KINDS.component, metadata: { name, labels }, spec, status });
}

interface Build {
  revision: string;
  images: Readonly<Record<string, string>>;
  start?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** A component's own Snapshot, as the integration service makes it: with what is promoted of the others. */
function built(name: string, { revision, images, start = START, labels = {}, annotations = {} }: Build): void {
  const components = Object.entries(images).map(([each, containerImage]) => ({
    name: each,
    containerImage,
    source: { git: { url: GIT, revision: each === name ? revision : commit('0') } },
  }));
  server.store.put({
    ...KINDS.snapshot,
    metadata: {
      name: `build-${name}-${revision.slice(0, 4)}-${start}`,
      labels: {
        'appstudio.openshift.io/application': 'chain',
        'appstudio.openshift.io/component': name,
        'test.appstudio.openshift.io/type': 'component',
        'pac.test.appstudio.openshift.io/event-type': 'push',
        'custom.appstudio.openshift.io/chain': 'app',
        [AUTO_RELEASE]: 'false',
        ...labels,
      },
      annotations: { 'test.appstudio.openshift.io/pipelinerunstarttime': String(start), ...annotations },
      ownerReferences: [{ apiVersion: 'v1alpha1', kind: 'Application', name: 'chain', uid: 'u', controller: true }],
    },
    spec: { application: 'chain', components },
  } as Resource);
}

const imagesOf = (chain: PublishedChain | undefined) => ({
  app: `${chain?.image1}@${chain?.sealed}`,
  scanner: `${chain?.image2}@${chain?.metadata}`,
});

/** Both builds of a commit, each with the other component as it was promoted before: a mixed pair. */
function bothBuilt(revision: string, start?: number, of: string = revision): void {
  const { app, scanner } = imagesOf(chains.get(of));
  built('app', { revision, images: { app, scanner: `quay.io/acme/chain-image2@${ZERO}` }, start });
  built('scanner', { revision, images: { app: `quay.io/acme/chain-image1@${ZERO}`, scanner }, start });
}

function release(revision: string, options: Partial<ReleaseOptions> = {}) {
  const api = new KubernetesApi(
    { server: address, token: 'test-token', authority: undefined, namespace: NAMESPACE },
    { clock: { now: () => 0, sleep: async () => {} } },
  );
  const time = 1_700_000_000 + Number(revision[0]) * 60;
  const lines = [revision, ...(ANCESTORS[revision] ?? [])].map((each, index) => `${each} ${time - index * 60}`);
  return releaseChain(registry, api, {
    application: 'chain',
    chain: 'app',
    components: new Map([
      ['primary', 'app'],
      ['metadata', 'scanner'],
    ]),
    starts: ['primary'],
    gitUrl: GIT,
    history: parseHistory(lines.join('\n'), revision),
    ...options,
  });
}

/** Makes it as if it had been created at another time. */
function moveTo(name: string, creationTimestamp: string): void {
  const snapshot = server.store.get('Snapshot', name) as Resource;
  server.store.delete('Snapshot', name);
  server.store.put({ ...snapshot, metadata: { ...snapshot.metadata, creationTimestamp } });
}

/** The Snapshots that are of no build by itself. */
const made = (): Resource[] =>
  server.store.all('Snapshot').filter(({ metadata }) => !metadata.name.startsWith('build-'));
const released = (): Resource[] => made().filter(({ metadata }) => metadata.labels?.[AUTO_RELEASE] !== 'false');
const creations = (): number => server.calls.filter(({ method }) => method === 'POST').length;

describe('the Snapshot of a commit', () => {
  test('is one, with what was proved of all components, however many try at once', async () => {
    bothBuilt(R1);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => release(R1)));
    expect(outcomes.map(({ outcome }) => outcome).toSorted()).toEqual(['created', ...Array(9).fill('exists')]);
    const [snapshot, ...more] = made();
    expect(more).toEqual([]);
    const source = { git: { url: GIT, revision: R1 } };
    const { app, scanner } = imagesOf(chains.get(R1));
    expect(snapshot?.spec).toEqual({
      application: 'chain',
      components: [
        { name: 'app', containerImage: app, source },
        { name: 'scanner', containerImage: scanner, source },
      ],
    });
    expect(snapshot?.metadata).toMatchObject({
      name: expect.stringMatching(/^chain-1{12}-[0-9a-f]{12}$/),
      labels: {
        'appstudio.openshift.io/application': 'chain',
        'appstudio.openshift.io/component': expect.stringMatching(/^(?:app|scanner)$/),
        'custom.appstudio.openshift.io/chain': 'app',
      },
      annotations: {
        'test.appstudio.openshift.io/pipelinerunstarttime': String(START),
        'io.konflux.poc/commit-time': '2023-11-14T22:14:20.000Z',
      },
      ownerReferences: [{ kind: 'Application', uid: 'u' }],
    });
    // No override: that would write its images into the components, tested or not.
    expect(snapshot?.metadata.labels).not.toHaveProperty(['test.appstudio.openshift.io/type']);
    expect(released()).toHaveLength(1);
    const held = server.store.all('Snapshot').filter(({ metadata }) => metadata.labels?.[AUTO_RELEASE] === 'false');
    expect(held).toHaveLength(2);
  });

  test('is made of a push that merged a pull request, whose number its builds have', async () => {
    const labels = { 'pac.test.appstudio.openshift.io/pull-request': '7' };
    for (const name of ['app', 'scanner']) built(name, { revision: R1, images: imagesOf(chains.get(R1)), labels });
    expect(await release(R1)).toMatchObject({ outcome: 'created' });
    expect(released()).toHaveLength(1);
  });

  test.each<[string, () => void]>([
    ['half a chain', () => built('app', { revision: R1, images: imagesOf(chains.get(R1)) })],
    [
      'a pull request',
      () => {
        const labels = { 'pac.test.appstudio.openshift.io/event-type': 'pull_request' };
        for (const name of ['app', 'scanner']) built(name, { revision: R1, images: imagesOf(chains.get(R1)), labels });
      },
    ],
    [
      'a merge queue',
      () => {
        const annotations = {
          'pac.test.appstudio.openshift.io/source-branch': 'refs/heads/gh-readonly-queue/main/pr-7',
        };
        const build = { revision: R1, images: imagesOf(chains.get(R1)), annotations };
        for (const name of ['app', 'scanner']) built(name, build);
      },
    ],
    [
      'two commits',
      () => {
        built('app', { revision: R1, images: imagesOf(chains.get(R1)) });
        built('scanner', { revision: R2, images: imagesOf(chains.get(R2)) });
      },
    ],
  ])('is not made of %s', async (_, prepare) => {
    prepare();
    expect(await release(R1)).toMatchObject({ outcome: 'waiting', name: undefined });
    expect(creations()).toBe(0);
  });

  test.each<[string, string, () => Record<string, string>]>([
    [
      'mixed',
      'SNAPSHOT_MIXED',
      () => ({ ...imagesOf(chains.get(R1)), scanner: imagesOf(chains.get('again')).scanner }),
    ],
    [
      'of two chains',
      'SNAPSHOT_MIXED',
      () => ({ ...imagesOf(chains.get(R1)), app: imagesOf(chains.get('again')).app }),
    ],
    ['broken', 'VERIFICATION_FAILED', () => imagesOf(chains.get('broken'))],
    [
      'not sealed yet',
      'SNAPSHOT_MIXED',
      () => ({ ...imagesOf(chains.get(R1)), app: `${chains.get(R1)?.image1}@${chains.get(R1)?.origin}` }),
    ],
    ['named by tag', 'SNAPSHOT_INVALID', () => ({ app: 'quay.io/acme/chain-image1:1', scanner: 'quay.io/acme/x:1' })],
  ])('is not made of a chain that is %s', async (_, code, images) => {
    for (const name of ['app', 'scanner']) built(name, { revision: R1, images: images() });
    await expect(release(R1)).rejects.toMatchObject({ code });
    expect(creations()).toBe(0);
  });

  test('is not made where the application has no such component, or the name is another one’s', async () => {
    bothBuilt(R1);
    server.store.delete('Component', 'scanner');
    await expect(release(R1)).rejects.toMatchObject({
      code: 'SNAPSHOT_INVALID',
      message: 'chain has no component scanner',
      expected: 'app',
    });
    expect(creations()).toBe(0);
    component('scanner');
    const { name = '' } = await release(R1);
    server.store.change('Snapshot', name, (object) => {
      (object as unknown as { spec: { components: unknown[] } }).spec.components.pop();
    });
    await expect(release(R1)).rejects.toMatchObject({
      code: 'SNAPSHOT_CONFLICT',
      expected: imagesOf(chains.get(R1)).scanner,
    });
  });

  test('says which right is missing', async () => {
    bothBuilt(R1);
    server.denied.add('create snapshots');
    await expect(release(R1)).rejects.toMatchObject({
      code: 'CLUSTER_FORBIDDEN',
      hint: expect.stringContaining('release-access.yaml'),
    });
  });
});

describe('two commits', () => {
  test('an older one’s is not made after a newer one’s, and a later one’s is', async () => {
    for (const revision of [R1, R2, R3]) bothBuilt(revision);
    const { outcome, name = '' } = await release(R2);
    expect(outcome).toBe('created');
    moveTo(name, '2023-11-14T00:00:00Z');
    expect(await release(R1)).toMatchObject({ outcome: 'superseded', note: expect.stringContaining('chain-2222') });
    expect(await release(R3)).toMatchObject({ outcome: 'created' });
    expect(await release(R2)).toMatchObject({ outcome: 'superseded' });
    expect(released().map(({ metadata }) => metadata.name.slice(0, 10))).toEqual(['chain-2222', 'chain-3333']);
  });

  test('one that was made beside a newer one is held back', async () => {
    bothBuilt(R1);
    bothBuilt(R2);
    const pending: Promise<unknown>[] = [];
    server.fault = ({ method }) => {
      // Just before the first creation is carried out, another run makes the newer one.
      if (method !== 'POST' || pending.length > 0) return undefined;
      pending.push(release(R2));
      return { wait: 200 };
    };
    expect(await release(R1)).toMatchObject({ outcome: 'held', note: expect.stringContaining('chain-2222') });
    await Promise.all(pending);
    expect(made()).toHaveLength(2);
    expect(released().map(({ metadata }) => metadata.name.slice(0, 10))).toEqual(['chain-2222']);
  });

  test('one whose maker ended before it looked again is held back by the next that looks', async () => {
    bothBuilt(R1);
    bothBuilt(R2);
    const { name = '' } = await release(R1);
    await release(R2);
    moveTo(name, '2099-01-01T00:00:00Z');
    expect(await release(R1)).toMatchObject({ outcome: 'superseded' });
    expect(released().map(({ metadata }) => metadata.name.slice(0, 10))).toEqual(['chain-2222']);
  });

  test('one that was built again has a Snapshot of the later build, and none of the earlier', async () => {
    bothBuilt(R1);
    await release(R1);
    bothBuilt(R1, START + 1, 'again');
    expect(await release(R1)).toMatchObject({ outcome: 'created' });
    expect(made()).toHaveLength(2);
    // The same build again changes nothing.
    expect(await release(R1)).toMatchObject({ outcome: 'exists' });
  });
});

describe('components beside the chain', () => {
  test('are kept as they are promoted, those of another chain as that was last released, and it is said', async () => {
    bothBuilt(R1);
    component('tool', { lastPromotedImage: `quay.io/acme/tool@${ZERO}`, lastBuiltCommit: R3 });
    component('new');
    component(
      'theirs',
      { lastPromotedImage: `quay.io/acme/theirs@${ZERO}` },
      { 'custom.appstudio.openshift.io/chain': 'b' },
    );
    const half = await release(R1);
    expect(half.note).toContain(`kept as they are: tool ${ZERO}`);
    expect(half.note).toContain('left out, since nothing of them is released yet: new, theirs');
    const theirs = {
      name: 'theirs',
      containerImage: `quay.io/acme/theirs@${imagesOf(chains.get(R2)).app.split('@')[1]}`,
    };
    server.store.put({
      ...KINDS.snapshot,
      metadata: {
        name: 'of-b',
        labels: { 'appstudio.openshift.io/application': 'chain', 'custom.appstudio.openshift.io/chain': 'b' },
      },
      spec: { application: 'chain', components: [theirs] },
    });
    bothBuilt(R2);
    await release(R2);
    const snapshot = made().find(({ metadata }) => metadata.name.startsWith('chain-2222'));
    expect(list(snapshot, 'spec', 'components')).toEqual([
      expect.objectContaining({ name: 'app' }),
      expect.objectContaining({ name: 'scanner' }),
      theirs,
      {
        name: 'tool',
        containerImage: `quay.io/acme/tool@${ZERO}`,
        source: { git: { url: 'https://git.example/acme/tool', revision: R3 } },
      },
    ]);
  });
});

describe('a component that was built elsewhere', () => {
  const theirs = { git: { url: 'https://git.example/team/daemon', revision: commit('d') } };
  let images: Readonly<Record<'operator' | 'bundle' | 'daemon', string>>;

  beforeAll(async () => {
    const at = ({ url }: EmbeddingImage) => parseDigestReference(url);
    const revision = { revision: R1 };
    const [OPERATOR, BUNDLE] = ['quay.io/acme/operator', 'quay.io/acme/bundle'];
    const daemon = await pushEmbedding(registry, 'quay.io/team/daemon', 'daemon', [], { revision: commit('d') });
    const operator = await pushEmbedding(registry, OPERATOR, 'operator', [], revision);
    const bundle = await pushEmbedding(registry, BUNDLE, 'bundle', [operator, daemon], revision);
    await link(registry, at(operator), [{ role: 'bundle', image: at(bundle) }], {
      tag: parseTagReference(`${operator.image}:${R1}`),
      external: [{ role: 'daemon', image: at(daemon) }],
    });
    images = { operator: operator.url, bundle: bundle.url, daemon: daemon.url };
  });

  const components = new Map([
    ['operator', 'app'],
    ['bundle', 'scanner'],
  ]);
  const releaseWith = (external: ReleaseOptions['external']) =>
    release(R1, { components, starts: ['operator'], external });
  const DAEMON = new Map([['daemon', 'daemon']]);

  beforeEach(() => {
    const { operator, bundle } = images;
    built('app', { revision: R1, images: { app: operator, scanner: `quay.io/acme/bundle@${ZERO}` } });
    built('scanner', { revision: R1, images: { app: `quay.io/acme/operator@${ZERO}`, scanner: bundle } });
    component('daemon', { lastPromotedImage: `quay.io/team/daemon@${ZERO}`, lastBuiltCommit: R3 });
  });

  /** Its own Snapshot, by which Konflux says what it was built from. */
  function daemonBuilt(labels: Record<string, string> = {}): void {
    built('daemon', { revision: theirs.git.revision, images: { daemon: images.daemon }, labels });
    server.store.change('Snapshot', `build-daemon-dddd-${START}`, (object) => {
      const { spec } = object as unknown as { spec: { components: { source: object }[] } };
      for (const each of spec.components) each.source = theirs;
    });
  }

  test('goes out as the chain was built with it, whatever is promoted, with the source of its own build', async () => {
    daemonBuilt();
    expect(await releaseWith(DAEMON)).toMatchObject({ outcome: 'created', note: expect.not.stringContaining('kept') });
    const [snapshot] = made();
    expect(list(snapshot, 'spec', 'components')).toContainEqual({
      name: 'daemon',
      containerImage: images.daemon,
      source: theirs,
    });
    expect(list(snapshot, 'spec', 'components')).toHaveLength(3);
    // And where somebody made one of this name with another image of it, it is said.
    server.store.change('Snapshot', snapshot?.metadata.name ?? '', (object) => {
      const { spec } = object as unknown as { spec: { components: { name: string; containerImage: string }[] } };
      for (const each of spec.components) {
        if (each.name === 'daemon') each.containerImage = `quay.io/team/daemon@${ZERO}`;
      }
    });
    await expect(releaseWith(DAEMON)).rejects.toMatchObject({ code: 'SNAPSHOT_CONFLICT', expected: images.daemon });
  });

  test.each<[string, () => void, ReleaseOptions['external'], string]>([
    ['nobody knows what it was built from', () => {}, DAEMON, 'SNAPSHOT_INVALID'],
    [
      'only a pull request built it',
      () => daemonBuilt({ 'pac.test.appstudio.openshift.io/event-type': 'pull_request' }),
      DAEMON,
      'SNAPSHOT_INVALID',
    ],
    ['the application has no such component', () => {}, new Map([['daemon', 'other']]), 'SNAPSHOT_INVALID'],
    ['the chain was built without it', daemonBuilt, new Map([['other', 'daemon']]), 'SNAPSHOT_MIXED'],
  ])('makes none where %s', async (_, prepare, external, code) => {
    prepare();
    await expect(releaseWith(external)).rejects.toMatchObject({ code });
    expect(creations()).toBe(0);
  });
});

test('the command in a pod creates it, and says so as an integration test does', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'e2e-pod-'));
  const images = await startTestRegistry();
  const secure = new KubeServer();
  try {
    const authority = await createAuthority(folder);
    const { port } = new URL(await secure.start(await readTls(authority)));
    const chain = await publishChain(createRegistry(), `${images.host}/chain`, R1);
    for (const { kind, metadata } of server.store.all('Component')) {
      secure.store.put(server.store.get(kind, metadata.name) as Resource);
    }
    const plain = server;
    server = secure;
    for (const name of ['app', 'scanner']) built(name, { revision: R1, images: imagesOf(chain) });
    server = plain;
    await writeFile(join(folder, 'token'), 'test-token');
    await writeFile(join(folder, 'namespace'), NAMESPACE);
    await writeFile(join(folder, 'ca.crt'), await readFile(authority.ca));
    await writeFile(join(folder, 'history'), `${R1} 1700000000\n`);
    const spec = secure.store.all('Snapshot').at(0)?.spec;
    const cli = resolve(import.meta.dirname, '../../../../../digest-chain/src/cli.ts');
    const run = (EVENT: string) =>
      promisify(execFile)(
        process.execPath,
        [
          ...[cli, 'create-snapshot', '--application', 'chain', '--chain', 'app', '--git-url', GIT],
          ...['--component', 'primary=app', '--component', 'metadata=scanner', '--start', 'primary'],
          ...['--snapshot', 'env://SNAPSHOT', '--built', 'env://BUILT', '--event', 'env://EVENT'],
          // Of a push: that of the pull request which it merged.
          ...['--pull-request', '7'],
          ...['--history', join(folder, 'history'), '--service-account', folder],
          ...['--test-output', join(folder, 'output')],
        ],
        {
          env: {
            KUBERNETES_SERVICE_HOST: '127.0.0.1',
            KUBERNETES_SERVICE_PORT: port,
            SNAPSHOT: JSON.stringify(spec),
            BUILT: 'app',
            EVENT,
          },
        },
      );
    const output = async () => JSON.parse(await readFile(join(folder, 'output'), 'utf8'));
    await run('pull_request');
    expect(await output()).toMatchObject({ result: 'SKIPPED', note: expect.stringContaining('pull request') });
    expect(secure.calls).toEqual([]);
    await run('push');
    expect(await output()).toMatchObject({ result: 'SUCCESS', note: expect.stringMatching(/^Snapshot chain-1{12}/) });
    expect(secure.store.all('Snapshot')).toHaveLength(3);
    secure.denied.add('list snapshots');
    await expect(run('push')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('CLUSTER_FORBIDDEN') });
    expect(await output()).toMatchObject({ result: 'FAILURE', note: expect.stringContaining('CLUSTER_FORBIDDEN') });
  } finally {
    await Promise.all([secure.stop(), images.stop(), rm(folder, { recursive: true, force: true })]);
  }
});
