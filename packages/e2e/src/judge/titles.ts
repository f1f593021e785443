import type { Seal } from './observation.ts';
import { listed } from './wording.ts';

/** The six success criteria, in their order. */
export type CriterionId =
  | 'single-pipeline'
  | 'image-2-embeds-image-1'
  | 'image-1-labelled'
  | 'scanner-extracts'
  | 'scanned-and-signed'
  | 'no-manual-step';

/** An image as the titles name it. */
export interface TitledImage {
  role: string;
  title: string;
  /** Roles of the images that it embeds. */
  embeds: readonly string[];
  /** How it is linked to those that embed it. */
  seal: Seal;
}

/** The criteria's titles, in the words of a chain's own images: what is one Image 1 there is an operator here. */
export function titlesOf(
  images: readonly TitledImage[],
  /** Titles of the images that scanners hand over. */
  extracted: readonly string[],
): Readonly<Record<CriterionId, string>> {
  const embeddedIn = (image: TitledImage): string[] =>
    images.filter(({ role }) => image.embeds.includes(role)).map(({ title }) => title);
  const embeddersOf = (image: TitledImage): string[] =>
    images.filter(({ embeds }) => image.seal !== 'none' && embeds.includes(image.role)).map(({ title }) => title);
  const each = (
    others: (image: TitledImage) => string[],
    say: (image: TitledImage, others: readonly string[]) => string,
  ) => images.flatMap((image) => (others(image).length === 0 ? [] : [say(image, others(image))]));
  const edges = images.flatMap(embeddedIn).length;
  const few = edges > 0 && edges <= 3;
  const all = images.length === 2 ? 'both' : `all ${images.length}`;
  const contains = each(embeddedIn, ({ title }, others) => `${title} contains ${digestsOf(others)}`);
  const linked = each(embeddersOf, ({ title, seal }, others) =>
    seal === 'label'
      ? `${title} labeled with ${digestsOf(others)}`
      : `${title} linked to ${listed(others)} by a statement`,
  );
  return {
    'single-pipeline': `Single pipeline builds ${all} images atomically`,
    'image-2-embeds-image-1': `${few ? listed(contains) : 'Images contain the digests of those they are built on'} (provable chain)`,
    'image-1-labelled': `${few ? listed(linked) : 'Images name those that are built on them'} (bidirectional link)`,
    'scanner-extracts':
      extracted.length > 0 && extracted.length <= 3
        ? `Scanner extracts ${listed(extracted)} for separate scanning`
        : 'Scanners extract the other images for separate scanning',
    'scanned-and-signed': `${all.replace(/^./, (first) => first.toUpperCase())} images scanned and signed`,
    'no-manual-step': 'No manual intervention required',
  };
}

/** `a's digest`, `a's and b's digests`. */
function digestsOf(titles: readonly string[]): string {
  return `${listed(titles.map((title) => `${title}'s`))} ${titles.length > 1 ? 'digests' : 'digest'}`;
}
