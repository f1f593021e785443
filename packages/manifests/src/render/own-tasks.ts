import type { ChainPlan } from '../chain/plan.ts';
import type { Pins } from '../pins.ts';
import { noted, type YamlMap } from '../yaml/write.ts';
import { declareKey, KEY_VARIABLE } from './demands.ts';
import {
  declare,
  param,
  params,
  resources,
  result,
  STEP_TEMPLATE,
  TEKTON_HOME,
  WORKDIR,
  WORKDIR_VOLUME,
} from './wiring.ts';

/** Of the tasks' params and results: what a release policy may constrain of a bundle of them. */
export const OWN_TASKS_VERSION: string = '0.1';
const SOURCE = `${WORKDIR}/source`;

/** Where the runner image has digest-chain's command. */
export const RUNNER_PROGRAM: string = '/opt/digest-chain/dist/digest-chain.mjs';

/**
 * Whose digest-chain a task runs: that of the source under test, by the path of its command there, or that of a runner
 * image, which whoever changes the source can't change along with it.
 */
export type DigestChainFrom = { readonly source: string } | { readonly runner: string };

/** Of the chain's own tasks, as the config says. */
export function digestChainFrom({ ownTasks, digestChain }: ChainPlan): DigestChainFrom {
  return ownTasks === 'source' ? { source: digestChain } : { runner: ownTasks.runner };
}

/** What a pipeline calls one of them by: its name, for Pipelines as Code to put it into the run, or the bundle. */
export function ownTaskRef(name: string, { ownTasks }: ChainPlan): YamlMap {
  if (ownTasks === 'source') return { name };
  return { resolver: 'bundles', params: params({ name, bundle: ownTasks.bundle, kind: 'task' }) };
}

/** What gives one of them the source; nothing where it needs none. */
export function sourceArtifact({ ownTasks }: ChainPlan): string | undefined {
  return ownTasks === 'source' ? result('clone-repository', 'SOURCE_ARTIFACT') : undefined;
}

const IMAGE_RESULTS: readonly YamlMap[] = [
  { name: 'IMAGE_URL', description: 'The image: repository and tag' },
  { name: 'IMAGE_DIGEST', description: 'Its digest' },
];

/** By this name Chains signs them, too, and Conforma asks for the signature of each image of an index. */
const IMAGES_RESULT = {
  name: 'IMAGES',
  description: 'Of an index: its images by digest, with commas between. None where it is no index',
};

const SBOM_RESULT = {
  name: 'SBOM_BLOB_URL',
  description: 'Where its SBOM is: repository and digest of the document. None where it has none',
};
const SBOM_ARGUMENT = '--result-sbom=$(results.SBOM_BLOB_URL.path)';

const FILES = {
  name: 'FILES',
  type: 'array',
  description: 'Which files of these images name what they embed, as options of digest-chain verify',
  default: [],
};

const LINK_PARAMS = [
  declare('ORIGIN', 'The image as it was built, with its digest'),
  { name: 'LINKS', type: 'array', description: 'The images that embed it: role=reference, with digests' },
  declare('IMAGE', 'Repository and tag to publish the linked image under'),
  declare('REVISION', 'The commit that every image of the chain has to be built from'),
  declare('LABEL_PREFIX', 'Prefix of the labels'),
  FILES,
];

/** The Task that seals an image, publishes it under the tag of its revision, and proves the link. */
export function labelImage(from: DigestChainFrom, pins: Pins): YamlMap {
  return task(from, pins, 'label-image', {
    description: 'Seals an image with the digests of the images that embed it, and verifies the chain',
    params: LINK_PARAMS,
    results: [...IMAGE_RESULTS, IMAGES_RESULT, SBOM_RESULT],
    steps: [
      digestChain(from, pins, 'seal', [
        ...LINK_ARGUMENTS,
        ...RESULT_ARGUMENTS,
        '--result-images=$(results.IMAGES.path)',
        SBOM_ARGUMENT,
        '--',
        ...LINK_IMAGES,
      ]),
      verifyStep(from, pins, ['--digest-from=$(results.IMAGE_DIGEST.path)', '--', param('IMAGE')]),
    ],
  });
}

/**
 * The Task that links an image without changing it. It has no image results: the build's digest is the released one,
 * and what puts out an image result counts as its builder.
 */
export function linkImage(from: DigestChainFrom, pins: Pins): YamlMap {
  return task(from, pins, 'link-image', {
    description: 'Links an image to the images that embed it by a chain statement, and verifies the chain',
    params: [
      ...LINK_PARAMS,
      {
        name: 'EXTERNAL',
        type: 'array',
        description: 'Images that were built elsewhere and that these embed, as options of digest-chain link',
        default: [],
      },
    ],
    steps: [
      digestChain(from, pins, 'link', [...LINK_ARGUMENTS, '$(params.EXTERNAL[*])', '--', ...LINK_IMAGES]),
      verifyStep(from, pins, ['--', param('ORIGIN')]),
    ],
  });
}

/**
 * The Task that finds an image which was built elsewhere. Its results are not called as those of an image: what puts such
 * out counts as its builder, and gets signed.
 */
