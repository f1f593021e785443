import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ChainConfig } from '../config/schema.ts';
import { chainOf, image, TWO } from '../testing/chains.ts';
import { checkDocuments, renderConfig } from '../testing/documents.ts';

const VARIANTS = {
  two: TWO,
  'a chain of three': chainOf([
    image('operator', [], { component: 'operator', name: 'operator' }),
    image('bundle', ['operator'], { component: 'bundle', name: 'bundle' }),
    image('catalog', ['bundle', 'operator'], { component: 'catalog', name: 'catalog' }),
  ]),
  'no scanner': chainOf([image('primary', [], { component: 'app' }), image('sidecar', ['primary'])]),
  'one image': chainOf([image('primary', [], { component: 'app' })]),
  'own repositories': { ...TWO, imageRepositories: 'own' as const },
  'an image beside the chain': chainOf([image('primary', [], { component: 'app' }), image('other')]),
  'two roots': chainOf([
    image('primary', [], { component: 'app' }),
    image('base'),
    image('both', ['base', 'primary'], { component: 'both' }),
  ]),
  platforms: chainOf([
    image('primary', [], { component: 'app', platforms: ['linux/x86_64', 'linux/arm64'] }),
    image('metadata', ['primary'], { component: 'scanner', platforms: ['linux/arm64'], hermetic: false }),
  ]),
  'linked by referrer': chainOf(
    [
      image('primary', [], { component: 'app' }),
      image('a', ['primary'], { component: 'scan' }),
      image('b', ['primary']),
    ],
    { seal: 'referrer' },
  ),
  'every field': chainOf(
    [
      image('primary', [], { component: 'app', serviceAccount: 'builder', prefetch: [{ type: 'npm' }], checks: [] }),
      image('metadata', ['primary'], {
        component: 'scanner',
        context: 'metadata',
        buildArgs: { TITLE: `yes: "it's" #1 \\ {x}` },
        prefetch: [{ type: 'npm' }, { type: 'gomod', path: 'go' }],
        pullRequestExpiry: '12h',
      }),
    ],
    {
      displayName: 'no',
      labelPrefix: 'org.example',
      imageFormat: 'docker',
      timeouts: { build: '90m', checks: '30m' },
      checks: ['clair-scan'],
      visibility: 'private',
    },
  ),
};

describe.each(Object.entries(VARIANTS))('%s', (_, config) => {
  test('every document fits its schema and the others', () => {
    expect(checkDocuments(renderConfig(config)).problems).toEqual([]);
  });

  test('a folder of the repository is in every path that Pipelines as Code fetches', () => {
    expect(checkDocuments(renderConfig(config, 'examples/x/'), 'examples/x/').problems).toEqual([]);
  });

  test('is rendered to the same bytes again', () => {
    expect(renderConfig(config)).toEqual(renderConfig(structuredClone(config)));
  });
});

describe('what pull requests may do', () => {
  const config = { ...TWO, pullRequestAccount: 'pull-requests' };
  const { runs } = checkDocuments(renderConfig(config));
  const run = (name: string) => runs.find(({ metadata }) => metadata.name === name)?.spec;
  const images = (name: string) =>
    run(name)?.params.flatMap(({ value }) => (String(value).startsWith('quay.io/') ? [value] : []));

  test.each(['app', 'metadata-scanner'])('%s runs them as another account, which pushes elsewhere', (component) => {
    expect(run(`${component}-on-pull-request`)?.taskRunTemplate.serviceAccountName).toBe('pull-requests');
    expect(run(`${component}-on-push`)?.taskRunTemplate.serviceAccountName).toBe(`build-pipeline-${component}`);
    for (const image of images(`${component}-on-pull-request`) ?? []) expect(image).toMatch(/-pull-requests(?::|$)/);
    expect(images(`${component}-on-push`)?.join(' ')).not.toContain('pull-requests');
    expect(images(`${component}-on-pull-request`)).toHaveLength(images(`${component}-on-push`)?.length ?? 0);
  });

  test.each([
    ['konflux' as const, 'imagerepository-for-chain-app-pull-requests-image-push'],
    ['own' as const, 'chain-push-pull-requests'],
  ])('the account has no secret of what is released (%s)', (imageRepositories, secret) => {
    const files = renderConfig({ ...config, imageRepositories });
    const text = files.find(({ path }) => path === 'konflux/service-accounts.yaml')?.text ?? '';
    const account = text.slice(text.indexOf('name: pull-requests\n'));
    expect(account).toContain(`- name: ${secret}\n`);
    for (const [, name = ''] of account.matchAll(/- name: (.*)/g)) expect(name).toContain('pull-requests');
  });
});

