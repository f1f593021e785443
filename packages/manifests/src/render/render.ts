import type { Chain } from '../chain/chain.ts';
import type { Pins } from '../pins/pins.ts';
import { writeYaml, type YamlMap } from '../yaml/write.ts';
import { extract, extractPipeline } from './extract.ts';
import { header } from './header.ts';
import { extractImage, labelImage } from './own-tasks.ts';
import { pipelineRun } from './pipeline-run.ts';
import { unifiedBuild } from './unified-build.ts';
import { isSealed } from './wiring.ts';

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
export function render(chain: Chain, pins: Pins, folder = ''): RenderedFile[] {
  const file = (path: string, what: string, ...documents: YamlMap[]): RenderedFile => ({
    path,
    text: writeYaml(header(what), documents),
  });
  const scanned = chain.images.slice(1).filter((image) => image.component !== undefined);
  const components = [chain.primary, ...scanned];
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
    ...(chain.images.some(isSealed)
      ? [file('pipeline/tasks/label-image.yaml', 'Seals an image and proves the link.', labelImage(chain, pins))]
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
  ];
}
