import {
  type BlobDescriptor,
  type Digest,
  digestOf,
  OCI_INDEX,
  OCI_MANIFEST,
  parseDigestReference,
  parseReference,
  parseTagReference,
  seal,
} from '@multi-image/digest-chain';
import { planChain, readPins, render } from '@multi-image/manifests';
import { buildArgsOf, tasksOf } from '@multi-image/testing/attested-chain';
import { REVISION } from '@multi-image/testing/chain';
import { CHAINS_FIXTURE, chainsFixture } from '@multi-image/testing/chains-fixture';
import { type EmbeddingImage, pushEmbedding } from '@multi-image/testing/embedding-image';
import { configOf, imageOf, ONES } from '@multi-image/testing/image';
import { type MemoryChain, type MemoryChainOptions, memoryChain } from '@multi-image/testing/memory-chain';
import { type MemoryRegistry, memoryRegistry } from '@multi-image/testing/memory-registry';
import { provenanceV1, provenanceV02, SOURCE, type TestRun, type TestTask } from '@multi-image/testing/provenance';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { ALL_AT_ONCE, JUDGES } from './testing/conforma.ts';
import type { Judge, Release } from './testing/verdicts.ts';

const RULE_DATA = {
  version: 1,
  prefix: 'io.konflux.poc',
  images: [
    { role: 'primary', component: 'app', embeds: [], seal: 'label' },
    { role: 'metadata', component: 'scanner', embeds: ['primary'] },
  ],
  source: SOURCE,
};

/** The rule data that a config of this chain is rendered to. */
function renderedRuleData(): object {
  const chain = planChain({
    application: 'demo',
    namespace: 'tenant',
    git: { url: SOURCE },
    registry: 'registry.example/demo',
    policy: 'source',
    images: [
      { role: 'primary', component: 'app', repository: 'image1', containerfile: 'Containerfile' },
      {
        role: 'metadata',
        component: 'scanner',
        embeds: ['primary'],
        repository: 'image2',
        containerfile: 'Containerfile',
      },
    ],
  });
  const file = render(chain, readPins()).find(({ path }) => path === 'konflux/policy.yaml');
  const [policy] = parseAllDocuments(file?.text ?? '');
  return policy?.toJS().spec.sources[0].ruleData.image_chain;
}

const CATALOG = `quay.io/konflux-ci/tekton-catalog/task-x:0.1@${ONES}`;

/** Every task of a run out of the catalog, but for the one that seals. */
function tasks(chain: MemoryChain, buildArgs: readonly string[] = buildArgsOf(chain)): readonly TestTask[] {
  return tasksOf(chain, buildArgs).map((task) => (task.name === 'label-image-1' ? task : { ...task, bundle: CATALOG }));
}

const subjects = ({ sealed, metadata }: MemoryChain): Digest[] => [sealed, metadata];

interface Made extends Release {
  readonly chain: MemoryChain;
}

/** A release of a chain as it should be; `change` breaks it. */
async function made(options: MemoryChainOptions = {}, name = 'demo'): Promise<Made> {
  const registry = memoryRegistry();
  const chain = await memoryChain(registry, name, options);
  return {
    chain,
    registry,
    components: [
      { name: 'app', image: chain.image1, digest: chain.sealed },
      { name: 'scanner', image: chain.image2, digest: chain.metadata },
    ],
    statements: [provenanceV02(subjects(chain), tasks(chain))],
    ruleData: RULE_DATA,
  };
}

/** Gives an image another config, and the component in the Snapshot the image with it. */
async function changed(release: Made, component: 'app' | 'scanner', edit: (config: string) => string): Promise<Made> {
  const { image, digest } = release.components.find(({ name }) => name === component) as {
    image: string;
    digest: Digest;
  };
  const place = parseReference(image);
  const manifest = JSON.parse(Buffer.from((await release.registry.getManifest(place, digest)).bytes).toString());
  const config = await release.registry.getBlob(place, manifest.config);
  const other = imageOf(Buffer.from(edit(Buffer.from(config).toString())));
  await release.registry.putBlob(place, other.config);
  await release.registry.putManifest(place, other.manifest.digest, other.manifest);
  return released(release, component, other.manifest.digest);
}

