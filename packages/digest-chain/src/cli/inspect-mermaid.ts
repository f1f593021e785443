import type { Inspection } from '../inspect/inspect.ts';
import { printable } from './terminal.ts';

/** The chain as a Mermaid flowchart, with a node for each image and one for each origin that is embedded. */
export function formatMermaid({ images }: Inspection): string {
  const nodes = new Map<string, string>();
  const lines = ['flowchart LR'];
  const nodeOf = (digest: string, text: string): string => {
    const known = nodes.get(digest);
    if (known !== undefined) return known;
    const id = `n${nodes.size}`;
    nodes.set(digest, id);
    lines.push(`  ${id}["${escapeLabel(text)}"]`);
    return id;
  };
  const keyOf = (image: Inspection['images'][number]): string =>
    image.digest ?? image.reference.slice(image.reference.indexOf('@') + 1);
  for (const image of images) nodeOf(keyOf(image), shorten(image.reference));
  for (const image of images) {
    const from = nodeOf(keyOf(image), shorten(image.reference));
    if (image.sealedFrom !== undefined) {
      const origin = `${image.reference.replace(/(?::[^:/@]*)?@.*$/s, '')}@${image.sealedFrom}`;
      lines.push(`  ${from} -.->|sealed from| ${nodeOf(image.sealedFrom, shorten(origin))}`);
    }
    for (const { by, role, url, digest } of image.links) {
      const to = nodeOf(digest, shorten(`${url}@${digest}`));
      lines.push(`  ${from} ${ARROWS[by]}|${by} ${escapeLabel(role)}| ${to}`);
    }
    if (image.signed.length > 0) {
      lines.push(`  ${from} --- s${from}(["${image.signed.length} signed documents"])`);
    }
  }
  return `${lines.join('\n')}\n`;
}

const ARROWS = { links: '-->', embeds: '==>', statement: '-.->' } as const;

/** Twelve digits of a digest are enough to tell images apart by eye. */
function shorten(reference: string): string {
  return reference.replace(/(@sha(?:256|512):[0-9a-f]{12})[0-9a-f]*$/, '$1…');
}

/** Mermaid reads `#…;` as entities and takes HTML in labels: everything that could be either is written as an entity. */
function escapeLabel(text: string): string {
  return printable(text).replace(/[^A-Za-z0-9 .:/@_…-]/gu, (character) => `#${character.codePointAt(0)};`);
}
