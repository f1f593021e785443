import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { ChainConfig } from '../config/schema.ts';
import { chainOf, image, TWO } from '../testing/chains.ts';
import { checkDocuments, renderConfig } from '../testing/documents.ts';

const labelsOf = (release: 'chain' | 'components' | undefined) =>
  Object.fromEntries(
    checkDocuments(renderConfig({ ...TWO, release })).runs.map(({ metadata }) => [metadata.name, metadata.labels]),
  );
const AUTO_RELEASE = 'release.appstudio.openshift.io/auto-release';
const CHAIN = 'custom.appstudio.openshift.io/chain';

describe('what the builds say about their Snapshots', () => {
  test('those of a push are not released by themselves, unless the config says so', () => {
    const labels = labelsOf(undefined);
    for (const component of ['app', 'metadata-scanner']) {
      expect(labels[`${component}-on-push`]).toMatchObject({ [AUTO_RELEASE]: 'false', [CHAIN]: 'app' });
      expect(labels[`${component}-on-pull-request`]).toMatchObject({ [CHAIN]: 'app' });
      expect(labels[`${component}-on-pull-request`]).not.toHaveProperty([AUTO_RELEASE]);
    }
    expect(labelsOf('chain')).toEqual(labels);
    expect(JSON.stringify(labelsOf('components'))).not.toMatch(/auto-release|custom\.appstudio/);
  });
});

/** A rendered file's documents. */
const documents = (config: ChainConfig, path: string): Record<string, unknown>[] => {
  const file = renderConfig(config).find((each) => each.path === path);
  return file === undefined ? [] : parseAllDocuments(file.text).map((document) => document.toJS());
};

const scenariosOf = (config: ChainConfig) => documents(config, 'konflux/integration-tests.yaml');

describe('the scenarios', () => {
  const scenarios = scenariosOf;

  test('one that is required proves every Snapshot; one that is not makes the chain’s, after any of its builds', () => {
    const [gate, maker, ...more] = scenarios(TWO);
    expect(more).toEqual([]);
    expect(gate).toMatchObject({
      metadata: { name: 'verify-app' },
      spec: {
        contexts: [{ name: 'application' }],
        resolverRef: { resourceKind: 'pipeline', params: expect.arrayContaining([pathTo('verify-chain')]) },
      },
    });
    expect(gate).not.toHaveProperty(['metadata', 'labels']);
    expect(maker).toMatchObject({
      metadata: { name: 'release-app', labels: { 'test.appstudio.openshift.io/optional': 'true' } },
      spec: {
        // Of a pull request the integration service takes the run, with its account, from the pull request.
        contexts: [{ name: 'push' }],
        resolverRef: { resourceKind: 'pipelinerun', params: expect.arrayContaining([pathTo('create-snapshot')]) },
      },
    });
  });

  const pathTo = (name: string) => ({ name: 'pathInRepo', value: `pipeline/${name}.yaml` });

  test('where components are released, each scanner’s Snapshots hold a pair that is proved', () => {
    const config = { ...TWO, release: 'components' as const };
    expect(scenarios(config)).toEqual([
      expect.objectContaining({
        metadata: { name: 'verify-metadata-scanner', namespace: 'tenant' },
        spec: expect.objectContaining({
          params: [
            { name: 'components', values: ['--component=primary=app', '--component=metadata=metadata-scanner'] },
            { name: 'starts', values: ['--start=primary'] },
          ],
        }),
      }),
    ]);
    const paths = renderConfig(config).map(({ path }) => path);
    expect(paths).not.toContain('pipeline/create-snapshot.yaml');
    expect(paths).not.toContain('konflux/release-access.yaml');
  });

  test('what nothing links is released as it is, and nobody can ask for more', () => {
    const alone = chainOf([image('primary', [], { component: 'app' })]);
    expect(scenarios(alone)).toEqual([]);
    expect(JSON.stringify(checkDocuments(renderConfig(alone)).runs)).not.toContain('auto-release');
    expect(() => renderConfig({ ...alone, release: 'chain' })).toThrow('no image embeds the first one');
  });

  test('the one that makes Snapshots refers to nothing that a pull request could change', () => {
    const [run] = documents(TWO, 'pipeline/create-snapshot.yaml');
    expect(run).toMatchObject({
      kind: 'PipelineRun',
      spec: { taskRunTemplate: { serviceAccountName: 'release-app' } },
    });
    expect(JSON.stringify(run)).not.toMatch(/pipelineRef|taskRef|resolver/);
  });
});

