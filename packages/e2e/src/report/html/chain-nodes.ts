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
export function nodesOf({ images }: Pick<Report, 'images'>): readonly ChainNode[] {
  const embeddersOf = (image: ReportImage): readonly ReportImage[] =>
    images.filter(({ embeds }) => embeds.includes(image.role));
  const isSealed = ({ sealedDigest, seal }: ReportImage): boolean => sealedDigest !== null || seal === 'label';
  const nodes: ChainNode[] = [];
  /** What is published of an image: as it was built, until it is sealed. */
  const last = new Map<ReportImage, ChainNode>();
  const add = (state: Omit<ChainNode, 'letter'>): void => {
    const node = { ...state, letter: letterOf(nodes.length) };
    nodes.push(node);
    last.set(node.image, node);
  };
  for (const image of images) {
    const published = !isSealed(image);
    const title = published ? image.title : `${image.title}, as built`;
    const holds = nodes.filter((other) => image.embeds.includes(other.image.role));
    add({ title, image, digest: image.originDigest, published, sealed: false, holds });
  }
  for (const image of images.toReversed()) {
    if (!isSealed(image)) continue;
    const holds = [...embeddersOf(image), image].flatMap((other) => last.get(other) ?? []);
    add({ title: `${image.title}, sealed`, image, digest: image.sealedDigest, published: true, sealed: true, holds });
  }
  return nodes;
}

/** `A` to `Z`, then `A2` and so on. */
function letterOf(index: number): string {
  return String.fromCharCode(65 + (index % 26)) + (index < 26 ? '' : Math.floor(index / 26) + 1);
}