export function resolveImage(from: DigestChainFrom, pins: Pins): YamlMap {
  return task(from, pins, 'resolve-image', {
    description: 'Finds the digest of an image that was built elsewhere, and that it is there',
    params: [
      declare('IMAGE', 'The image: by tag, by digest, or by a tag that has to be that digest'),
      declare('ROLE', 'Its part in the chain'),
    ],
    results: [
      { name: 'DIGEST', description: 'Its digest' },
      { name: 'URL', description: 'Its repository and digest' },
      { name: 'REFERENCE', description: 'The same, with its tag' },
    ],
    steps: [
      digestChain(from, pins, 'resolve', [
        ...['digest', 'url', 'reference'].map((name) => `--result-${name}=$(results.${name.toUpperCase()}.path)`),
        '--',
        `${param('ROLE')}=${param('IMAGE')}`,
      ]),
    ],
  });
}

const LINK_IMAGES = [param('ORIGIN'), '$(params.LINKS[*])'];
const RESULT_ARGUMENTS = ['--result-url=$(results.IMAGE_URL.path)', '--result-digest=$(results.IMAGE_DIGEST.path)'];
const LINK_ARGUMENTS = [`--tag=${param('IMAGE')}`, `--prefix=${param('LABEL_PREFIX')}`];

/** Proves the digest that the step before returned, not what its tag names by now. */
function verifyStep(from: DigestChainFrom, pins: Pins, image: readonly string[]): YamlMap {
  const options = [`--revision=${param('REVISION')}`, `--prefix=${param('LABEL_PREFIX')}`];
  return digestChain(from, pins, 'verify', [...options, '$(params.FILES[*])', ...image]);
}

/** The Task that waits for a sealed image, verifies it, and answers with one image that it links to. */
export function extractImage(from: DigestChainFrom, pins: Pins): YamlMap {
  return task(from, pins, 'extract-image', {
    description: 'Waits for an image of a chain, verifies the chain, and hands out one image that it links to',
    params: [
      declare('IMAGE', 'The image to wait for: repository and revision tag'),
      declare('ROLE', 'Which of the linked images to hand out'),
      declare('REVISION', 'The commit that both images have to be built from'),
      declare('DEADLINE', 'How long to wait'),
      declare('LABEL_PREFIX', 'Prefix of the labels'),
      ...declareKey('PUBLIC_KEY', 'DEMANDS'),
      FILES,
    ],
    results: [
      ...IMAGE_RESULTS,
      SBOM_RESULT,
      { name: 'PROOF', description: 'How far the chain was proved, and what is not known' },
    ],
    steps: [
      {
        ...digestChain(from, pins, 'extract', [
          '--wait',
          `--deadline=${param('DEADLINE')}`,
          `--role=${param('ROLE')}`,
          `--prefix=${param('LABEL_PREFIX')}`,
          `--revision=${param('REVISION')}`,
          ...RESULT_ARGUMENTS,
          SBOM_ARGUMENT,
          '--result-proof=$(results.PROOF.path)',
          '$(params.DEMANDS[*])',
          '$(params.FILES[*])',
          '--',
          param('IMAGE'),
        ]),
        env: params({ [KEY_VARIABLE]: param('PUBLIC_KEY') }),
      },
    ],
  });
}

function task(from: DigestChainFrom, pins: Pins, name: string, spec: TaskSpec): YamlMap {
  const inSource = 'source' in from;
  const source = inSource ? [declare('SOURCE_ARTIFACT', 'The source, as a trusted artifact')] : [];
  const { params: own, results, steps, description } = spec;
  return ownTask(name, {
    description,
    params: [...source, ...own],
    results,
    stepTemplate: STEP_TEMPLATE,
    steps: [...(inSource ? [useSource(pins)] : []), ...steps],
    volumes: [WORKDIR_VOLUME],
  });
}

/** A Task of the chain's own. */
export function ownTask(name: string, spec: YamlMap): YamlMap {
  const metadata = { name, labels: { 'app.kubernetes.io/version': OWN_TASKS_VERSION } };
  return { apiVersion: 'tekton.dev/v1', kind: 'Task', metadata, spec };
}

interface TaskSpec {
  readonly description: string;
  readonly params: readonly YamlMap[];
  readonly results?: readonly YamlMap[];
  readonly steps: readonly YamlMap[];
}

function useSource(pins: Pins): YamlMap {
  return {
    name: 'use-trusted-artifact',
    image: pins.images['trusted-artifacts'],
    args: ['use', `${param('SOURCE_ARTIFACT')}=${SOURCE}`],
    env: noted("The image has no home for this user; into this one Tekton puts the registry's credentials.", [
      { name: 'HOME', value: TEKTON_HOME },
    ]),
    computeResources: resources('256Mi', '50m'),
  };
}

/** A step that runs digest-chain, without a shell: parameters are arguments and never code. */
export function digestChain(from: DigestChainFrom, pins: Pins, verb: string, args: readonly string[]): YamlMap {
  const inSource = 'source' in from;
  return {
    name: verb,
    image: inSource ? pins.images.node : from.runner,
    command: inSource
      ? noted('The reviewed source itself, without a shell: parameters are arguments and never code.', [
          'node',
          `${SOURCE}/${from.source}`,
        ])
      : noted('Without a shell: parameters are arguments and never code.', ['node', RUNNER_PROGRAM]),
    args: [verb, ...args],
    computeResources: resources('512Mi', '100m'),
  };
}
