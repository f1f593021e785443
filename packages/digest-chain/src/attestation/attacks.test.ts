import { readFileSync } from 'node:fs';
import { buildArgsOf, tasksOf } from '@multi-image/testing/attested-chain';
import { REVISION } from '@multi-image/testing/chain';
import { ONES, ZERO } from '@multi-image/testing/image';
import {
  type MemoryChain,
  type MemoryChainOptions,
  type MemoryDocument,
  memoryChain,
  signChain,
} from '@multi-image/testing/memory-chain';
import { memoryRegistry } from '@multi-image/testing/memory-registry';
import {
  gitMaterial,
  provenanceV1,
  provenanceV02,
  SOURCE,
  type TestRun,
  type TestTask,
  taskProvenanceV1,
  taskProvenanceV02,
} from '@multi-image/testing/provenance';
import { createSigner } from '@multi-image/testing/signer';
import { describe, expect, it } from 'vitest';
import type { CheckId } from '../check.ts';
import { parseReference } from '../reference.ts';
import { type Verification, type VerifyOptions, verify } from '../verify.ts';

// What the build system's key has signed is true, and says something else than it seems to. Who can bring that about is in
// docs/digest-chain.md, "Who can do what": the names of these tests are its rows.

const ATTACKERS = [
  'registry pusher',
  'registry',
  'pull-request author',
  'who may push another branch',
  'other tenant',
  'base image',
  'sibling task',
  'scanner component',
] as const;

const signer = createSigner();

interface Attack {
  readonly by: (typeof ATTACKERS)[number];
  readonly name: string;
  readonly images?: MemoryChainOptions;
  readonly documents: (chain: MemoryChain) => readonly MemoryDocument[];
  readonly options?: VerifyOptions;
  /** The check that fails, and what it says. */
  readonly fails: CheckId;
  readonly says: string | RegExp;
}

const good = (chain: MemoryChain): readonly TestTask[] => tasksOf(chain, buildArgsOf(chain));

/** The tasks of the run, with some members of one of them replaced. */
function change(tasks: readonly TestTask[], name: string, more: Partial<TestTask>): readonly TestTask[] {
  return tasks.map((task) =>
    task.name === name
      ? { ...task, ...more, params: { ...task.params, ...more.params }, results: { ...task.results, ...more.results } }
      : task,
  );
}

const without = (tasks: readonly TestTask[], ...names: readonly string[]) =>
  tasks.filter(({ name }) => !names.includes(name));

/** One document of a run, attached to Image 2, that has all images of the chain as subjects. */
function runOf(
  run: TestRun,
  tasksFor: (chain: MemoryChain) => readonly TestTask[] = good,
): (chain: MemoryChain) => readonly MemoryDocument[] {
  return (chain) => [at2(chain, provenanceV02(all(chain), tasksFor(chain), run))];
}

const all = (chain: MemoryChain) => [
  chain.sealed,
  chain.origin,
  chain.metadata,
  ...(chain.third === undefined ? [] : [chain.third.digest]),
];
const at1 = (chain: MemoryChain, statement: object) => ({ image: chain.image1, digest: chain.sealed, statement });
const at2 = (chain: MemoryChain, statement: object) => ({ image: chain.image2, digest: chain.metadata, statement });

const FORK = 'https://git.example/mallory/repo';
const OTHER_COMMIT = 'f'.repeat(40);
const OTHER_RUN = '7d8f4c1e-0000-4000-8000-00000000beef';
const PR = 'pipelinesascode.tekton.dev';
const ANY = (chain: MemoryChain): string[] => [`ANY=${chain.origin}`];

const TRUSTED = ['oci://quay.io/konflux-ci/tekton-catalog/*'];
const FROM_ELSEWHERE = `oci:registry.example/mallory@${ONES}`;

/** The same tasks, each out of the catalog. */
const trusted = (tasks: readonly TestTask[]) =>
  tasks.map((task) => ({ ...task, bundle: `quay.io/konflux-ci/tekton-catalog/task-x@${ONES}` }));

const builds2 = (chain: MemoryChain, more: Partial<TestTask>) => change(good(chain), 'build-image-2', more);
const build3 = (chain: MemoryChain): TestTask => ({
  name: 'build-image-3',
  params: { BUILD_ARGS: buildArgsOf(chain) },
  results: { IMAGE_URL: chain.third?.image, IMAGE_DIGEST: chain.third?.digest },
});