function released(release: Made, component: string, digest: string): Made {
  return {
    ...release,
    components: release.components.map((one) => (one.name === component ? { ...one, digest } : one)),
  };
}

const run = async (
  change: (all: readonly TestTask[], chain: MemoryChain) => readonly TestTask[],
  options: TestRun = {},
): Promise<Made> => {
  const release = await made();
  const { chain } = release;
  return { ...release, statements: [provenanceV02(subjects(chain), change(tasks(chain), chain), options)] };
};

const data = async (ruleData: object): Promise<Made> => ({
  ...(await made()),
  ruleData: { ...RULE_DATA, ...ruleData },
});

const PLATFORMS = ['amd64', 'arm64'];

/** A chain whose Image 1 is an index of images for two platforms. */
async function platformChain(labelsOf: Readonly<Record<string, object>> = {}, artifact?: string): Promise<Release> {
  const registry = memoryRegistry();
  const [image1, image2] = ['registry.example/platforms/image1', 'registry.example/platforms/image2'] as const;
  const revision = { 'org.opencontainers.image.revision': REVISION };
  const push = async (image: string, member: object): Promise<{ digest: Digest; size: number; mediaType: string }> => {
    const { config, manifest } = imageOf(configOf(JSON.stringify(member)));
    await registry.putBlob(parseReference(image), config);
    await registry.putManifest(parseReference(image), manifest.digest, manifest);
    return { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length };
  };
  const members = await Promise.all(
    PLATFORMS.map(async (architecture) => ({
      ...(await push(image1, { Labels: { ...(labelsOf[architecture] ?? revision), architecture } })),
      platform: { architecture, os: 'linux' },
    })),
  );
  const beside = artifact === undefined ? [] : [await pushArtifact(registry, image1, artifact)];
  const manifests = [...members, ...beside];
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
  const origin = digestOf(index);
  await registry.putManifest(parseReference(image1), origin, { bytes: index, mediaType: OCI_INDEX });
  const url = `${image1}@${origin}`;
  const { digest: metadata } = await push(image2, {
    Env: [`IMAGE1_DIGEST=${origin}`, `IMAGE1_URL=${url}`],
    Labels: { ...revision, 'io.konflux.poc.primary-image.digest': origin, 'io.konflux.poc.primary-image.url': url },
  });
  const links = [{ role: 'metadata', image: parseDigestReference(`${image2}:${REVISION}@${metadata}`) }];
  const published = { tag: parseTagReference(`${image1}:${REVISION}`), check: false, statement: false } as const;
  const { digest: sealed } = await seal(registry, parseDigestReference(url), links, published);
  const chain = { image1, image2, origin, metadata, sealed, third: undefined };
  const all = tasks(chain).flatMap((task): TestTask[] => {
    if (task.name !== 'build-image-1') return [task];
    const results = { IMAGE_URL: image1, IMAGE_DIGEST: origin };
    return [
      ...members.map(({ digest }, at) => ({
        ...task,
        name: `build-image-1-${PLATFORMS[at]}`,
        results: { IMAGE_URL: image1, IMAGE_DIGEST: digest },
      })),
      { name: 'index-image-1', bundle: CATALOG, params: { IMAGES: members.map(({ digest }) => digest) }, results },
    ];
  });
  return {
    registry,
    components: [
      { name: 'app', image: image1, digest: sealed },
      { name: 'scanner', image: image2, digest: metadata },
    ],
    statements: [provenanceV02([sealed, metadata], all)],
    ruleData: RULE_DATA,
  };
}

/** Something with a config of this type, which its descriptor marks as an artifact. */
async function pushArtifact(registry: MemoryRegistry, image: string, type: string): Promise<object> {
  const config = await registry.putBlob(parseReference(image), configOf('{"Labels":{"a":"b"}}'));
  const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: { mediaType: type, ...config }, layers: [] };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const { digest } = await registry.putManifest(parseReference(image), 'artifact', { bytes, mediaType: OCI_MANIFEST });
  const platform = { architecture: 's390x', os: 'linux' };
  return { mediaType: OCI_MANIFEST, digest, size: bytes.length, platform, artifactType: 'application/x' };
}

