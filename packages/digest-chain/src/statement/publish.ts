import type { Digest } from '../digest.ts';
import type { Registry } from '../registry/registry.ts';
import { attachStatement } from './attach.ts';
import { chainOf, publishedImages, subjectsOf } from './of-images.ts';

/** Attaches the statement about an image and the images that embed it, as they are published, to all of them. */
export function publishStatement(
  registry: Registry,
  images: Parameters<typeof publishedImages>,
  pipelineRun: string | undefined,
): Promise<readonly Digest[]> {
  const published = publishedImages(...images);
  return attachStatement(registry, chainOf(published, pipelineRun), subjectsOf(published));
}
