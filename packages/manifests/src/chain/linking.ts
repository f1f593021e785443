import type { PlannedExternal } from './external.ts';
import type { ChainPlan, PlannedImage } from './plan.ts';

/** Whether another image has this one's digest inside. */
export const isEmbedded = (image: PlannedImage): boolean => image.embeddedBy.length > 0;

/** Whether labels make another image of it than what was built. */
export const isSealed = (image: PlannedImage): boolean => isEmbedded(image) && image.seal === 'label';

/**
 * The image that carries the statement of those that it is connected with by embedding, and is published after it: the
 * first that is linked by referrer. None where all are linked by labels, or not at all.
 */
export function anchorOf(image: PlannedImage, chain: ChainPlan): PlannedImage | undefined {
  const connected = connectedWith(image, chain);
  return chain.buildOrder.find((other) => connected.has(other) && isEmbedded(other) && other.seal === 'referrer');
}

/** Every image that it embeds or is embedded by, or that embeds the same external one, through whichever others; and itself. */
function connectedWith(image: PlannedImage, { images }: ChainPlan): ReadonlySet<PlannedImage> {
  const found = new Set([image]);
  for (const { embeds, embeddedBy, embedsExternal } of found) {
    const beside = images.filter((other) => other.embedsExternal.some((each) => embedsExternal.includes(each)));
    for (const other of [...embeds, ...embeddedBy, ...beside]) found.add(other);
  }
  return found;
}

/** The external images that the statement of an image names. */
export function externalOf({ image, by, linked }: Linking): readonly PlannedExternal[] {
  return by === 'label' ? [] : [...new Set([image, ...linked].flatMap(({ embedsExternal }) => embedsExternal))];
}

/** What a task of our own links: an image to those that embed it, or to all that it is connected with. */
export interface Linking {
  readonly image: PlannedImage;
  readonly by: 'label' | 'referrer';
  readonly linked: readonly PlannedImage[];
}

/** How the chain's images are linked, each after those that it waits for. */
export function linkingsOf(chain: ChainPlan): readonly Linking[] {
  const labelled = chain.buildOrder.filter(isSealed).reverse();
  const anchors = new Set(chain.images.flatMap((image) => anchorOf(image, chain) ?? []));
  return [
    ...labelled.map((image) => ({ image, by: 'label' as const, linked: image.embeddedBy })),
    ...[...anchors].map((image) => {
      const connected = connectedWith(image, chain);
      const linked = chain.images.filter((other) => other !== image && connected.has(other));
      return { image, by: 'referrer' as const, linked };
    }),
  ];
}

/** Where a proof of the whole chain starts: every image that links to others, after those that lead to it. */
export function startsOf(chain: ChainPlan): readonly PlannedImage[] {
  const linkings = linkingsOf(chain);
  const labelled = linkings.filter(({ by }) => by === 'label').map(({ image }) => image);
  const anchors = linkings.filter(({ by }) => by === 'referrer').map(({ image }) => image);
  return [...labelled.reverse(), ...anchors];
}

/**
 * The image from which a scanner finds its own: the first of those it embeds that is linked to it by labels, else the one
 * that carries the statement of both.
 */
export function entryImage(image: PlannedImage, chain: ChainPlan): PlannedImage {
  const entry = findEntry(image, chain);
  if (entry !== undefined) return entry;
  throw new RangeError(`unchecked config: nothing links to ${image.role}`);
}

/** The same; undefined where nothing leads to the image. */
export function findEntry(image: PlannedImage, chain: ChainPlan): PlannedImage | undefined {
  const linked = image.embeds.find((embedded) => isSealed(embedded) || embedded.seal === 'referrer');
  const entry = linked !== undefined && isSealed(linked) ? linked : anchorOf(image, chain);
  return entry === image ? undefined : entry;
}