const SOURCE_ATTACKS: readonly Attack[] = [
  {
    by: 'other tenant',
    name: 'a run that was built from a fork',
    documents: runOf({ materials: [gitMaterial(FORK)] }, (chain) =>
      change(good(chain), 'clone-repository', { results: { 'CHAINS-GIT_URL': FORK } }),
    ),
    options: { revision: REVISION, source: SOURCE },
    fails: 'source',
    says: FORK,
  },
  {
    by: 'pull-request author',
    name: 'a run that was built from another commit than the labels name',
    documents: runOf({ materials: [gitMaterial(SOURCE, OTHER_COMMIT)] }, (chain) =>
      change(good(chain), 'clone-repository', { results: { 'CHAINS-GIT_COMMIT': OTHER_COMMIT } }),
    ),
    options: { revision: REVISION },
    fails: 'source',
    says: OTHER_COMMIT,
  },
  {
    by: 'pull-request author',
    name: 'a run of a pull request',
    documents: runOf({ labels: { [`${PR}/event-type`]: 'pull_request', [`${PR}/pull-request`]: '7' } }),
    options: { revision: REVISION },
    fails: 'source',
    says: /pull request/,
  },
  {
    by: 'pull-request author',
    name: 'a run that a comment on a pull request started',
    documents: runOf({ annotations: { [`${PR}/pull-request`]: '7', [`${PR}/event-type`]: 'retest-all-comment' } }),
    fails: 'source',
    says: /pull request/,
  },
  {
    by: 'pull-request author',
    name: 'a run that a comment on a commit of a pull request started',
    documents: runOf({
      labels: { [`${PR}/event-type`]: 'push', [`${PR}/pull-request`]: '7' },
      annotations: { [`${PR}/event-type`]: 'retest-all-comment', [`${PR}/pull-request`]: '7' },
    }),
    fails: 'source',
    says: /pull-request: 7/,
  },
  {
    by: 'pull-request author',
    name: 'a run of a merge queue',
    documents: runOf({
      labels: { [`${PR}/event-type`]: 'push' },
      annotations: {
        [`${PR}/event-type`]: 'push',
        [`${PR}/source-branch`]: 'refs/heads/gh-readonly-queue/main/pr-7-ab',
      },
    }),
    fails: 'source',
    says: /gh-readonly-queue/,
  },
  {
    by: 'pull-request author',
    name: 'a run of a pull request that only its parameters tell',
    documents: runOf({ params: { 'output-image': `registry.example/app/image1:on-pr-${REVISION}` } }),
    fails: 'source',
    says: /on-pr-/,
  },
  {
    by: 'who may push another branch',
    name: 'a run of a push to another branch',
    documents: runOf({ annotations: { [`${PR}/event-type`]: 'push', [`${PR}/branch`]: 'refs/heads/other' } }),
    options: { revision: REVISION, branch: 'main' },
    fails: 'source',
    says: /refs\/heads\/other/,
  },
  {
    by: 'who may push another branch',
    name: 'a run of another branch that labels itself as of this one',
    documents: runOf({
      labels: { [`${PR}/event-type`]: 'push', [`${PR}/branch`]: 'main' },
      annotations: { [`${PR}/branch`]: 'other', 'build.appstudio.redhat.com/target_branch': 'main' },
    }),
    options: { branch: 'main' },
    fails: 'source',
    says: /other/,
  },
  {
    by: 'who may push another branch',
    name: 'a run of a tag that is called as the branch',
    documents: runOf({ annotations: { [`${PR}/branch`]: 'refs/tags/main' } }),
    options: { branch: 'main' },
    fails: 'source',
    says: /refs\/tags\/main/,
  },
  {
    by: 'who may push another branch',
    name: 'a run of a tag that is annotated as the branch, of Bitbucket Cloud',
    documents: runOf({ annotations: { [`${PR}/branch`]: 'main', [`${PR}/git-provider`]: 'bitbucket-cloud' } }),
    options: { branch: 'main' },
    fails: 'source',
    says: /may be a tag/,
  },
  {
    by: 'who may push another branch',
    name: 'a run that names no branch',
    documents: runOf({ labels: { [`${PR}/branch`]: 'main' } }),
    options: { branch: 'main' },
    fails: 'source',
    says: /names no branch/,
  },
  {
    by: 'who may push another branch',
    name: 'a run of the branch that a comment gave another commit',
    documents: runOf({
      labels: { [`${PR}/event-type`]: 'test-comment', [`${PR}/sha`]: OTHER_COMMIT },
      annotations: { [`${PR}/event-type`]: 'test-comment', [`${PR}/branch`]: 'main', [`${PR}/sha`]: OTHER_COMMIT },
    }),
    options: { branch: 'main' },
    fails: 'source',
    says: OTHER_COMMIT,
  },
  {
    by: 'pull-request author',
    name: 'a run of a push that a comment gave the commit of a pull request',
    documents: runOf({ annotations: { [`${PR}/event-type`]: 'retest-comment', [`${PR}/sha`]: OTHER_COMMIT } }),
    options: { revision: REVISION },
    fails: 'source',
    says: OTHER_COMMIT,
  },
  {
    by: 'other tenant',
    name: 'a run that names no source',
    documents: runOf({ materials: [] }, (chain) => without(good(chain), 'clone-repository')),
    fails: 'source',
    says: /names no git source/,
  },
  {
    by: 'sibling task',
    name: 'a second task that says it cloned what was asked for',
    documents: runOf({ materials: [gitMaterial(FORK), gitMaterial()] }, (chain) => [
      { name: 'clone', results: { 'CHAINS-GIT_URL': FORK, 'CHAINS-GIT_COMMIT': OTHER_COMMIT } },
      ...good(chain),
    ]),
    options: { source: SOURCE },
    fails: 'source',
    says: FORK,
  },
  {
    by: 'sibling task',
    name: 'a build of a source that no task of the run cloned',
    documents: runOf({}, (chain) =>
      builds2(chain, { params: { SOURCE_ARTIFACT: `oci:registry.example/mallory@${ZERO}` } }),
    ),
    fails: 'source',
    says: /mallory/,
  },
  {
    by: 'other tenant',
    name: 'files from elsewhere, passed on by a trusted task that was called with them',
    documents: runOf({}, (chain) =>
      trusted([
        ...builds2(chain, { params: { SOURCE_ARTIFACT: FROM_ELSEWHERE } }),
        {
          name: 'prefetch',
          params: { SOURCE_ARTIFACT: FROM_ELSEWHERE, input: '' },
          results: { SOURCE_ARTIFACT: FROM_ELSEWHERE, CACHI2_ARTIFACT: '' },
        },
      ]),
    ),
    options: { source: SOURCE, builderTasks: TRUSTED },
    fails: 'source',
    says: FROM_ELSEWHERE,
  },
  {
    by: 'other tenant',
    name: 'prefetched files from elsewhere, for trusted tasks',
    documents: runOf({}, (chain) => trusted(builds2(chain, { params: { CACHI2_ARTIFACT: FROM_ELSEWHERE } }))),
    options: { source: SOURCE, builderTasks: TRUSTED },
    fails: 'source',
    says: FROM_ELSEWHERE,
  },
  {
    by: 'other tenant',
    name: 'a Containerfile from elsewhere, for trusted tasks',
    documents: runOf({}, (chain) =>
      trusted(builds2(chain, { params: { DOCKERFILE: 'https://mallory.example/Containerfile' } })),
    ),
    options: { source: SOURCE, builderTasks: TRUSTED },
    fails: 'source',
    says: 'https://mallory.example/Containerfile',
  },
  {
    by: 'registry pusher',
    name: 'a revision that is no commit',
    images: {
      labels1: { 'org.opencontainers.image.revision': '$(touch x)' },
      labels2: () => ({ 'org.opencontainers.image.revision': '$(touch x)' }),
    },
    documents: runOf({}),
    fails: 'same-revision',
    says: /touch x/,
  },
];

