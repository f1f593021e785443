import type { Chain } from '../chain/chain.ts';
import type { Pins } from '../pins/pins.ts';
import { noted, type Yaml, type YamlMap } from '../yaml/write.ts';
import { param, resources, STEP_TEMPLATE, WORKDIR, WORKDIR_VOLUME } from './wiring.ts';

const VERSION = '0.1';
const SOURCE = `${WORKDIR}/source`;

const IMAGE_RESULTS: readonly YamlMap[] = [
  { name: 'IMAGE_URL', description: 'The image: repository and tag' },
  { name: 'IMAGE_DIGEST', description: 'Its digest' },
];

/** The Task that seals an image, publishes it under the tag of its revision, and proves the link. */
export function labelImage(chain: Chain, pins: Pins): YamlMap {
  return task(
    'label-image',
    'Seals an image with the digests of the images that embed it, and verifies the chain',
    [
      { name: 'SOURCE_ARTIFACT', type: 'string', description: 'The source, as a trusted artifact' },
      { name: 'ORIGIN', type: 'string', description: 'The image to seal, with its digest' },
      { name: 'LINKS', type: 'array', description: 'The images that embed it: role=reference, with digests' },
      { name: 'IMAGE', type: 'string', description: 'Repository and tag to publish the sealed image under' },
      {
        name: 'REVISION',
        type: 'string',
        description: 'The commit that every image of the chain has to be built from',
      },
      { name: 'LABEL_PREFIX', type: 'string', description: 'Prefix of the labels' },
    ],
    [
      useSource(pins),
      digestChain(chain, pins, 'seal', [
        'seal',
        `--tag=${param('IMAGE')}`,
        `--prefix=${param('LABEL_PREFIX')}`,
        '--result-url=$(results.IMAGE_URL.path)',
        '--result-digest=$(results.IMAGE_DIGEST.path)',
        '--',
        param('ORIGIN'),
        '$(params.LINKS[*])',
      ]),
      digestChain(chain, pins, 'verify', [
        'verify',
        `--revision=${param('REVISION')}`,
        `--prefix=${param('LABEL_PREFIX')}`,
        '--',
        param('IMAGE'),
      ]),
    ],
  );
}

/** The Task that waits for a sealed image, verifies it, and answers with one image that it links to. */
export function extractImage(chain: Chain, pins: Pins): YamlMap {
  return task(
    'extract-image',
    'Waits for a sealed image, verifies the chain, and hands out one image that it links to',
    [
      { name: 'SOURCE_ARTIFACT', type: 'string', description: 'The source, as a trusted artifact' },
      { name: 'IMAGE', type: 'string', description: 'The sealed image to wait for: repository and revision tag' },
      { name: 'ROLE', type: 'string', description: 'Which of the linked images to hand out' },
      { name: 'REVISION', type: 'string', description: 'The commit that both images have to be built from' },
      { name: 'DEADLINE', type: 'string', description: 'How long to wait' },
      { name: 'LABEL_PREFIX', type: 'string', description: 'Prefix of the labels' },
    ],
    [
      useSource(pins),
      digestChain(chain, pins, 'extract', [
        'extract',
        '--wait',
        `--deadline=${param('DEADLINE')}`,
        `--role=${param('ROLE')}`,
        `--prefix=${param('LABEL_PREFIX')}`,
        `--revision=${param('REVISION')}`,
        '--result-url=$(results.IMAGE_URL.path)',
        '--result-digest=$(results.IMAGE_DIGEST.path)',
        '--',
        param('IMAGE'),
      ]),
    ],
  );
}

function task(name: string, description: string, params: readonly YamlMap[], steps: readonly YamlMap[]): YamlMap {
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'Task',
    metadata: { name, labels: { 'app.kubernetes.io/version': VERSION } },
    spec: {
      description,
      params,
      results: IMAGE_RESULTS,
      stepTemplate: STEP_TEMPLATE,
      steps,
      volumes: [WORKDIR_VOLUME],
    },
  };
}

function useSource(pins: Pins): YamlMap {
  return {
    name: 'use-trusted-artifact',
    image: pins.images['trusted-artifacts'],
    args: ['use', `${param('SOURCE_ARTIFACT')}=${SOURCE}`],
    computeResources: resources('256Mi', '50m'),
  };
}

function digestChain(chain: Chain, pins: Pins, name: string, args: readonly Yaml[]): YamlMap {
  return {
    name,
    image: pins.images.node,
    command: noted('The reviewed source itself, without a shell: parameters are arguments and never code.', [
      'node',
      `${SOURCE}/${chain.digestChain}`,
    ]),
    args,
    computeResources: resources('512Mi', '100m'),
  };
}
