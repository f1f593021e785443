import { dependenciesOf } from '@multi-image/testing/wiring-rules';
import { describe, expect, test } from 'vitest';
import { checkConfig } from '../config/check.ts';
import type { ChainConfig } from '../config/schema.ts';
import { chainOf, image } from '../testing/chains.ts';
import { checkDocuments, renderConfig } from '../testing/documents.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const OPERATOR = image('operator', [], { name: 'operator', component: 'operator' });
const AGENT = image('agent', [], { name: 'agent', component: 'agent' });
const BUNDLE = image('bundle', ['operator', 'agent', 'daemon'], { name: 'bundle', component: 'bundle' });
const chain = (others: Partial<ChainConfig> = {}, images = [OPERATOR, AGENT, BUNDLE]): ChainConfig =>
  chainOf(images, { seal: 'referrer', external: { daemon: { image: 'quay.io/team/daemon:1.0' } }, ...others });

const rendered = (config: ChainConfig) => {
  const { pipelines, runs, tasks, problems } = checkDocuments(renderConfig(config));
  expect(problems).toEqual([]);
  const build = pipelines.get('pipeline/unified-build.yaml')?.spec.tasks ?? [];
  const taskOf = (name: string) => build.find((task) => task.name === name);
  const paramOf = (name: string, param: string) => taskOf(name)?.params?.find((each) => each.name === param)?.value;
  return { build, runs, tasks, taskOf, paramOf };
};

describe('an image that is built elsewhere', () => {
  test('is resolved by one task, of which all builds and the statement have its digest', () => {
    const config = chain({
      external: { daemon: { image: 'quay.io/team/daemon:1.0', releaseRepository: 'registry.example/team/daemon' } },
    });
    const { build, paramOf, taskOf } = rendered(config);
    expect(
      build.filter(({ taskRef }) => taskRef !== undefined && 'name' in taskRef && taskRef.name === 'resolve-image'),
    ).toHaveLength(1);
    expect(paramOf('build-bundle', 'BUILD_ARGS')).toEqual(
      expect.arrayContaining([
        'DAEMON_DIGEST=$(tasks.resolve-daemon.results.DIGEST)',
        'DAEMON_URL=$(tasks.resolve-daemon.results.URL)',
        'DAEMON_RELEASED_URL=registry.example/team/daemon@$(tasks.resolve-daemon.results.DIGEST)',
      ]),
    );
    expect(paramOf('link-operator', 'EXTERNAL')).toEqual([
      '--external=daemon=$(tasks.resolve-daemon.results.REFERENCE)',
    ]);
    const bundle = taskOf('build-bundle');
    expect(bundle && dependenciesOf(bundle)).toContain('resolve-daemon');
  });

  test('is given by the PipelineRun of a push and of a pull request, which fetch the task', () => {
    const runs = rendered(chain()).runs.filter(({ metadata }) => metadata.name.startsWith('operator-on-'));
    expect(runs).toHaveLength(2);
    for (const { spec, metadata } of runs) {
      expect(spec.params).toContainEqual({ name: 'daemon-image', value: 'quay.io/team/daemon:1.0' });
      expect(metadata.annotations?.['pipelinesascode.tekton.dev/task']).toContain('pipeline/tasks/resolve-image.yaml');
    }
  });

  test('is named by its digest where it has one beside its tag', () => {
    const { runs } = rendered(chain({ external: { daemon: { image: `quay.io/team/daemon:1.0@${DIGEST}` } } }));
    expect(runs[0]?.spec.params).toContainEqual({ name: 'daemon-image', value: `quay.io/team/daemon@${DIGEST}` });
  });

  test('is not signed as if this run had built it: its task has no results of an image', () => {
    const results = rendered(chain())
      .tasks.get('resolve-image')
      ?.results?.map(({ name }) => name);
    expect(results).toEqual(['DIGEST', 'URL', 'REFERENCE']);
    expect(results?.filter((name) => /IMAGE_(?:URL|DIGEST)$|^IMAGES$|ARTIFACT/.test(name))).toEqual([]);
  });

  test('may be what the first image embeds, and what connects two that have nothing else in common', () => {
    const images = [
      { ...OPERATOR, embeds: ['daemon'] },
      image('bundle', ['operator'], { name: 'bundle' }),
      image('agent', ['daemon'], { name: 'agent' }),
    ];
    const { paramOf } = rendered(chain({}, images));
    expect(paramOf('link-operator', 'LINKS')).toHaveLength(2);
    expect(paramOf('build-operator', 'BUILD_ARGS')).toContain('DAEMON_URL=$(tasks.resolve-daemon.results.URL)');
  });

  test('leaves a chain without any as it was', () => {
    const files = renderConfig(chain({ external: undefined }, [OPERATOR, image('bundle', ['operator'])]));
    expect(files.map(({ path }) => path)).not.toContain('pipeline/tasks/resolve-image.yaml');
  });
});

