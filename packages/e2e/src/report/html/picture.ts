import type { Status } from '../../judge/criterion.ts';
import type { Report } from '../report.ts';
import { levelText, NO_PLACE } from '../target.ts';
import { type Arc, strip } from './arcs.ts';
import { type ChainNode, nodesOf } from './chain-nodes.ts';
import { html, letter, type Markup, mark } from './markup.ts';

/** With more images than this there is no room for arrows; the cards say what is in them anyway. */
const MOST_COLUMNS = 4;

/**
 * The chain as a picture: a column for each image, as built above, sealed below; above them what was built into what,
 * below them what is sealed into what. The cards say all of it in words, for those who don't see arrows.
 */
export function picture(report: Report): Markup {
  const nodes = nodesOf(report);
  if (nodes.every(({ digest }) => digest === null)) return html`<p>No images were built.</p>`;
  const columns = report.images.length;
  const drawn = columns <= MOST_COLUMNS;
  const column = ({ image }: ChainNode): number => report.images.indexOf(image);
  const statusOf = (id: string): Status => report.criteria.find((entry) => entry.id === id)?.status ?? 'skipped';
  const built = statusOf('image-2-embeds-image-1');
  const sealed = statusOf('image-1-labelled');
  const edges = nodes.flatMap((node) => node.holds.map((held) => ({ node, held })));
  const arc = (from: ChainNode, to: ChainNode, text: string): Arc => ({ from: column(from), to: column(to), text });
  const is = (status: Status): string => (status === 'passed' ? 'is' : 'should be');
  const names = sealed === 'passed' ? 'names' : 'should name';
  const builtIn = edges
    .filter(({ node }) => !node.sealed)
    .map(({ node, held }) => arc(held, node, `${held.letter} ${is(built)} built into ${node.letter}`));
  const back = edges
    .filter(({ node, held }) => node.sealed && held.image !== node.image)
    .map(({ node, held }) => arc(held, node, `${held.letter} ${is(sealed)} sealed into ${node.letter}`));
  const stated = edges
    .filter(({ node, held }) => !node.sealed && held.image.seal === 'referrer')
    .map(({ node, held }) => arc(node, held, `a statement beside ${held.letter} ${names} ${node.letter}`));
  return html`<figure>
<ol class="chain${drawn && html` drawn`}" style="--columns:${columns}">
${drawn && strip('above', columns, builtIn, built)}${nodes.map((node) =>
  card(node, drawn && place(node, column(node), nodes), {
    nodes,
    holds: node.sealed ? sealed : built,
    linked: sealed,
  }),
)}${drawn && strip('below', columns, [...back, ...stated], sealed)}</ol>
<figcaption>${mark(isProved(report) ? 'passed' : 'failed', report.level === 'none' ? 'not proved' : report.level)}: ${levelText(report)}.${stated.length > 0 && ' The images are linked back by a statement that is attached to each of them.'}</figcaption>
</figure>`;
}

/** As far as was asked for: a key asks for signatures. */
function isProved({ level, publicKeys, signer }: Report): boolean {
  return level === 'attested' || (level === 'linked' && publicKeys.length === 0 && signer === undefined);
}

/** Rows 2 and 3 are for what was built and what is sealed; an image that is not sealed takes both. */
function place(node: ChainNode, column: number, nodes: readonly ChainNode[]): string {
  const alone = !nodes.some((other) => other.image === node.image && other !== node);
  return `grid-column:${column + 1};grid-row:${alone ? '2 / span 2' : node.sealed ? 3 : 2}`;
}

function card(
  node: ChainNode,
  style: string | false,
  { nodes, holds, linked }: { nodes: readonly ChainNode[]; holds: Status; linked: Status },
): Markup {
  const { image, digest, published } = node;
  const tags = [
    ...(published && image.revisionTag !== null && image.revisionTag !== 'latest' ? [image.revisionTag] : []),
    ...(digest !== null && digest === image.latestDigest ? ['latest'] : []),
  ];
  return html`<li class="image"${style !== false && html` style="${style}"`}><h3>${letter(node.letter)} ${node.title}</h3>
<p>${image.repository === '' ? NO_PLACE : html`<code>${image.repository}</code>`}</p>
<p><code class="digest">${digest ?? (node.sealed ? 'not published' : 'not built')}</code></p>
<ul>${node.holds.map((held) => html`<li>${holding(node, held, holds)}</li>`)}${
    image.seal === 'referrer' &&
    nodes
      .filter(({ holds, sealed }) => !sealed && holds.includes(node))
      .map(
        (other) =>
          html`<li>a statement beside it ${linked === 'passed' ? 'names' : 'should name'} ${letter(other.letter)} ${other.title}</li>`,
      )
  }${tags.length > 0 && digest !== null && html`<li>${tags.length > 1 ? 'tags' : 'tag'} ${tags.map((tag, index) => html`${index > 0 && ', '}<code>${short(tag)}</code>`)}</li>`}</ul>
${published && digest !== null && signature(node)}</li>
`;
}

/** What a digest does in it; where that was not proved, what it should do. */
function holding(node: ChainNode, held: ChainNode, status: Status): Markup {
  const should = status === 'passed' ? '' : 'should be ';
  const digest = html`${letter(held.letter)} ${held.digest !== null && html`<code>${short(held.digest)}</code>`}`;
  if (!node.sealed) return html`${should}built with ${digest} inside, ${held.title}`;
  if (held.image === node.image) return html`without its seal it ${should || 'is '}${digest} again, byte for byte`;
  return html`${should}labelled with ${digest}, ${held.title}`;
}

function signature({ image }: ChainNode): Markup {
  if (image.signature === null) return html`<p class="signature">${mark('skipped', 'signature')} not looked for</p>`;
  const { status, text } = image.signature;
  return html`<p class="signature">${mark(status, 'signature')} ${text.replace(/ \([^()]*\.sig\)|; no transparency log.*$/g, '')}</p>`;
}

/** The start of a digest or commit, as people read it aloud. */
function short(text: string): string {
  return text.replace(/^(sha\d+:)?([0-9a-f]{12})[0-9a-f]{20,}$/, '$1$2…');
}
