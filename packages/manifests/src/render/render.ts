import type { ChainPlan } from '../chain/plan.ts';
import type { Pins } from '../pins.ts';
import type { YamlMap } from '../yaml/write.ts';
import { extract, extractPipeline } from './extract.ts';
import { renderFile } from './header.ts';
import {
  application,
  component,
  imageRepository,
  integrationTestScenario,
  serviceAccount,
  verifiedScanners,
} from './konflux.ts';
import { extractImage, labelImage, linkImage } from './own-tasks.ts';
import { pipelineRun } from './pipeline-run.ts';
import { unifiedBuild } from './unified-build.ts';
import { verifyChain } from './verify-chain.ts';
import { isEmbedded } from './wiring.ts';

/** A file to write: its path from the folder of the config, and its bytes. */
export interface RenderedFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Renders every file that Konflux needs for a chain. The same chain and pins give the same bytes everywhere.
 *
 * @param folder Where the files will be in the repository: empty for its root, or with a slash at its end.
 */
export function render(chain: ChainPlan, pins: Pins, folder = ''): RenderedFile[] {
  const file = (path: string, what: string, ...documents: YamlMap[]): RenderedFile => ({
    path,
    text: renderFile(what, documents),
  });
  const scanned = chain.images.slice(1).filter((image) => image.component !== undefined);
  const components = [chain.primary, ...scanned];
  const verified = verifiedScanners(chain);
  return [
    ...components.flatMap((image) =>
      (['push', 'pull-request'] as const).map((event) =>
        file(
          `.tekton/${image.component}-${event}.yaml`,
          image === chain.primary
            ? `Builds the chain on a ${event.replace('-', ' ')}.`
            : `Hands the ${image.role} image to Konflux on a ${event.replace('-', ' ')}.`,
          pipelineRun(image, event, chain, folder),
        ),
      ),
    ),
    file(
      'pipeline/unified-build.yaml',
      'Builds all images of the chain, links and publishes them.',
      unifiedBuild(chain, pins),
    ),
    ...scanned.map((image) =>
      file(
        `pipeline/${extractPipeline(image)}.yaml`,
        `Hands the ${image.role} image to Konflux.`,
        extract(image, chain, pins),
      ),
    ),
    ...(chain.images.some(isEmbedded)
      ? [
          chain.seal === 'label'
            ? file('pipeline/tasks/label-image.yaml', 'Seals an image and proves the link.', labelImage(chain, pins))
            : file(
                'pipeline/tasks/link-image.yaml',
                'Links an image by referrer and proves the link.',
                linkImage(chain, pins),
              ),
        ]
      : []),
    ...(scanned.length > 0
      ? [
          file(
            'pipeline/tasks/extract-image.yaml',
            'Waits for a sealed image and hands out one that it links to.',
            extractImage(chain, pins),
          ),
        ]
      : []),
    file(
      'konflux/application.yaml',
      'Groups the components: they are tested and released together.',
      application(chain),
    ),
    file(
      'konflux/components.yaml',
      'One component for each image that Konflux tests, scans and releases.',
      ...components.map((image) => component(image, chain)),
    ),
    ...(chain.imageRepositories === 'konflux'
      ? [
          file(
            'konflux/image-repositories.yaml',
            'Konflux makes these repositories, and a secret to push for each.',
            ...chain.images.map((image) => imageRepository(image, chain)),
          ),
        ]
      : []),
    ...accounts(components.map((image) => serviceAccount(image, chain))),
    ...(verified.length > 0
      ? [
          file('pipeline/verify-chain.yaml', 'Proves the chain that a Snapshot holds.', verifyChain(chain, pins)),
          file(
            'konflux/integration-tests.yaml',
            'Every Snapshot of a scanner is verified before it can be released.',
            ...verified.map((image) => integrationTestScenario(image, chain, folder)),
          ),
        ]
      : []),
  ];

  function accounts(documents: YamlMap[]): RenderedFile[] {
    const linked = documents.filter(({ secrets }) => Array.isArray(secrets) && secrets.length > 0);
    const what = [
      'Links the secrets that a pipeline needs beyond that of its own image repository.',
      'Apply it server-side: it adds to accounts that Konflux makes, and takes nothing away.',
    ];
    return linked.length === 0 ? [] : [file('konflux/service-accounts.yaml', what.join('\n'), ...linked)];
  }
}
