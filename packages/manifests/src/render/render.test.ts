import { describe, expect, test } from 'vitest';
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
