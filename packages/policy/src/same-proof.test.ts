import { parseReference, verify } from '@multi-image/digest-chain';
import { buildArgsOf, tasksOf } from '@multi-image/testing/attested-chain';
import { REVISION } from '@multi-image/testing/chain';
import { ONES, ZERO } from '@multi-image/testing/image';
import { type MemoryChain, type MemoryChainOptions, memoryChain, signChain } from '@multi-image/testing/memory-chain';
import { memoryRegistry } from '@multi-image/testing/memory-registry';
import {
  gitMaterial,
  provenanceV1,
  provenanceV02,
  SOURCE,
  type TestRun,
  type TestTask,
} from '@multi-image/testing/provenance';
import { createSigner } from '@multi-image/testing/signer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL_AT_ONCE, JUDGES } from './testing/conforma.ts';
import type { Judge, Release, Verdict } from './testing/verdicts.ts';

// What the build system may sign of a run, true or odd: whether it proves the chain is asked of digest-chain's `verify`, and
// of the policy, which has to say the same.

const CATALOG = `quay.io/konflux-ci/tekton-catalog/task-x:0.1@${ONES}`;
const FORK = 'https://git.example/mallory/repo';
const PAC = 'pipelinesascode.tekton.dev';

// biome-ignore lint/suspicious/noExplicitAny: documents are changed at any place
type Document = any;
type Tasks = readonly TestTask[];

interface Scenario {
  readonly what: string;
  readonly proves: boolean;
  readonly images?: MemoryChainOptions;
  readonly run?: TestRun;
  /** That is asked for. */
  readonly branch?: string;
  readonly tasks?: (tasks: Tasks, chain: MemoryChain) => Tasks;
  /** Changes the statement in place; then it is written in this version of SLSA alone. */
  readonly v02?: (predicate: Document, chain: MemoryChain) => void;
  readonly v1?: (predicate: Document, chain: MemoryChain) => void;
}

/** The build of Image 2 with other parameters. */
const called =
  (params: (chain: MemoryChain) => Readonly<Record<string, unknown>>) =>
  (tasks: Tasks, chain: MemoryChain): Tasks =>
    tasks.map((task) =>
      task.name === 'build-image-2' ? { ...task, params: { ...task.params, ...params(chain) } } : task,
    );
const args = (...more: readonly unknown[]) => called((chain) => ({ BUILD_ARGS: [...buildArgsOf(chain), ...more] }));
const onlyArgs = (value: (chain: MemoryChain) => unknown) => called((chain) => ({ BUILD_ARGS: value(chain) }));
/** As Pipelines as Code labels and annotates a run. */
const pushOf = (number: string, event: string, branch: string): TestRun => ({
  labels: { [`${PAC}/event-type`]: event, [`${PAC}/pull-request`]: number },
  annotations: {
    [`${PAC}/event-type`]: event,
    [`${PAC}/pull-request`]: number,
    [`${PAC}/source-branch`]: branch,
  },
});
/** Of a push to it, of a commit. */
const onBranch = (branch: string, sha?: string): TestRun => ({
  annotations: { [`${PAC}/branch`]: branch, ...(sha === undefined ? {} : { [`${PAC}/sha`]: sha }) },
});
const onBranchOf = (forge: string, event: string): TestRun => ({
  annotations: { [`${PAC}/branch`]: 'main', [`${PAC}/git-provider`]: forge, [`${PAC}/event-type`]: event },
});
const beside = (task: (chain: MemoryChain) => Partial<TestTask>) => (tasks: Tasks, chain: MemoryChain) => [
  ...tasks,
  { name: 'beside', bundle: CATALOG, ...task(chain) },
];
/** Another task in the place of the one that built Image 2. */
const instead =
  (results: (chain: MemoryChain) => Readonly<Record<string, unknown>>) =>
  (tasks: Tasks, chain: MemoryChain): Tasks => [
    ...tasks.filter(({ name }) => name !== 'build-image-2'),
    { name: 'instead', bundle: CATALOG, params: { BUILD_ARGS: buildArgsOf(chain) }, results: results(chain) },
  ];