test('an image that embeds none is found by the statement of all, and may be a component', () => {
  const { runs } = rendered(chain());
  const agent = runs.find(({ metadata }) => metadata.name === 'agent-on-push');
  expect(agent?.spec.params).toContainEqual({ name: 'operator-image', value: 'quay.io/org/operator:{{revision}}' });
});

describe('is refused', () => {
  const external = (entry: object) => ({ external: { daemon: entry } }) as Partial<ChainConfig>;
  const image1 = 'quay.io/team/daemon:1.0';
  test.each<[string, ChainConfig, string]>([
    [
      'a name without tag and digest',
      chain(external({ image: 'quay.io/team/daemon' })),
      'external.daemon.image: a tag or a digest: registry/repository:tag or registry/repository@sha256:…; "quay.io/team/daemon"',
    ],
    [
      'a digest that is none',
      chain(external({ image: 'quay.io/team/daemon@sha256:ab' })),
      'external.daemon.image: sha256:<64 lower-case hex digits> or sha512:<128> after the @; "quay.io/team/daemon@sha256:ab"',
    ],
    [
      'a name for Tekton to replace',
      chain(external({ image: 'quay.io/team/$(params.x):1' })),
      'external.daemon.image: registry/repository:tag or registry/repository@sha256:…; "quay.io/team/$(params.x):1"',
    ],
    [
      'one that nobody embeds',
      chain({ external: { daemon: { image: image1 }, other: { image: 'quay.io/team/other:1' } } }),
      'external.other: an image of this chain that embeds it; none',
    ],
    [
      'one that the chain builds itself',
      chain(external({ image: 'quay.io/org/operator:latest' })),
      'external.daemon.image: an image that this chain does not build: in a cycle each run would embed what the one before built; "quay.io/org/operator:latest", where images[0] goes',
    ],
    [
      'one that the chain releases itself',
      chain(external({ image: 'registry.example/acme/operator:1' }), [
        { ...OPERATOR, releaseRepository: 'registry.example/acme/operator' },
        AGENT,
        BUNDLE,
      ]),
      'external.daemon.image: an image that this chain does not build: in a cycle each run would embed what the one before built; "registry.example/acme/operator:1", where images[0] goes',
    ],
    [
      'a role of two',
      chain({ external: { daemon: { image: image1 }, agent: { image: 'quay.io/team/agent:1' } } }),
      'external.agent: a role of its own; "agent", as images[1] has',
    ],
    [
      'a component of two',
      chain(external({ image: image1, component: 'agent' })),
      'external.daemon.component: a component of its own; "agent", as images[1] has',
    ],
    [
      'a released name of two',
      chain(external({ image: image1, releaseRepository: 'registry.example/acme/operator' }), [
        { ...OPERATOR, releaseRepository: 'registry.example/acme/operator' },
        AGENT,
        BUNDLE,
      ]),
      'external.daemon.releaseRepository: a releaseRepository of its own; "registry.example/acme/operator", as images[0] has',
    ],
    [
      'a chain of labels alone',
      chain({ seal: 'label' }, [OPERATOR, image('bundle', ['operator', 'daemon'])]),
      "images[1].embeds: an image of the chain that is linked by a statement (seal: referrer): labels don't name what was built elsewhere; daemon",
    ],
    [
      'a component that nothing leads to',
      chain({ seal: 'label', external: undefined }, [OPERATOR, AGENT, image('bundle', ['operator', 'agent'])]),
      'images[1].component: an image that a scanner finds: by the link from one that it embeds, or by the statement of both (seal: referrer); "agent" on an image that nothing leads to',
    ],
  ])('%s', (_, config, problem) => {
    expect(checkConfig(config).issues.map(({ path, expected, found }) => `${path}: ${expected}; ${found}`)).toContain(
      problem,
    );
  });
});