/** An operator in a bundle of images for two platforms, which is sealed, in a catalog. */
async function middleChain(
  argsOf: (platform: string, args: readonly string[]) => readonly string[] = (_, args) => args,
): Promise<Release> {
  const registry = memoryRegistry();
  const at = (role: string): string => `registry.example/middle/${role}`;
  const operator = await pushEmbedding(registry, at('operator'), 'operator', []);
  const members = await Promise.all(
    PLATFORMS.map(async (platform) => {
      const { digest } = await pushEmbedding(registry, at('bundle'), 'bundle', [operator], { files: { platform } });
      const { bytes, mediaType } = await registry.getManifest(parseReference(at('bundle')), digest);
      return { mediaType, digest, size: bytes.length, platform: { architecture: platform, os: 'linux' } };
    }),
  );
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: members }));
  const origin = digestOf(index);
  await registry.putManifest(parseReference(at('bundle')), origin, { bytes: index, mediaType: OCI_INDEX });
  const bundle = { role: 'bundle', image: at('bundle'), digest: origin, url: `${at('bundle')}@${origin}` };
  const catalog = await pushEmbedding(registry, at('catalog'), 'catalog', [bundle]);
  const links = [{ role: 'catalog', image: parseDigestReference(catalog.url) }];
  const { digest: sealed } = await seal(registry, parseDigestReference(bundle.url), links, { statement: false });
  const argumentsOf = ({ role, digest, url }: EmbeddingImage): readonly string[] => [
    `${role.toUpperCase()}_DIGEST=${digest}`,
    `${role.toUpperCase()}_URL=${url}`,
  ];
  const built = (name: string, image: string, digest: Digest, args: readonly string[] = []): TestTask => ({
    name,
    bundle: CATALOG,
    params: { BUILD_ARGS: args },
    results: { IMAGE_URL: image, IMAGE_DIGEST: digest },
  });
  const all = [
    { name: 'clone', bundle: CATALOG, results: { 'CHAINS-GIT_URL': SOURCE, 'CHAINS-GIT_COMMIT': REVISION } },
    built('build-operator', operator.image, operator.digest),
    ...members.map(({ digest, platform: { architecture } }) =>
      built(`build-${architecture}`, bundle.image, digest, argsOf(architecture, argumentsOf(operator))),
    ),
    built('build-catalog', catalog.image, catalog.digest, argumentsOf(bundle)),
  ];
  return {
    registry,
    components: [
      { name: 'operator', image: operator.image, digest: operator.digest },
      { name: 'bundle', image: bundle.image, digest: sealed },
      { name: 'catalog', image: catalog.image, digest: catalog.digest },
    ],
    statements: [provenanceV02([operator.digest, origin, sealed, catalog.digest], all)],
    ruleData: {
      ...RULE_DATA,
      images: [
        { role: 'operator', component: 'operator', seal: 'referrer' },
        { role: 'bundle', component: 'bundle', embeds: ['operator'] },
        { role: 'catalog', component: 'catalog', embeds: ['bundle'] },
      ],
    },
  };
}

/** What a real registry, a real Tekton and real Chains made of the template: its tasks are defined in the run. */
async function recordedChain(): Promise<Release> {
  const { registry } = await chainsFixture();
  const { image1, image2, revision, source } = CHAINS_FIXTURE;
  const digestAt = async (image: string): Promise<Digest> =>
    (await registry.getManifest(parseReference(image), revision)).digest;
  const [app, scanner] = [await digestAt(image1), await digestAt(image2)];
  const place = parseReference(image1);
  const { bytes } = await registry.getManifest(place, `${app.replace(':', '-')}.att`);
  const { layers } = JSON.parse(Buffer.from(bytes).toString()) as { layers: BlobDescriptor[] };
  const statements = await Promise.all(
    layers.map(async (layer) => {
      const { payload } = JSON.parse(Buffer.from(await registry.getBlob(place, layer)).toString());
      return JSON.parse(Buffer.from(payload, 'base64').toString()) as object;
    }),
  );
  return {
    registry,
    components: [
      { name: 'app', image: image1, digest: app, revision },
      { name: 'scanner', image: image2, digest: scanner, revision },
    ],
    statements,
    ruleData: { ...RULE_DATA, source, builder_tasks: [] },
  };
}