const ARGUMENT_ATTACKS: readonly Attack[] = [
  {
    by: 'other tenant',
    name: 'the digest under a name that nobody reads',
    documents: runOf({}, (chain) =>
      builds2(chain, {
        params: { BUILD_ARGS: [`IMAGE1_DIGEST=${ONES}`, `IMAGE1_URL=${chain.image1}@${ONES}`, ...ANY(chain)] },
      }),
    ),
    fails: 'build-args',
    says: `IMAGE1_DIGEST=${ONES}`,
  },
  {
    by: 'other tenant',
    name: 'only the digest under a name that nobody reads',
    documents: runOf({}, (chain) => builds2(chain, { params: { BUILD_ARGS: ANY(chain) } })),
    fails: 'build-args',
    says: /ANY=/,
  },
  {
    by: 'other tenant',
    name: 'a url argument that names another digest',
    documents: runOf({}, (chain) =>
      builds2(chain, {
        params: { BUILD_ARGS: [`IMAGE1_DIGEST=${chain.origin}`, `IMAGE1_URL=${chain.image1}@${ONES}`] },
      }),
    ),
    fails: 'build-args',
    says: `@${ONES}`,
  },
  {
    by: 'other tenant',
    name: 'a further argument that names the embedded repository with another digest',
    documents: runOf({}, (chain) =>
      builds2(chain, { params: { BUILD_ARGS: [...buildArgsOf(chain), `BASE=${chain.image1}@${ONES}`] } }),
    ),
    fails: 'build-args',
    says: `BASE=`,
  },
  {
    by: 'other tenant',
    name: 'an argument given twice',
    documents: runOf({}, (chain) =>
      builds2(chain, { params: { BUILD_ARGS: [...buildArgsOf(chain), `IMAGE1_URL=${chain.image1}@${ONES}`] } }),
    ),
    fails: 'build-args',
    says: /twice/,
  },
  {
    by: 'other tenant',
    name: 'an argument whose name is no identifier',
    documents: runOf({}, (chain) =>
      builds2(chain, { params: { BUILD_ARGS: [...buildArgsOf(chain), `IMAGE1_DIGEST =${ONES}`] } }),
    ),
    fails: 'build-args',
    says: /identifier/,
  },
  {
    by: 'other tenant',
    name: 'an argument without a value, which the builder takes from its own environment',
    documents: runOf({}, (chain) =>
      builds2(chain, { params: { BUILD_ARGS: [...buildArgsOf(chain), 'IMAGE1_DIGEST'] } }),
    ),
    fails: 'build-args',
    says: /IMAGE1_DIGEST/,
  },
  ...[
    { ENV_VARS: [`IMAGE1_DIGEST=${ONES}`] },
    { LABELS: [`io.konflux.poc.primary-image.digest=${ONES}`] },
    { BUILD_ARGS_FILE: 'args' },
    { ANNOTATIONS: ['a=b'] },
    { ANNOTATIONS_FILE: 'annotations' },
    { ADDITIONAL_BUILD_ARGS: ['IMAGE1_DIGEST=x'] },
    { EXTRA_ARGS: '--build-arg IMAGE1_DIGEST=x' },
  ].map(
    (params): Attack => ({
      by: 'other tenant',
      name: `the parameter ${Object.keys(params)[0]} beside the arguments`,
      documents: runOf({}, (chain) => builds2(chain, { params })),
      fails: 'build-args',
      says: Object.keys(params)[0] ?? '',
    }),
  ),
];