const material = (uri: string, digest: Readonly<Record<string, string>> = { sha1: REVISION }): TestRun => ({
  materials: [{ uri, digest }],
});
/** The TaskRun of Image 2's build, in the version that holds TaskRuns. */
const taskRun = (change: (run: Document, chain: MemoryChain) => void) => (predicate: Document, chain: MemoryChain) => {
  const dependency = predicate.buildDefinition.resolvedDependencies[2];
  const run = JSON.parse(Buffer.from(dependency.content, 'base64').toString());
  change(run, chain);
  dependency.content = Buffer.from(JSON.stringify(run)).toString('base64');
};
const withTask = (content: string) => (predicate: Document) =>
  predicate.buildDefinition.resolvedDependencies.push({ name: 'pipelineTask', content });
const env = (...more: readonly ((chain: { origin: string; image1: string }) => string)[]): MemoryChainOptions => ({
  env2: ({ origin, image1 }) => [
    `IMAGE1_DIGEST=${origin}`,
    `IMAGE1_URL=${image1}@${origin}`,
    ...more.map((entry) => entry({ origin, image1 })),
  ],
});
const DEFINED = { uri: 'git+https://git.example/pipelines.git', digest: { sha1: 'e'.repeat(40) } } as const;

const SCENARIOS: readonly Scenario[] = [
  { what: 'a run as it should be', proves: true },
  { what: 'files of nobody', proves: false, tasks: called(() => ({ SOURCE_ARTIFACT: `oci:mallory@${ZERO}` })) },
  { what: 'prefetched files of nobody', proves: false, tasks: called(() => ({ CACHI2_ARTIFACT: 'oci:mallory' })) },
  {
    what: 'files of a task that failed',
    proves: false,
    tasks: (tasks, chain) =>
      beside(() => ({ status: 'Failed', results: { SOURCE_ARTIFACT: 'oci:x' } }))(
        called(() => ({ SOURCE_ARTIFACT: 'oci:x' }))(tasks, chain),
        chain,
      ),
  },
  {
    what: 'files that a task passes on which was called with them',
    proves: false,
    tasks: (tasks, chain) =>
      beside(() => ({ params: { SOURCE_ARTIFACT: 'oci:x' }, results: { SOURCE_ARTIFACT: 'oci:x' } }))(
        called(() => ({ SOURCE_ARTIFACT: 'oci:x' }))(tasks, chain),
        chain,
      ),
  },
  {
    what: 'files that a task made of the cloned ones',
    proves: true,
    tasks: (tasks, chain) =>
      beside(() => ({
        params: { SOURCE_ARTIFACT: tasks[0]?.results?.SOURCE_ARTIFACT },
        results: { SOURCE_ARTIFACT: 'oci:x' },
      }))(called(() => ({ SOURCE_ARTIFACT: 'oci:x' }))(tasks, chain), chain),
  },
  {
    what: 'files that a task made of those of nobody',
    proves: false,
    tasks: (tasks, chain) =>
      beside(() => ({ params: { SOURCE_ARTIFACT: 'oci:mallory' }, results: { SOURCE_ARTIFACT: 'oci:x' } }))(
        called(() => ({ SOURCE_ARTIFACT: 'oci:x' }))(tasks, chain),
        chain,
      ),
  },
  {
    what: 'a task of no bundle whose files nobody takes',
    proves: true,
    tasks: (tasks) => [...tasks, { name: 'beside', results: { SOURCE_ARTIFACT: 'oci:x' } }],
  },
  {
    what: 'a Containerfile from elsewhere',
    proves: false,
    tasks: called(() => ({ DOCKERFILE: 'https://x/Dockerfile' })),
  },

  {
    what: 'a tag of a pull request',
    proves: false,
    run: { params: { 'output-image': `r.example/a:on-pr-${REVISION}` } },
  },
  {
    what: 'a label of a push and an annotation of a pull request',
    proves: false,
    run: {
      labels: { [`${PAC}/event-type`]: 'push' },
      annotations: { [`${PAC}/event-type`]: 'pull_request' },
    },
  },
  { what: 'an annotation of a pull request', proves: false, run: { annotations: { [`${PAC}/pull-request`]: '7' } } },
  { what: 'a push that merged a pull request', proves: true, run: pushOf('7', 'push', 'refs/heads/main') },
  { what: 'a push of GitLab’s', proves: true, run: pushOf('7', 'Push', 'main') },
  { what: 'a comment on a commit of a pull request', proves: false, run: pushOf('7', 'retest-comment', 'main') },
  { what: 'a push to a merge queue', proves: false, run: pushOf('', 'push', 'refs/heads/gh-readonly-queue/main/pr-7') },
  { what: 'a line break for a number', proves: false, run: { labels: { [`${PAC}/pull-request`]: '\n' } } },
  { what: 'an empty number of a pull request', proves: true, run: { labels: { [`${PAC}/pull-request`]: '' } } },

  { what: 'the branch', proves: true, branch: 'main', run: onBranch('main') },
  { what: 'the branch, as a ref', proves: true, branch: 'main', run: onBranch('refs/heads/main') },
  { what: 'a ref that is asked for', proves: true, branch: 'refs/heads/a/b', run: onBranch('a/b') },
  { what: 'another branch', proves: false, branch: 'main', run: onBranch('other') },
  { what: 'another branch that ends so', proves: false, branch: 'main', run: onBranch('refs/heads/a/main') },
  { what: 'another branch in capitals', proves: false, branch: 'main', run: onBranch('Main') },
  { what: 'a branch of two lines', proves: false, branch: 'main', run: onBranch('main\n') },
  { what: 'a tag of that name', proves: false, branch: 'main', run: onBranch('refs/tags/main') },
  { what: 'no branch', proves: false, branch: 'main' },
  { what: 'an empty branch', proves: false, branch: 'main', run: onBranch('') },
  { what: 'a label of the branch', proves: false, branch: 'main', run: { labels: { [`${PAC}/branch`]: 'main' } } },
  {
    what: 'a branch that is a list',
    proves: false,
    branch: 'main',
    v02: ({ invocation }) => {
      invocation.environment.annotations = { [`${PAC}/branch`]: ['main'] };
    },
  },
  { what: 'a branch of Forgejo’s', proves: true, branch: 'main', run: onBranchOf('gitea', 'push') },
  { what: 'a branch of GitLab’s', proves: true, branch: 'main', run: onBranchOf('gitlab', 'push') },
  {
    what: 'a branch of GitLab’s, by a comment',
    proves: true,
    branch: 'main',
    run: onBranchOf('gitlab', 'test-comment'),
  },
  { what: 'a branch of GitLab’s, by Konflux', proves: true, branch: 'main', run: onBranchOf('gitlab', 'incoming') },
  { what: 'a branch by an incoming webhook', proves: true, branch: 'main', run: onBranchOf('github', 'incoming') },
  { what: 'a branch of Data Center', proves: true, branch: 'main', run: onBranchOf('bitbucket-datacenter', 'push') },
  { what: 'a branch or a tag of Bitbucket', proves: false, branch: 'main', run: onBranchOf('bitbucket-cloud', 'push') },
  { what: 'any of Bitbucket’s', proves: true, run: onBranchOf('bitbucket-cloud', 'push') },

  { what: 'the commit that was pushed', proves: true, branch: 'main', run: onBranch('main', REVISION) },
  { what: 'a push of another commit', proves: false, branch: 'main', run: onBranch('main', 'f'.repeat(40)) },
  { what: 'another commit, of any branch', proves: false, run: onBranch('main', 'f'.repeat(40)) },
  { what: 'no commit', proves: false, branch: 'main', run: onBranch('main', '') },
  { what: 'the commit in capitals', proves: false, branch: 'main', run: onBranch('main', REVISION.toUpperCase()) },
  {
    what: 'a label of another commit, which is a part of one',
    proves: true,
    run: { labels: { [`${PAC}/sha`]: REVISION.slice(1) }, annotations: { [`${PAC}/sha`]: REVISION } },
  },
  {
    what: 'a commit that is a list',
    proves: false,
    v02: ({ invocation }) => {
      invocation.environment.annotations = { [`${PAC}/sha`]: [REVISION] };
    },
  },
  {
    what: 'two branches, by another case',
    proves: false,
    branch: 'main',
    v02: ({ invocation }) => {
      invocation.environment.annotations = { [`${PAC}/branch`]: 'main' };
      invocation.environment.Annotations = { [`${PAC}/branch`]: 'other' };
    },
  },

  {
    what: 'a result that merely ends in IMAGE_DIGEST',
    proves: false,
    tasks: instead(({ metadata }) => ({ MY_IMAGE_DIGEST: metadata })),
  },
  {
    what: 'the same beside the build',
    proves: true,
    tasks: beside(({ metadata }) => ({ results: { MY_IMAGE_DIGEST: metadata } })),
  },
  {
    what: 'a pair of results',
    proves: true,
    tasks: instead(({ image2, metadata }) => ({ MY_IMAGE_URL: image2, MY_IMAGE_DIGEST: metadata })),
  },
  {
    what: 'the result IMAGES',
    proves: true,
    tasks: instead(({ image2, metadata }) => ({ IMAGES: `${image2}@${metadata}` })),
  },
  {
    what: 'the same of a task without arguments',
    proves: false,
    tasks: beside(({ image2, metadata }) => ({ results: { IMAGES: `a@${ZERO}, ${image2}@${metadata}\n` } })),
  },
  {
    what: 'an object of outputs',
    proves: true,
    tasks: instead(({ image2: uri, metadata: digest }) => ({
      ARTIFACT_OUTPUTS: { uri, digest, isBuildArtifact: 'true' },
    })),
  },
  {
    what: 'the same of a task without arguments',
    proves: false,
    tasks: beside(({ image2: uri, metadata: digest }) => ({
      results: { X_ARTIFACT_OUTPUTS: { uri, digest, isBuildArtifact: 'true' } },
    })),
  },
  {
    what: 'outputs that were not built',
    proves: true,
    tasks: beside(({ image2: uri, metadata: digest }) => ({
      results: { X_ARTIFACT_OUTPUTS: { uri, digest, isBuildArtifact: 'false' } },
    })),
  },
  {
    what: 'a parameter whose name is the digest',
    proves: false,
    tasks: beside(({ metadata }) => ({ params: { [metadata]: 'x' }, results: { IMAGE_DIGEST: metadata } })),
  },

  {
    what: 'a second clone, of a url alone',
    proves: false,
    tasks: beside(() => ({ results: { 'CHAINS-GIT_URL': FORK } })),
  },
  {
    what: 'a second clone, of a commit alone',
    proves: false,
    tasks: beside(() => ({ results: { 'CHAINS-GIT_COMMIT': REVISION } })),
  },
  {
    what: 'a second clone, of nothing',
    proves: true,
    tasks: beside(() => ({ results: { 'CHAINS-GIT_URL': '', 'CHAINS-GIT_COMMIT': '' } })),
  },
  {
    what: 'a fork among the parameters of the run',
    proves: false,
    run: { params: { 'CHAINS-GIT_URL': FORK, 'CHAINS-GIT_COMMIT': REVISION } },
  },
  {
    what: 'a fork by another scheme',
    proves: false,
    run: { materials: [gitMaterial(), { uri: FORK, digest: { sha1: REVISION } }] },
  },
  {
    what: 'a fork without a commit',
    proves: false,
    run: { materials: [gitMaterial(), { uri: `git+${FORK}.git`, digest: { sha256: ZERO.slice(7) } }] },
  },
  { what: 'no materials', proves: true, run: { materials: [] } },
  { what: "the scheme's own port", proves: true, run: material('git+https://git.example:443/org/repo.git') },
  { what: 'another port', proves: false, run: material('git+https://git.example:444/org/repo.git') },
  { what: 'a user', proves: true, run: material('git+https://me:x@y@git.example/org/repo.git') },
  {
    what: 'a host behind a user',
    proves: false,
    run: material('git+https://git.example@mallory.example/org/repo.git'),
  },
  {
    what: 'a host behind a backslash',
    proves: false,
    run: material('git+https://git.example\\@mallory.example/org/repo'),
  },
  { what: 'capitals in scheme and host', proves: true, run: material('git+HTTPS://GIT.example/org/repo.git/') },
  { what: 'a fragment', proves: true, run: material('git+https://git.example/org/repo#x') },
  { what: 'a query', proves: false, run: material('git+https://git.example/org/repo?x') },
  { what: 'a path that only begins as the other', proves: false, run: material('git+https://git.example/org/repo.x') },
  { what: 'plain HTTP', proves: false, run: material('git+http://git.example/org/repo.git') },
  {
    what: 'a pipeline that is defined in another repository',
    proves: true,
    run: { configSource: DEFINED, materials: [gitMaterial(), DEFINED] },
    v02: () => {},
  },
  {
    what: 'a task that is defined in another repository',
    proves: true,
    run: { materials: [gitMaterial(), DEFINED] },
    v02: ({ buildConfig }) => {
      buildConfig.tasks[3].invocation.configSource = DEFINED;
    },
  },
  {
    what: 'a step that is defined in another repository',
    proves: true,
    v1: ({ buildDefinition }) => buildDefinition.resolvedDependencies.push({ name: 'stepAction/x', ...DEFINED }),
  },

  { what: 'a task without parameters', proves: true, v02: ({ buildConfig }) => delete buildConfig.tasks[3].invocation },
  {
    what: 'a further build, of which nothing else is told',
    proves: false,
    v02: ({ buildConfig }, { metadata }) =>
      buildConfig.tasks.push({ status: 'Succeeded', results: [{ name: 'IMAGE_DIGEST', value: metadata }] }),
  },
  {
    what: 'a result that is given twice',
    proves: false,
    v02: ({ buildConfig }) =>
      buildConfig.tasks[0].results.push(...[FORK, SOURCE].map((value) => ({ name: 'CHAINS-GIT_URL', value }))),
  },
  {
    what: 'a parameter that is given twice',
    proves: false,
    v1: taskRun(({ spec }) => spec.params.push({ name: 'BUILD_ARGS', value: [] })),
  },
  {
    what: 'a parameter of the run that is given twice',
    proves: false,
    v1: ({ buildDefinition }) =>
      buildDefinition.externalParameters.runSpec.params.push({ name: 'a', value: '1' }, { name: 'a', value: '1' }),
  },
  {
    what: 'results of v1beta1',
    proves: true,
    v1: taskRun((run) => {
      run.status = { ...run.status, taskResults: run.status.results, results: undefined };
    }),
  },
  { what: 'a task that is no base64', proves: false, v1: withTask('***') },
  { what: 'a task that is no JSON', proves: false, v1: withTask(Buffer.from('x').toString('base64')) },
  { what: 'a task with a key twice', proves: false, v1: withTask(Buffer.from('{"a":1,"a":2}').toString('base64')) },
  {
    what: 'a task of another run',
    proves: false,
    v02: ({ buildConfig }) => {
      buildConfig.tasks[2].invocation.environment.labels['tekton.dev/pipelineRunUID'] = 'other';
    },
  },
  {
    what: 'a TaskRun of another run',
    proves: false,
    v1: taskRun(({ metadata }) => {
      metadata.labels['tekton.dev/pipelineRunUID'] = 'other';
    }),
  },
  {
    what: 'a TaskRun that succeeded and failed',
    proves: false,
    v1: taskRun(({ status }) => status.conditions.unshift({ type: 'Succeeded', status: 'False' })),
  },
  {
    what: 'a status that is told twice, by another case',
    proves: false,
    v02: ({ buildConfig }) => {
      buildConfig.tasks[2].Status = 'Failed';
    },
  },
  {
    what: 'a run of one task alone',
    proves: false,
    v1: ({ buildDefinition }) => {
      buildDefinition.externalParameters.runSpec.taskRef = {};
    },
  },

  { what: 'no argument', proves: false, tasks: onlyArgs(() => []) },
  { what: 'one argument, which is no list', proves: true, tasks: onlyArgs(({ origin }) => `IMAGE1_DIGEST=${origin}`) },
  { what: 'arguments that are an object', proves: false, tasks: onlyArgs(({ origin }) => ({ IMAGE1_DIGEST: origin })) },
  { what: 'arguments that are a number', proves: false, tasks: onlyArgs(() => 7) },
  { what: 'arguments that are nothing', proves: false, tasks: onlyArgs(() => null) },
  { what: 'an argument that is a number', proves: false, tasks: args(7) },
  { what: 'an argument on two lines', proves: true, tasks: args(`A=b\nIMAGE1_DIGEST=${ONES}`) },
  { what: 'a name on two lines', proves: false, tasks: args('A\nB=b') },
  {
    what: 'another digest, by SHA-512',
    proves: false,
    tasks: (tasks, chain) => args(`A=${chain.image1}@sha512:${'a'.repeat(128)}`)(tasks, chain),
  },
  {
    what: 'another digest, in capitals',
    proves: false,
    tasks: (tasks, chain) => args(`A=${chain.image1.replace('registry', 'REGISTRY')}:t@${ONES}`)(tasks, chain),
  },
  { what: 'another released digest', proves: false, tasks: args(`IMAGE1_RELEASED_URL=quay.io/x/y@${ONES}`) },
  { what: 'a parameter beside that is set', proves: false, tasks: called(() => ({ 'build-args-file': 'x' })) },
  { what: 'a parameter beside of empty texts', proves: true, tasks: called(() => ({ ENV_VARS: ['', ''] })) },

  {
    what: 'a bundle that was resolved to another digest',
    proves: false,
    v02: ({ buildConfig }) => {
      buildConfig.tasks[2].invocation.configSource.digest.sha256 = '3'.repeat(64);
    },
  },
  {
    what: 'a bundle that was resolved to several digests',
    proves: false,
    v02: ({ buildConfig }) => {
      buildConfig.tasks[2].invocation.configSource.digest = { sha512: 'a', sha256: ONES.slice(7) };
    },
  },
  {
    what: 'a bundle that is pinned, and of which nothing else is told',
    proves: true,
    v02: ({ buildConfig }) => {
      buildConfig.tasks[2].invocation.configSource = null;
    },
  },
  {
    what: 'a bundle by another resolver',
    proves: false,
    v02: ({ buildConfig }) => {
      buildConfig.tasks[2].ref.resolver = 'http';
    },
  },

  { what: 'labels that name two commits', proves: false, images: { labels1: { 'vcs-ref': 'f'.repeat(40) } } },
  {
    what: 'no label for the commit',
    proves: false,
    images: { labels1: { 'org.opencontainers.image.revision': undefined } },
  },
  { what: 'a second variable with the digest', proves: true, images: env(({ origin }) => `X_DIGEST=${origin}`) },
  {
    what: 'a variable that is set twice',
    proves: false,
    images: env(({ origin }) => `IMAGE1_DIGEST=${origin}`),
  },
  {
    what: 'a second answer, by SHA-512',
    proves: false,
    images: env(({ image1 }) => `X_URL=${image1}@sha512:${'a'.repeat(128)}`),
  },
  {
    what: 'a second answer, in capitals',
    proves: false,
    images: env(({ image1 }) => `X_URL=${image1.replace('registry', 'REGISTRY')}@${ONES}`),
  },
  {
    what: 'a place that no image can have',
    proves: false,
    images: {
      labels2: ({ origin }) => ({ 'io.konflux.poc.primary-image.url': `a b@${origin}` }),
      env2: ({ origin }) => [`IMAGE1_DIGEST=${origin}`, `IMAGE1_URL=a b@${origin}`],
    },
    tasks: onlyArgs(({ origin }) => [`IMAGE1_DIGEST=${origin}`]),
  },
];