const OPERATOR = {
  ...RULE_DATA,
  images: [
    { role: 'operator', component: 'operator', seal: 'referrer' },
    { role: 'bundle', component: 'bundle', embeds: ['operator'], seal: 'referrer' },
    { role: 'catalog', component: 'catalog', embeds: ['bundle'] },
  ],
};

/** An operator in its bundle in its catalog: three images that are released as they were built. */
async function operatorChain(operatorOf: 'its' | 'another' = 'its'): Promise<Release> {
  const registry = memoryRegistry();
  const push = (role: string, embeds: readonly EmbeddingImage[], name = role): Promise<EmbeddingImage> =>
    pushEmbedding(registry, `registry.example/operators/${name}`, role, embeds);
  const operator = await push('operator', []);
  const bundle = await push('bundle', [operator]);
  const catalog = await push('catalog', [bundle]);
  const other = await pushEmbedding(registry, operator.image, 'operator', [], { files: { a: 'b' } });
  const built = (image: EmbeddingImage, embeds: readonly EmbeddingImage[]): TestTask => ({
    name: `build-${image.role}`,
    bundle: CATALOG,
    params: {
      BUILD_ARGS: embeds.flatMap(({ role, digest, url }) => [
        `${role.toUpperCase()}_DIGEST=${digest}`,
        `${role.toUpperCase()}_URL=${url}`,
      ]),
    },
    results: { IMAGE_URL: image.image, IMAGE_DIGEST: image.digest },
  });
  const images = [operator, bundle, catalog];
  const all = [
    { name: 'clone', bundle: CATALOG, results: { 'CHAINS-GIT_URL': SOURCE, 'CHAINS-GIT_COMMIT': REVISION } },
    built(operator, []),
    built(bundle, [operator]),
    built(catalog, [bundle]),
    built({ ...other, role: 'other' }, []),
  ];
  const statement = provenanceV02(
    [...images, other].map(({ digest }) => digest),
    all,
  );
  return {
    registry,
    components: images.map(({ role, image, digest }) => ({
      name: role,
      image,
      digest: role === 'operator' && operatorOf === 'another' ? other.digest : digest,
    })),
    statements: [statement],
    ruleData: OPERATOR,
  };
}

/** A bundle that names another team's daemon, which is a component, too: as it was built in, or another one. */
async function daemonChain(
  daemonOf: 'its' | 'another' | 'none' | 'of no build' = 'its',
  more: (daemon: EmbeddingImage, resolve: TestTask) => readonly TestTask[] = (_, resolve) => [resolve],
): Promise<Release> {
  const registry = memoryRegistry();
  const push = (role: string, embeds: readonly EmbeddingImage[]): Promise<EmbeddingImage> =>
    pushEmbedding(registry, `registry.example/operators/${role}`, role, embeds);
  const DAEMON = 'registry.example/team/daemon';
  const daemon = await pushEmbedding(registry, DAEMON, 'daemon', [], { revision: 'd'.repeat(40) });
  const other = await pushEmbedding(registry, DAEMON, 'daemon', [], { files: { a: 'b' } });
  const operator = await push('operator', []);
  const bundle = await push('bundle', daemonOf === 'of no build' ? [operator] : [operator, daemon]);
  const built = (image: EmbeddingImage, embeds: readonly EmbeddingImage[]): TestTask => ({
    name: `build-${image.role}`,
    bundle: CATALOG,
    params: {
      BUILD_ARGS: embeds.flatMap(({ role, digest, url }) => [
        `${role.toUpperCase()}_DIGEST=${digest}`,
        `${role.toUpperCase()}_URL=${url}`,
      ]),
    },
    results: { IMAGE_URL: image.image, IMAGE_DIGEST: image.digest },
  });
  const clone = {
    name: 'clone',
    bundle: CATALOG,
    results: { 'CHAINS-GIT_URL': SOURCE, 'CHAINS-GIT_COMMIT': REVISION },
  };
  const resolve = { name: 'resolve-daemon', results: { DIGEST: daemon.digest } };
  const digests = [operator, bundle].map(({ digest }) => digest);
  const components = [operator, bundle, ...(daemonOf === 'none' ? [] : [daemonOf === 'another' ? other : daemon])];
  return {
    registry,
    components: components.map(({ role, image, digest }) => ({ name: role, image, digest })),
    statements: [
      provenanceV02(digests, [clone, ...more(daemon, resolve), built(operator, []), built(bundle, [operator, daemon])]),
    ],
    ruleData: {
      version: 1,
      images: [
        { role: 'operator', component: 'operator', seal: 'referrer' },
        { role: 'bundle', component: 'bundle', embeds: ['operator'] },
      ],
      external: [{ role: 'daemon', component: 'daemon' }],
      source: SOURCE,
    },
  };
}