const RUN_ATTACKS: readonly Attack[] = [
  {
    by: 'other tenant',
    name: 'an Image 1 that no task of the run built',
    documents: runOf({}, (chain) => without(good(chain), 'build-image-1')),
    fails: 'built-by',
    says: /no Succeeded task/,
  },
  {
    by: 'other tenant',
    name: 'an origin that no signed document knows',
    documents: (chain) => [
      at2(chain, provenanceV02([chain.sealed, chain.metadata], without(good(chain), 'build-image-1'))),
    ],
    fails: 'provenance',
    says: /does not name/,
  },
  {
    by: 'other tenant',
    name: 'a lone TaskRun that returns both digests',
    documents: (chain) => {
      const task: TestTask = { name: '', params: { BUILD_ARGS: ANY(chain) } };
      return [at2(chain, taskProvenanceV02(all(chain), task, { uid: OTHER_RUN }))];
    },
    fails: 'provenance',
    says: /of a PipelineRun/,
  },
  {
    by: 'other tenant',
    name: 'a lone TaskRun with the arguments as they ought to be (SLSA v1)',
    documents: (chain) => [
      at2(chain, taskProvenanceV1(all(chain), { name: 'x', params: { BUILD_ARGS: buildArgsOf(chain) } })),
    ],
    fails: 'provenance',
    says: /of a PipelineRun/,
  },
  {
    by: 'registry',
    name: "a TaskRun of another run, beside a run that lists no tasks and whose own TaskRuns' documents are hidden",
    documents: (chain) => [
      at2(chain, provenanceV1(all(chain), [], false)),
      at2(chain, taskProvenanceV1([chain.metadata], builds2(chain, {})[2] as TestTask, { uid: OTHER_RUN })),
    ],
    fails: 'built-by',
    says: /does not say how tasks were called/,
  },
  {
    by: 'other tenant',
    name: 'three images whose edges are in documents of two runs',
    images: { third: 'bundle' },
    documents: (chain) => [
      at2(chain, provenanceV02([chain.sealed, chain.origin, chain.metadata], good(chain))),
      {
        image: chain.third?.image ?? '',
        digest: chain.third?.digest ?? ZERO,
        statement: provenanceV02(
          [chain.sealed, chain.origin, chain.third?.digest ?? ZERO],
          [...without(good(chain), 'build-image-2', 'scan-image-2'), build3(chain)],
          { uid: OTHER_RUN },
        ),
      },
    ],
    fails: 'provenance',
    says: /one run/,
  },
  {
    by: 'sibling task',
    name: 'a build whose task failed',
    documents: runOf({}, (chain) => builds2(chain, { status: 'Failed' })),
    fails: 'built-by',
    says: /Failed/,
  },
  {
    by: 'sibling task',
    name: 'a result that merely ends in IMAGE_DIGEST',
    documents: runOf({}, (chain) => [
      ...without(good(chain), 'build-image-2'),
      { name: 'build-image-2', results: { IMAGE_DIGEST: chain.metadata } },
      {
        name: 'decoy',
        params: { BUILD_ARGS: buildArgsOf(chain) },
        results: { NOT_MY_IMAGE_DIGEST: chain.metadata },
      },
    ]),
    fails: 'build-args',
    says: /no BUILD_ARGS/,
  },
  {
    by: 'sibling task',
    name: 'another task with the right arguments beside a build without any',
    documents: runOf({}, (chain) => [
      ...without(good(chain), 'build-image-2'),
      { name: 'build-image-2', results: { IMAGE_URL: chain.image2, IMAGE_DIGEST: chain.metadata } },
      {
        name: 'decoy',
        params: { BUILD_ARGS: buildArgsOf(chain) },
        results: { IMAGE_URL: chain.image2, IMAGE_DIGEST: chain.metadata },
      },
    ]),
    fails: 'build-args',
    says: /no BUILD_ARGS/,
  },
  {
    by: 'other tenant',
    name: 'the builder of somebody else',
    documents: runOf({ builder: 'https://ci.example/v1' }),
    fails: 'builder',
    says: 'https://ci.example/v1',
  },
  {
    by: 'other tenant',
    name: 'a builder id that only begins as an allowed one',
    documents: runOf({ builder: 'https://tekton.dev/chains/v2/mallory' }),
    fails: 'builder',
    says: '/mallory',
  },
  {
    by: 'other tenant',
    name: 'a local run, where none was asked for',
    documents: runOf({ builder: 'https://tekton.dev/chains/v2#tekton-local' }),
    fails: 'builder',
    says: '#tekton-local',
  },
  {
    by: 'other tenant',
    name: 'a build type of somebody else',
    documents: runOf({ buildType: 'https://example.com/PipelineRun' }),
    fails: 'builder',
    says: 'https://example.com/PipelineRun',
  },
  {
    by: 'other tenant',
    name: 'a look-alike of the build task, defined in the run itself, where a bundle was asked for',
    documents: runOf({}),
    options: { builderTasks: TRUSTED },
    fails: 'built-by',
    says: /defined in the run itself/,
  },
  {
    by: 'other tenant',
    name: 'a build task from a bundle of another catalog',
    documents: runOf({}, (chain) =>
      good(chain).map((task) => ({
        ...task,
        bundle: `quay.io/mallory/tekton-catalog/task-x${ZERO.replace('sha', '@sha')}`,
      })),
    ),
    options: { builderTasks: TRUSTED },
    fails: 'built-by',
    says: /mallory/,
  },
  {
    by: 'other tenant',
    name: 'a cloning look-alike beside trusted build tasks',
    documents: runOf({}, (chain) =>
      good(chain).map((task) =>
        task.name.startsWith('build')
          ? { ...task, bundle: `quay.io/konflux-ci/tekton-catalog/task-buildah${ZERO.replace('sha', '@sha')}` }
          : task,
      ),
    ),
    options: { builderTasks: TRUSTED },
    fails: 'source',
    says: /clone-repository/,
  },
  {
    by: 'scanner component',
    name: "a scanner's run that hands an image on, without the run that built it",
    documents: (chain) => [
      at2(
        chain,
        provenanceV02(
          [chain.metadata],
          [
            {
              name: 'extract-image-2',
              params: { IMAGE: `${chain.image1}:${REVISION}` },
              results: { IMAGE_URL: chain.image2, IMAGE_DIGEST: chain.metadata },
            },
          ],
          { uid: OTHER_RUN },
        ),
      ),
    ],
    fails: 'provenance',
    says: /does not name/,
  },
  {
    by: 'registry pusher',
    name: 'images that name each other, and no signature of the build system',
    documents: () => [],
    fails: 'provenance',
    says: /of a PipelineRun/,
  },
];