describe('the public key of the build system', () => {
  const { publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const paramsOf = (name: string, buildSystem: ChainConfig['buildSystem']) => {
    const run = checkDocuments(renderConfig({ ...TWO, buildSystem })).runs.find(
      ({ metadata }) => metadata.name === name,
    );
    return Object.fromEntries(run?.spec.params.map(({ name, value }) => [name, value]) ?? []);
  };

  test('reaches the scanner, with what it has to wait for', () => {
    expect(paramsOf('metadata-scanner-on-push', { publicKey })).toMatchObject({
      'public-key': publicKey,
      demands: ['--key=env://PUBLIC_KEY', '--until=signed'],
    });
    expect(paramsOf('metadata-scanner-on-pull-request', { publicKey }).demands).toContain('--allow-pull-request');
    const attested = { publicKey, waitFor: 'attested', builderId: 'https://builder.example' } as const;
    expect(paramsOf('metadata-scanner-on-push', attested).demands).toEqual([
      '--key=env://PUBLIC_KEY',
      '--until=attested',
      '--builder-id=https://builder.example',
      '--source={{source_url}}',
    ]);
  });

  test('is the one that Snapshots are judged by', () => {
    const { pipelines } = checkDocuments(renderConfig({ ...TWO, buildSystem: { publicKey: `\n${publicKey}\n\n` } }));
    const params = pipelines.get('pipeline/verify-chain.yaml')?.spec.params ?? [];
    expect(params.find(({ name }) => name === 'public-key')?.default).toBe(publicKey);
  });

  test('says of which branch what is released has to be', () => {
    const git = { ...TWO.git, branch: 'release-1.2' };
    const { pipelines } = checkDocuments(renderConfig({ ...TWO, git, buildSystem: { publicKey } }));
    const demands = ({ params = [] }: { params?: readonly { name: string; default?: unknown }[] } = {}) =>
      params.find(({ name }) => name === 'demands')?.default;
    expect(demands(pipelines.get('pipeline/verify-chain.yaml')?.spec)).toContain('--branch=release-1.2');
  });

  test('is not needed', () => {
    expect(paramsOf('metadata-scanner-on-push', undefined)).not.toHaveProperty('demands');
  });

  test.each(['', 'k8s://openshift-pipelines/public-key', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----'])(
    'is a public key: %j',
    (text) => expect(() => renderConfig({ ...TWO, buildSystem: { publicKey: text } })).toThrow('public keys in PEM'),
  );
});

test('a Snapshot is judged by a verifier that can not move', () => {
  const { pipelines } = checkDocuments(renderConfig(TWO));
  const params = pipelines.get('pipeline/verify-chain.yaml')?.spec.params ?? [];
  expect(params.find(({ name }) => name === 'revision')?.default).toMatch(/^[0-9a-f]{40}$/);
});

test('what is proved is the digest that was sealed or linked, not a tag', () => {
  const verifyArguments = (config: ChainConfig, task: string) =>
    checkDocuments(renderConfig(config))
      .tasks.get(task)
      ?.steps.find(({ name }) => name === 'verify')?.args;
  expect(verifyArguments(TWO, 'label-image')).toContain('--digest-from=$(results.IMAGE_DIGEST.path)');
  expect(verifyArguments(VARIANTS['linked by referrer'], 'link-image')?.at(-1)).toBe('$(params.ORIGIN)');
});

describe('linked by referrer', () => {
  const { pipelines } = checkDocuments(renderConfig(VARIANTS['linked by referrer']));
  const spec = pipelines.get('pipeline/unified-build.yaml')?.spec;

  test('no task of our own puts out the released image', () => {
    expect(spec?.results.find(({ name }) => name === 'IMAGE_DIGEST')?.value).toBe(
      '$(tasks.build-image-1.results.IMAGE_DIGEST)',
    );
    expect(
      spec?.tasks.filter(({ taskRef }) => taskRef !== undefined && 'name' in taskRef).map(({ name }) => name),
    ).toEqual(['link-image-1']);
  });

  test('latest waits for the link', () => {
    for (const name of ['apply-tags-image-2', 'apply-tags-image-3']) {
      expect(spec?.tasks.find((task) => task.name === name)?.runAfter).toEqual(['link-image-1']);
    }
  });
});

describe('the rules of the chain', () => {
  const { runs } = checkDocuments(renderConfig(TWO));
  const run = (name: string) => runs.find(({ metadata }) => metadata.name === name);
  const param = (name: string, of: string) => run(of)?.spec.params.find((each) => each.name === name)?.value;

  test('a pull request never moves latest, and its images expire', () => {
    expect(param('publish-latest', 'app-on-pull-request')).toBe('false');
    expect(param('publish-latest', 'app-on-push')).toBe('true');
    expect(param('image-expires-after', 'app-on-pull-request')).toBe('5d');
    expect(param('output-image', 'app-on-pull-request')).toBe('quay.io/org/primary:on-pr-{{revision}}');
  });

  test('the scanner waits for its own revision, and outlasts the build', () => {
    expect(param('primary-image', 'metadata-scanner-on-push')).toBe('quay.io/org/primary:{{revision}}');
    const hours = (name: string) => Number.parseInt(run(name)?.spec.timeouts.pipeline ?? '', 10);
    expect(hours('metadata-scanner-on-push')).toBeGreaterThan(hours('app-on-push'));
  });

  test('no task may take longer than the run it is in', () => {
    const minutes = (clock = '') =>
      Number(/(\d+)h/.exec(clock)?.[1] ?? 0) * 60 + Number(/(\d+)m/.exec(clock)?.[1] ?? 0);
    const short = checkDocuments(renderConfig({ ...TWO, timeouts: { build: '3m', checks: '2m' } }));
    for (const { metadata, spec } of short.runs) {
      const pipeline = short.pipelines.get(metadata.annotations?.['pipelinesascode.tekton.dev/pipeline'] ?? '');
      expect(pipeline).toBeDefined();
      for (const task of pipeline?.spec.tasks ?? [])
        expect(minutes(task.timeout)).toBeLessThanOrEqual(minutes(spec.timeouts.pipeline));
    }
  });

  test('no pipeline reads latest', () => {
    const texts = renderConfig(TWO).filter(({ path }) => path.startsWith('.tekton/'));
    for (const { text } of texts) expect(text).not.toContain(':latest');
  });

  test('only what the component owns is tagged without a seal', () => {
    const unified = renderConfig(TWO).find(({ path }) => path === 'pipeline/unified-build.yaml')?.text ?? '';
    expect(unified).toContain('value: $(params.output-image)-unsealed\n');
    expect(unified).toContain('value: $(params.metadata-image)\n');
    expect(unified).toContain(
      '- IMAGE1_URL=$(params.primary-repository)@$(tasks.build-image-1.results.IMAGE_DIGEST)\n',
    );
  });
});

test.each(['quay.io/org', 'quay.io/org/tenant'])('%s: a repository has the name that Konflux gives it', (registry) => {
  const files = renderConfig({ ...TWO, registry });
  const text = files.find(({ path }) => path === 'konflux/image-repositories.yaml')?.text ?? '';
  expect(text.match(/(?<=image:\n {4}name: ).*/g)).toEqual(['tenant/primary', 'tenant/metadata']);
});
