import type { ChainPlan, PlannedImage } from './plan.ts';

/** Where a chain is built instead of where its config says. */
export interface Retarget {
  /** Registry and organisation, in place of the config's; a port is allowed here, since Konflux never sees it. */
  readonly registry?: string | undefined;
  readonly gitUrl?: string | undefined;
  readonly namespace?: string | undefined;
}

/**
 * The same chain elsewhere: its images in another registry, its source in another repository, its runs in another
 * namespace. The chain that is given stays as it is.
 */
export function retarget(chain: ChainPlan, { registry = chain.registry, ...where }: Retarget): ChainPlan {
  const images = new Map(
    chain.images.map((image) => {
      const repository = registry + image.repository.slice(chain.registry.length);
      return [image, { ...image, repository, embeds: [] as PlannedImage[], embeddedBy: [] as PlannedImage[] }];
    }),
  );
  const moved = (image: PlannedImage): PlannedImage => {
    const found = images.get(image);
    if (found === undefined) throw new RangeError(`no image ${image.role} in this chain`);
    return found;
  };
  for (const [image, draft] of images) {
    draft.embeds.push(...image.embeds.map(moved));
    draft.embeddedBy.push(...image.embeddedBy.map(moved));
  }
  return {
    ...chain,
    registry,
    gitUrl: where.gitUrl ?? chain.gitUrl,
    namespace: where.namespace ?? chain.namespace,
    images: chain.images.map(moved),
    primary: moved(chain.primary),
    buildOrder: chain.buildOrder.map(moved),
  };
}