const IMAGE_ATTACKS: readonly Attack[] = [
  {
    by: 'base image',
    name: 'a second pair of variable and label that names Image 1 with another digest',
    images: {
      labels2: ({ origin, image1 }) => ({
        'io.konflux.poc.primary-image.digest': ONES,
        'io.konflux.poc.primary-image.url': `${image1}@${ONES}`,
        'io.konflux.poc.x-image.digest': origin,
        'io.konflux.poc.x-image.url': `${image1}@${origin}`,
      }),
      env2: ({ origin, image1 }) => [
        `IMAGE1_DIGEST=${ONES}`,
        `IMAGE1_URL=${image1}@${ONES}`,
        `X_DIGEST=${origin}`,
        `X_URL=${image1}@${origin}`,
      ],
    },
    documents: runOf({}, (chain) =>
      builds2(chain, { params: { BUILD_ARGS: [`X_DIGEST=${chain.origin}`, `X_URL=${chain.image1}@${chain.origin}`] } }),
    ),
    fails: 'embeds-origin',
    says: ONES,
  },
  {
    by: 'base image',
    name: 'a second pair of variables alone',
    images: {
      env2: ({ origin, image1 }) => [
        `IMAGE1_DIGEST=${origin}`,
        `IMAGE1_URL=${image1}@${origin}`,
        `OLD_DIGEST=${ONES}`,
        `OLD_URL=${image1}@${ONES}`,
      ],
    },
    documents: runOf({}),
    fails: 'embeds-origin',
    says: ONES,
  },
  {
    by: 'base image',
    name: 'a second pair of labels alone',
    images: {
      labels2: ({ image1 }) => ({
        'io.konflux.poc.old-image.digest': ONES,
        'io.konflux.poc.old-image.url': `${image1}@${ONES}`,
      }),
    },
    documents: runOf({}),
    fails: 'embeds-origin',
    says: ONES,
  },
  {
    by: 'base image',
    name: 'a label vcs-ref that contradicts the revision',
    images: { labels2: () => ({ 'vcs-ref': OTHER_COMMIT }) },
    documents: runOf({}),
    fails: 'same-revision',
    says: OTHER_COMMIT,
  },
];

