import type { Report, ReportImage } from '../report.ts';

/** One state of an image: as it was built, or sealed. Its letter stands for its digest wherever that is shown. */
export interface ChainNode {
  letter: string;
  title: string;
  image: ReportImage;
  digest: string | null;
  /** Whether this is what people pull. */
  published: boolean;
  /** Whether it is sealed, in place of being what was built. */
  sealed: boolean;
  /** The nodes whose digests are in it. */
  holds: readonly ChainNode[];
}

/** The states of a chain's images in the order in which they come to be: built first, then sealed, from the last on. */
export function nodesOf({ images, seal }: Pick<Report, 'images' | 'seal'>): readonly ChainNode[] {
  const embeddersOf = (image: ReportImage): readonly ReportImage[] =>
    images.filter(({ embeds }) => embeds.includes(image.role));
  const isSealed = (image: ReportImage): boolean =>
    image.sealedDigest !== null || (seal === 'label' && embeddersOf(image).length > 0);
  const nodes: ChainNode[] = [];
  const letter = (): string => letterOf(nodes.length);
  const built = new Map<ReportImage, ChainNode>();
  for (const image of images) {
    const sealed = isSealed(image);
    const node = {
      letter: letter(),
      title: sealed ? `${image.title}, as built` : image.title,
      image,
      digest: image.originDigest,
      published: !sealed,
      sealed: false,
      holds: [...built.values()].filter((other) => image.embeds.includes(other.image.role)),
    };
    nodes.push(node);
    built.set(image, node);
  }
  const published = new Map(built);
  for (const image of images.toReversed()) {
    if (!isSealed(image)) continue;
    const holds = [...embeddersOf(image), image].flatMap((other) => published.get(other) ?? []);
    const title = `${image.title}, sealed`;
    const node = { letter: letter(), title, image, digest: image.sealedDigest, published: true, sealed: true, holds };
    nodes.push(node);
    published.set(image, node);
  }
  return nodes;
}

/** `A` to `Z`, then `A2` and so on. */
function letterOf(index: number): string {
  return String.fromCharCode(65 + (index % 26)) + (index < 26 ? '' : Math.floor(index / 26) + 1);
}
