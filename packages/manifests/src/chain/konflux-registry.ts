import { isPlaceholder } from './placeholders.ts';
import type { ChainPlan, PlannedImage } from './plan.ts';

/**
 * The image's repository below the organisation, as Konflux names it. Its image controller puts the namespace in front
 * where that is missing, and writes it back: another name would be taken for a change at the next apply.
 */
export function konfluxName(
  { repository }: Pick<PlannedImage, 'repository'>,
  { namespace }: Pick<ChainPlan, 'namespace'>,
): string {
  const [, , ...below] = repository.split('/');
  return [...(below[0] === namespace ? [] : [namespace]), ...below].join('/');
}

/** What `registry` should be, where Konflux makes the repositories elsewhere than the config says. */
export function findOtherRegistry(chain: ChainPlan): string | undefined {
  const { registry, namespace, images, imageRepositories } = chain;
  const [host, organisation, ...below] = registry.split('/');
  if (imageRepositories === 'own' || isPlaceholder(registry) || isPlaceholder(namespace)) return undefined;
  const isThere = (image: PlannedImage): boolean =>
    image.repository === [host, organisation, konfluxName(image, chain)].join('/');
  return images.every(isThere) ? undefined : [host, organisation, namespace, ...below].join('/');
}