test('with tasks from a bundle, what makes Snapshots runs in their runner image, and no source is fetched for it', () => {
  const runner = `quay.io/org/chain-runner:1@sha256:${'1'.repeat(64)}`;
  const bundle = `quay.io/org/chain-tasks:1@sha256:${'0'.repeat(64)}`;
  const [run] = documents({ ...TWO, ownTasks: { bundle, runner } }, 'pipeline/create-snapshot.yaml');
  const text = JSON.stringify(run);
  expect(text).toContain(`"image":"${runner}"`);
  expect(text).not.toMatch(/fetch-source|taskRef|"git-url"/);
});

describe('the account that makes Snapshots', () => {
  test('may do that and hold them back, and read what it needs', () => {
    const [account, role, binding] = documents(TWO, 'konflux/release-access.yaml');
    expect(account).toMatchObject({
      metadata: { name: 'release-app', namespace: 'tenant' },
      secrets: [
        { name: 'imagerepository-for-chain-app-image-pull' },
        { name: 'imagerepository-for-chain-metadata-scanner-image-pull' },
      ],
    });
    expect(role?.rules).toEqual([
      { apiGroups: ['appstudio.redhat.com'], resources: ['snapshots'], verbs: ['get', 'list', 'create', 'patch'] },
      { apiGroups: ['appstudio.redhat.com'], resources: ['components'], verbs: ['list'] },
    ]);
    expect(binding).toMatchObject({ roleRef: { name: 'release-app' }, subjects: [{ name: 'release-app' }] });
    const text = renderConfig(TWO).find(({ path }) => path === 'konflux/release-access.yaml')?.text;
    expect(text).toContain('Please run `kubectl apply --server-side -f release-access.yaml`');
  });
});

describe('what the tests are told', () => {
  const args = (config: ChainConfig, name: string): readonly string[] => {
    const [pipeline] = documents(config, 'pipeline/verify-chain.yaml') as [
      { spec: { params: { name: string; default?: readonly string[] }[] } },
    ];
    return pipeline.spec.params.find((param) => param.name === name)?.default ?? [];
  };

  test('a label leads one step on, a statement to all', () => {
    const images = [
      image('operator', [], { component: 'operator' }),
      image('bundle', ['operator'], { component: 'bundle' }),
      image('catalog', ['bundle'], { component: 'catalog' }),
    ];
    expect(args(chainOf(images), 'starts')).toEqual(['--start=operator', '--start=bundle']);
    expect(args(chainOf(images, { seal: 'referrer' }), 'starts')).toEqual(['--start=operator']);
    expect(args(chainOf(images), 'components')).toEqual([
      '--component=operator=operator',
      '--component=bundle=bundle',
      '--component=catalog=catalog',
    ]);
  });

  test('components that were built elsewhere are what the chain was built with', () => {
    const images = [
      image('operator', [], { component: 'operator' }),
      image('bundle', ['operator', 'daemon'], { component: 'bundle' }),
    ];
    const daemon = { image: 'quay.io/team/daemon:1.0', component: 'daemon' };
    const config = chainOf(images, { seal: 'referrer', external: { daemon } });
    const all = ['--component=operator=operator', '--component=bundle=bundle', '--external-component=daemon=daemon'];
    expect(args(config, 'components')).toEqual(all);
    expect(JSON.stringify(documents(config, 'pipeline/create-snapshot.yaml'))).toContain(JSON.stringify(all));
    const without = { ...config, external: { daemon: { image: daemon.image } } };
    expect(args(without, 'components')).toEqual(all.slice(0, 2));
  });

  test('with the build system’s key the repository has to be proved', () => {
    expect(args(TWO, 'demands')).toEqual(['--git-url=https://git.example/org/chain']);
  });
});
