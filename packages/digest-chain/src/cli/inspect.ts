import { printable, printableJson } from '../../../kit/src/terminal.ts';
import { type InspectedImage, type Inspection, inspect } from '../inspect/inspect.ts';
import { parseReference } from '../reference.ts';
import { COMMON, connect, oneImage, parseArguments } from './arguments.ts';

export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArguments(args, COMMON);
  const image = parseReference(oneImage(positionals));
  const inspection = await inspect(connect(values), image, { prefix: values.prefix, signal });
  process.stdout.write(values.json ? `${printableJson(inspection)}\n` : formatTree(inspection));
  return 0;
}

interface Node {
  readonly text: string;
  readonly children: readonly Node[];
}

/** The chain as a tree for a terminal: each image is unfolded where it comes first. */
export function formatTree({ images, truncated }: Inspection): string {
  const [start] = images;
  if (start === undefined) return '';
  const byDigest = new Map(images.map((image) => [image.digest ?? '', image]));
  const lines = draw(imageNode(start, byDigest, new Set()));
  if (truncated) lines.push(`only the first ${images.length} images are shown`);
  lines.push('Nothing here is proved: see digest-chain verify.');
  return `${lines.join('\n')}\n`;
}

function imageNode(image: InspectedImage, images: ReadonlyMap<string, InspectedImage>, shown: Set<string>): Node {
  shown.add(image.digest ?? '');
  const leaf = (text: string): Node => ({ text, children: [] });
  const links = image.links.map((link): Node => {
    const other = images.get(link.digest);
    const text = `${link.by} ${link.role}: ${link.url}@${link.digest}`;
    if (link.by === 'embeds' || other === undefined || shown.has(link.digest)) return leaf(text);
    return { text, children: imageNode(other, images, shown).children };
  });
  const unread = image.digest === undefined;
  return {
    text: image.reference,
    children: [
      ...(unread ? [] : [leaf(`${kindOf(image)}, revision ${image.revision ?? 'unknown'}`)]),
      ...(image.sealedFrom === undefined ? [] : [leaf(`sealed from ${image.sealedFrom}`)]),
      ...links,
      ...image.signed.map(({ source, mediaType }) => leaf(`signed   ${source} (${mediaType})`)),
      ...image.referrers.map(({ digest, artifactType }) => leaf(`referrer ${digest} (${artifactType ?? 'no type'})`)),
      ...image.problems.map((problem) => leaf(`PROBLEM  ${problem}`)),
    ],
  };
}

function kindOf({ images, mediaType }: InspectedImage): string {
  return `${mediaType}${images > 1 ? ` of ${images} images` : ''}`;
}

function draw(node: Node): string[] {
  const lines = [printable(node.text)];
  for (const [index, child] of node.children.entries()) {
    const last = index === node.children.length - 1;
    const [first = '', ...rest] = draw(child);
    lines.push(`${last ? '└─ ' : '├─ '}${first}`, ...rest.map((line) => `${last ? '   ' : '│  '}${line}`));
  }
  return lines;
}