const signer = createSigner();
const PATTERN = 'oci://quay.io/konflux-ci/tekton-catalog/*';
const RULE_DATA = {
  version: 1,
  images: [
    { role: 'primary', component: 'app' },
    { role: 'metadata', component: 'scanner', embeds: ['primary'] },
  ],
  source: SOURCE,
  builder_tasks: [PATTERN],
};

interface Case {
  readonly what: string;
  readonly proves: boolean;
  /** Whether digest-chain says so. */
  readonly isProved: boolean;
  readonly release: Release;
}

/** The same in both versions of SLSA, or in the one that is changed. */
async function casesOf({ what, proves, images, run, branch, tasks, v02, v1 }: Scenario): Promise<readonly Case[]> {
  const versions = (['v0.2', 'v1'] as const).filter((version) => (version === 'v1' ? !v02 : !v1));
  return Promise.all(
    versions.map(async (version) => {
      const registry = memoryRegistry();
      const chain = await memoryChain(registry, 'demo', images);
      const { image1, image2, sealed, metadata } = chain;
      const catalog = tasksOf(chain, buildArgsOf(chain)).map((task) =>
        task.name === 'label-image-1' ? task : { ...task, bundle: CATALOG },
      );
      const all = tasks?.(catalog, chain) ?? catalog;
      const subjects = [sealed, metadata];
      const written = version === 'v1' ? provenanceV1(subjects, all, true, run) : provenanceV02(subjects, all, run);
      const statement: Document = structuredClone(written);
      (v02 ?? v1)?.(statement.predicate, chain);
      await signChain(registry, chain, signer, [{ image: image2, digest: metadata, statement }]);
      const options = { keys: signer.keys, source: SOURCE, branch, builderTasks: [PATTERN] };
      const { level } = await verify(registry, parseReference(`${image1}:${REVISION}`), options);
      const components = [
        { name: 'app', image: image1, digest: sealed },
        { name: 'scanner', image: image2, digest: metadata },
      ];
      const release = {
        registry,
        components,
        statements: [JSON.parse(JSON.stringify(statement))],
        ruleData: branch === undefined ? RULE_DATA : { ...RULE_DATA, branch },
      };
      return { what: `${what} (${version})`, proves, isProved: level === 'attested', release };
    }),
  );
}

describe('whether a run proves a chain', () => {
  let cases: readonly Case[];
  beforeAll(async () => {
    cases = (await Promise.all(SCENARIOS.map(casesOf))).flat();
  });
  const answers = (proved: (one: Case, at: number) => boolean) =>
    cases.map((one, at) => `${one.what}: ${proved(one, at)}`);

  it('is what is written here, to digest-chain', () => {
    expect(answers(({ isProved }) => isProved)).toEqual(answers(({ proves }) => proves));
  });

  for (const { name, isThere, start } of JUDGES) {
    describe.skipIf(!isThere)(`to ${name}`, () => {
      let judge: Judge;
      beforeAll(() => {
        judge = start();
      });
      afterAll(() => judge.close());

      it('is the same', { timeout: ALL_AT_ONCE }, async () => {
        const verdicts = await judge.judge(cases.map(({ release }) => release));
        const isDenied = ({ rules, itself }: Verdict): boolean => rules.length + itself.length > 0;
        expect(answers((_, at) => !isDenied(verdicts[at] as Verdict))).toEqual(answers(({ proves }) => proves));
      });
    });
  }
});