const ATTACKS: readonly Attack[] = [...SOURCE_ATTACKS, ...ARGUMENT_ATTACKS, ...RUN_ATTACKS, ...IMAGE_ATTACKS];

async function prove({
  images,
  documents,
  options,
}: Pick<Attack, 'images' | 'documents' | 'options'>): Promise<Verification> {
  const registry = memoryRegistry();
  const chain = await memoryChain(registry, 'app', images);
  await signChain(registry, chain, signer, documents(chain));
  const reference = parseReference(`${chain.image1}:${REVISION}`);
  return verify(registry, reference, { ...options, keys: signer.keys });
}

describe('an honest chain', () => {
  it.each<[string, Pick<Attack, 'images' | 'documents' | 'options'>]>([
    ['of a push', { documents: runOf({}), options: { revision: REVISION, source: SOURCE } }],
    [
      'of a push that merged a pull request',
      {
        documents: runOf({
          labels: { [`${PR}/event-type`]: 'push', [`${PR}/pull-request`]: '7' },
          annotations: { [`${PR}/event-type`]: 'push', [`${PR}/pull-request`]: '7' },
        }),
        options: { revision: REVISION, source: SOURCE },
      },
    ],
    [
      'of a push to the branch that was asked for',
      {
        documents: runOf({ annotations: { [`${PR}/event-type`]: 'push', [`${PR}/branch`]: 'refs/heads/main' } }),
        options: { branch: 'main' },
      },
    ],
    [
      'of a comment on a commit of that branch',
      {
        documents: runOf({ annotations: { [`${PR}/event-type`]: 'test-all-comment', [`${PR}/branch`]: 'main' } }),
        options: { branch: 'refs/heads/main' },
      },
    ],
    [
      'of three images',
      {
        images: { third: 'bundle' },
        documents: runOf({}, (chain) => [...good(chain), build3(chain)]),
      },
    ],
    ['in SLSA v1', { documents: (chain) => [at1(chain, provenanceV1(all(chain), good(chain)))] }],
    [
      'of a pull request, where that was allowed',
      {
        documents: runOf({ labels: { [`${PR}/pull-request`]: '7' } }),
        options: { allowPullRequest: true },
      },
    ],
    [
      'by trusted tasks, of which one passes on the files that it was called with',
      {
        documents: runOf({}, (chain) => {
          const [clone] = good(chain);
          const files = { SOURCE_ARTIFACT: clone?.results?.SOURCE_ARTIFACT };
          const prefetch = {
            name: 'prefetch',
            params: { ...files, input: '' },
            results: { ...files, CACHI2_ARTIFACT: '' },
          };
          return trusted([
            ...builds2(chain, { params: { CACHI2_ARTIFACT: '', DOCKERFILE: './Containerfile' } }),
            prefetch,
          ]);
        }),
        options: { source: SOURCE, builderTasks: TRUSTED },
      },
    ],
    [
      'of a local run, where that was allowed',
      {
        documents: runOf({ builder: 'https://tekton.dev/chains/v2#tekton-local' }),
        options: { builders: ['https://tekton.dev/chains/v2#tekton-local'] },
      },
    ],
  ])('is attested: %s', async (_, scenario) => {
    const proof = await prove(scenario);
    expect(proof.checks.filter(({ status, id }) => status !== 'passed' && id !== 'chain-statement')).toEqual([]);
    expect(proof.level).toBe('attested');
  });
});