interface Kind {
  readonly what: string;
  readonly release: () => Promise<Release>;
  /** The rules that deny it, the one that says why first; what can't be read or led back is not attested either. */
  readonly denied: readonly string[];
}

const BROKEN: readonly Kind[] = [
  {
    what: 'an image as it was before it was sealed',
    release: async () => {
      const release = await made();
      return released(release, 'app', release.chain.origin);
    },
    denied: ['sealed', 'attested'],
  },
  {
    what: 'a seal that links to an image more than the chain has',
    release: () => made({ third: 'docs' }),
    denied: ['sealed'],
  },
  {
    what: 'another entrypoint in a sealed image',
    release: async () => changed(await made(), 'app', (text) => text.replace('"name"', '"evil":"yes","name"')),
    denied: ['unsealed', 'attested'],
  },
  {
    what: 'a label after the seal',
    release: async () => changed(await made(), 'app', (text) => text.replace(/"(\}+)$/, '","evil":"yes"$1')),
    denied: ['unsealed', 'attested'],
  },
  {
    what: 'a layer that was added after the seal',
    release: async () => {
      const release = await made();
      const place = parseReference(release.chain.image1);
      const { bytes, mediaType } = await release.registry.getManifest(place, release.chain.sealed);
      const layer = `{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"${ONES}","size":1}`;
      const other = Buffer.from(Buffer.from(bytes).toString().replace('"layers":[]', `"layers":[${layer}]`));
      await release.registry.putManifest(place, digestOf(other), { bytes: other, mediaType });
      return released(release, 'app', digestOf(other));
    },
    denied: ['unsealed', 'attested'],
  },
  {
    what: 'a link that leads to another image',
    release: async () =>
      changed(await made(), 'app', (text) => text.replace(/(metadata-image.digest":")[^"]*/, `$1${ONES}`)),
    denied: ['linked', 'released_together', 'attested'],
  },
  {
    what: 'a manifest that no tool writes',
    release: async () => {
      const release = await made();
      const place = parseReference(release.chain.image2);
      const { bytes, mediaType } = await release.registry.getManifest(place, release.chain.metadata);
      const other = Buffer.from(Buffer.from(bytes).toString().replace('{', '{ "x":1,'));
      await release.registry.putManifest(place, digestOf(other), { bytes: other, mediaType });
      return released(release, 'scanner', digestOf(other));
    },
    denied: ['readable', 'released_together', 'attested'],
  },
  {
    what: 'an image that the registry does not have',
    release: async () => released(await made(), 'scanner', ONES),
    denied: ['readable', 'released_together', 'attested'],
  },
  {
    what: 'Image 2 that was built with another Image 1',
    release: () =>
      made({
        labels2: ({ image1 }) => ({
          'io.konflux.poc.primary-image.digest': ONES,
          'io.konflux.poc.primary-image.url': `${image1}@${ONES}`,
        }),
        env2: ({ image1 }) => [`IMAGE1_DIGEST=${ONES}`, `IMAGE1_URL=${image1}@${ONES}`],
      }),
    denied: ['linked', 'released_together', 'attested'],
  },
  {
    what: 'Image 2 that does not say what it was built with',
    release: () => made({ labels2: () => ({ 'io.konflux.poc.primary-image.digest': undefined }) }),
    denied: ['linked'],
  },
  {
    what: 'a variable that says something else than the label',
    release: () => made({ env2: ({ image1 }) => [`IMAGE1_DIGEST=${ONES}`, `IMAGE1_URL=${image1}@${ONES}`] }),
    denied: ['linked'],
  },
  {
    what: 'two answers, one from a base image',
    release: () =>
      made({
        env2: ({ origin, image1 }) => [
          `IMAGE1_DIGEST=${origin}`,
          `IMAGE1_URL=${image1}@${origin}`,
          `APP_DIGEST=${ONES}`,
          `APP_URL=${image1}@${ONES}`,
        ],
      }),
    denied: ['linked'],
  },
  {
    what: 'an image of another commit',
    release: () => made({ labels2: () => ({ 'org.opencontainers.image.revision': 'f'.repeat(40) }) }),
    denied: ['same_revision'],
  },
  {
    what: 'a Snapshot of another commit',
    release: async () => {
      const release = await made();
      return { ...release, components: release.components.map((one) => ({ ...one, revision: 'e'.repeat(40) })) };
    },
    denied: ['same_revision'],
  },
  {
    what: 'no provenance',
    release: async () => ({ ...(await made()), statements: [] }),
    denied: ['attested'],
  },
  {
    what: 'a build that was called with another digest',
    release: async () => {
      const release = await made();
      const { chain } = release;
      const args = [`IMAGE1_DIGEST=${ONES}`, `IMAGE1_URL=${chain.image1}@${ONES}`];
      return { ...release, statements: [provenanceV02(subjects(chain), tasks(chain, args))] };
    },
    denied: ['attested'],
  },
  {
    what: 'an argument that is given twice',
    release: async () => {
      const release = await made();
      const { chain } = release;
      const args = [...buildArgsOf(chain), `IMAGE1_DIGEST=${ONES}`];
      return { ...release, statements: [provenanceV02(subjects(chain), tasks(chain, args))] };
    },
    denied: ['attested'],
  },
  {
    what: 'arguments from a file, which no provenance holds',
    release: () =>
      run((all) =>
        all.map((task) =>
          task.name === 'build-image-2' ? { ...task, params: { ...task.params, BUILD_ARGS_FILE: 'args' } } : task,
        ),
      ),
    denied: ['attested'],
  },
  {
    what: 'images of two runs',
    release: async () => {
      const release = await made();
      const { chain } = release;
      const half = (name: string) => tasks(chain).filter((task) => task.name !== name);
      return {
        ...release,
        statements: [
          provenanceV02(
            [chain.sealed],
            half('build-image-2').filter(({ name }) => name !== 'scan-image-2'),
          ),
          provenanceV02(
            [chain.metadata],
            half('build-image-1').filter(({ name }) => name !== 'label-image-1'),
          ),
        ],
      };
    },
    denied: ['attested'],
  },
  {
    what: 'a build that failed',
    release: () =>
      run((all) => all.map((task) => (task.name === 'build-image-1' ? { ...task, status: 'Failed' } : task))),
    denied: ['attested'],
  },
  {
    what: 'a build that failed, of an image that the run names as its own all the same',
    release: () =>
      run((all) => all.map((task) => (task.name === 'build-image-2' ? { ...task, status: 'Failed' } : task))),
    denied: ['attested'],
  },
  {
    what: 'an image that its task was given, and passed on',
    release: () =>
      run((all, { origin }) =>
        all.map((task) =>
          task.name === 'build-image-1' ? { ...task, params: { ...task.params, FROM: `a@${origin}` } } : task,
        ),
      ),
    denied: ['attested'],
  },
  {
    what: 'a build that was told the place of the other image, and not its digest',
    release: async () => {
      const release = await made();
      const [, url = ''] = buildArgsOf(release.chain);
      return { ...release, statements: [provenanceV02(subjects(release.chain), tasks(release.chain, [url]))] };
    },
    denied: ['attested'],
  },
  {
    what: 'another builder',
    release: () => run((all) => all, { builder: 'https://builder.example' }),
    denied: ['attested'],
  },
  {
    what: 'another repository',
    release: () => data({ source: 'https://git.example/org/other' }),
    denied: ['attested'],
  },
  {
    what: 'another branch',
    release: async () => ({
      ...(await run((all) => all, { annotations: { 'pipelinesascode.tekton.dev/branch': 'other' } })),
      ruleData: { ...RULE_DATA, branch: 'main' },
    }),
    denied: ['attested'],
  },
  {
    what: 'rule data with a branch that is no text',
    release: () => data({ branch: ['main'] }),
    denied: ['rule_data_provided'],
  },
  {
    what: 'a pull request',
    release: () => run((all) => all, { labels: { 'pipelinesascode.tekton.dev/event-type': 'pull_request' } }),
    denied: ['attested'],
  },
  {
    what: 'an origin that a task of the repository built',
    release: () =>
      run((all) =>
        all.map((task) => (task.name === 'build-image-1' ? { ...task, bundle: `quay.io/me/task-x@${ONES}` } : task)),
      ),
    denied: ['trusted_builders'],
  },
  {
    what: 'a clone by a task that is defined in the run',
    release: () =>
      run((all) =>
        all.map(({ bundle, ...task }) =>
          task.name === 'clone-repository' || bundle === undefined ? task : { ...task, bundle },
        ),
      ),
    denied: ['trusted_builders'],
  },
  {
    what: 'a Snapshot with half of the chain',
    release: async () => {
      const release = await made();
      return { ...release, components: release.components.slice(0, 1) };
    },
    denied: ['released_together', 'attested'],
  },
  {
    what: 'a Snapshot with Image 2 of the build before',
    release: async () => {
      const release = await made();
      const before = await memoryChain(release.registry, 'demo', { labels1: { before: 'yes' } });
      return released(release, 'scanner', before.metadata);
    },
    denied: ['released_together', 'attested'],
  },
  {
    what: 'a Snapshot with Image 1 of the build before',
    release: async () => {
      const release = await made();
      const before = await memoryChain(release.registry, 'demo', { labels1: { before: 'yes' } });
      return released(release, 'app', before.sealed);
    },
    denied: ['released_together', 'attested'],
  },
  {
    what: 'a Snapshot with another operator than the one in its bundle, of the same run',
    release: () => operatorChain('another'),
    denied: ['released_together'],
  },
  {
    what: 'a Snapshot with another daemon than the one in the bundle',
    release: () => daemonChain('another'),
    denied: ['released_together', 'attested'],
  },
  {
    what: 'a Snapshot without the daemon that is in the bundle',
    release: () => daemonChain('none'),
    denied: ['released_together'],
  },
  {
    what: 'a Snapshot with a daemon that is in no bundle',
    release: () => daemonChain('of no build'),
    denied: ['released_together'],
  },
  {
    what: 'a daemon of which no task says where it is from',
    release: () => daemonChain('its', () => []),
    denied: ['attested'],
  },
  {
    what: 'a daemon that is called external, and was built by a task of the run',
    release: () =>
      daemonChain('its', ({ image, digest }, resolve) => [
        resolve,
        { name: 'build-daemon', bundle: CATALOG, results: { IMAGE_URL: image, IMAGE_DIGEST: digest } },
      ]),
    denied: ['attested'],
  },
  {
    what: 'an index of which an image names no commit',
    release: () => platformChain({ arm64: {} }),
    denied: ['same_revision'],
  },
  {
    what: 'a sealed index of which an image was built with another argument',
    release: () => middleChain((platform, args) => (platform === 'arm64' ? [] : args)),
    denied: ['attested'],
  },
  {
    what: 'rule data by which an image of the chain was built elsewhere, too',
    release: () => data({ external: [{ role: 'metadata', component: 'scanner' }] }),
    denied: ['rule_data_provided', 'attested'],
  },
  {
    what: 'a tag in the Snapshot',
    release: async () => released(await made(), 'scanner', REVISION),
    denied: ['released_together', 'readable', 'attested'],
  },
  {
    what: 'rule data of another version',
    release: () => data({ version: 2 }),
    denied: ['rule_data_provided'],
  },
  {
    what: 'rule data that names an image which is not there',
    release: () => data({ images: [...RULE_DATA.images, { role: 'x', component: 'x', embeds: ['y'] }] }),
    denied: ['rule_data_provided', 'released_together', 'attested'],
  },
  {
    what: 'no rule data',
    release: async () => ({ ...(await made()), ruleData: {} }),
    denied: ['rule_data_provided'],
  },
];

const INTACT: readonly { readonly what: string; readonly release: () => Promise<Release> }[] = [
  { what: 'as it should be', release: () => made() },
  {
    what: 'with the rule data that is rendered',
    release: async () => ({
      ...(await run((all) => all, { annotations: { 'pipelinesascode.tekton.dev/branch': 'refs/heads/main' } })),
      ruleData: renderedRuleData(),
    }),
  },
  {
    what: 'with a base image that was sealed itself',
    release: () => made({ labels1: { 'io.konflux.poc.metadata-image.url': 'a' } }),
  },
  {
    what: 'attested as SLSA v1',
    release: async () => {
      const release = await made();
      return { ...release, statements: [provenanceV1(subjects(release.chain), tasks(release.chain))] };
    },
  },
  {
    what: 'beside the statement of another run',
    release: async () => {
      const release = await made();
      const scanner = provenanceV02(
        [release.chain.metadata],
        [{ name: 'extract', results: { IMAGE_DIGEST: release.chain.metadata } }],
      );
      return { ...release, statements: [scanner, ...release.statements] };
    },
  },
  {
    what: 'beside a component of no chain',
    release: async () => {
      const release = await made();
      const image = 'registry.example/other';
      const { config, manifest } = imageOf(configOf());
      await release.registry.putBlob(parseReference(image), config);
      await release.registry.putManifest(parseReference(image), manifest.digest, manifest);
      return {
        ...release,
        components: [...release.components, { name: 'other', image, digest: manifest.digest }],
      };
    },
  },
  {
    what: 'that is released as it was built, linked by statements',
    release: () => operatorChain(),
  },
  {
    what: 'a bundle with a daemon of another team, which is a component',
    release: () => daemonChain(),
  },
  {
    what: 'for several platforms',
    release: () => platformChain(),
  },
  {
    what: 'for several platforms, with an artifact beside them',
    release: () => platformChain({}, 'application/x'),
  },
  {
    what: 'for several platforms in its middle',
    release: () => middleChain(),
  },
  {
    what: 'that Tekton and Chains made on a cluster',
    release: recordedChain,
  },
  {
    what: 'of three images',
    release: async () => {
      const release = await made({ third: 'docs' });
      const { third } = release.chain;
      if (third === undefined) throw new RangeError('no third image');
      const built = {
        name: 'build-image-3',
        bundle: CATALOG,
        params: { BUILD_ARGS: buildArgsOf(release.chain) },
        results: { IMAGE_DIGEST: third.digest, IMAGE_URL: third.image },
      };
      return {
        ...release,
        components: [...release.components, { name: 'docs', image: third.image, digest: third.digest }],
        statements: [provenanceV02([...subjects(release.chain), third.digest], [...tasks(release.chain), built])],
        ruleData: {
          ...RULE_DATA,
          images: [...RULE_DATA.images, { role: 'docs', component: 'docs', embeds: ['primary'] }],
        },
      };
    },
  },
];

for (const { name, isThere, start } of JUDGES) {
  describe.skipIf(!isThere)(name, () => {
    let judge: Judge;
    beforeAll(() => {
      judge = start();
    });
    afterAll(() => judge.close());

    it('passes chains that are whole', { timeout: ALL_AT_ONCE }, async () => {
      const verdicts = await judge.judge(await Promise.all(INTACT.map(({ release }) => release())));
      expect(verdicts.map(({ messages, itself }, at) => [INTACT[at]?.what, messages, itself])).toEqual(
        INTACT.map(({ what }) => [what, [], []]),
      );
    });

    it('denies every kind of broken chain by the rule that says why', { timeout: ALL_AT_ONCE }, async () => {
      const verdicts = await judge.judge(await Promise.all(BROKEN.map(({ release }) => release())));
      const said = verdicts.map((verdict, at) => ({ what: BROKEN[at]?.what, ...verdict }));
      expect(said).toMatchObject(
        BROKEN.map(({ what, denied }, at) => {
          // About an image that is not there Conforma does not ask the policy.
          const isThere = verdicts[at]?.itself.length === 0;
          return { what, rules: denied.filter((rule) => isThere || rule !== 'readable').sort() };
        }),
      );
    });
  });
}