describe('not attested', () => {
  it.each(ATTACKS.map((attack) => [`${attack.by}: ${attack.name}`, attack] as const))('%s', async (_, attack) => {
    const proof = await prove(attack);
    expect(proof.level).not.toBe('attested');
    const failed = proof.checks.filter(({ status, evidence }) => status !== 'passed' && !evidence.startsWith('needs '));
    expect(failed.map(({ id }) => id)).toContain(attack.fails);
    const told = failed
      .filter(({ id }) => id === attack.fails)
      .map(({ evidence, expected, found, hint }) => [evidence, expected, found, hint].join('\n'))
      .join('\n');
    if (attack.says instanceof RegExp) expect(told).toMatch(attack.says);
    else expect(told).toContain(attack.says);
  });
});

/** The rows of docs/digest-chain.md, "Who can do what". */
function tableOf(attacks: readonly Attack[]): string {
  const rows = ATTACKERS.flatMap((by) =>
    attacks.filter((attack) => attack.by === by).map(({ name, fails }) => `| ${by} | ${name} | \`${fails}\` |`),
  );
  return [
    '| who | with what, validly signed or not signed at all | what does not pass |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n');
}

it('is told in the docs, attack by attack', () => {
  const docs = readFileSync(new URL('../../../../docs/digest-chain.md', import.meta.url), 'utf8');
  expect(docs).toContain(tableOf(ATTACKS));
});
