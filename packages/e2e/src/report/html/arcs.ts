import type { Status } from '../../judge/criterion.ts';
import { html, type Markup } from './markup.ts';

/** An arrow from one image's column to another's. */
export interface Arc {
  from: number;
  to: number;
  text: string;
}

// The width that the page has for the picture where there is room; on less it is drawn smaller.
const WIDTH = 1056;
const LANE = 26;

/**
 * Arrows between columns, above the cards or below them; those that would cross get lanes of their own. Decoration: what
 * it shows is said in the cards.
 */
export function strip(where: 'above' | 'below', columns: number, arcs: readonly Arc[], status: Status): Markup {
  if (arcs.length === 0) return html``;
  const outside = arcs.toSorted((a, b) => length(b) - length(a));
  const lanes = lanesOf(outside);
  const height = Math.max(...lanes) * LANE + 46;
  const x = (column: number): number => ((column + 0.5) * WIDTH) / columns;
  const y = (distance: number): number => (where === 'above' ? distance : height - distance);
  const drawn = outside.map((arc, index) => {
    const lane = y(20 + (lanes[index] ?? 0) * LANE);
    // Ports beside the middle, the longest arrow's next to it: so no two meet, and none crosses another.
    const before = outside.slice(0, index);
    const aside = Math.sign(arc.to - arc.from) * 14;
    const from = x(arc.from) + aside * (1 + before.filter((other) => other.from === arc.from).length);
    const to = x(arc.to) - aside * (1 + before.filter((other) => other.to === arc.to).length);
    const bend = Math.sign(to - from) * 10;
    const turn = lane + Math.sign(y(height) - lane) * 10;
    const edge = y(height - 1);
    const tip = y(height - 9);
    const line = `M${from} ${edge}V${turn}Q${from} ${lane} ${from + bend} ${lane}H${to - bend}Q${to} ${lane} ${to} ${turn}V${tip}`;
    return html`<path d="${line}" fill="none" stroke="currentColor" stroke-width="2"/><path d="M${to - 5} ${tip}h10L${to} ${edge}z" fill="currentColor"/><text x="${(from + to) / 2}" y="${lane + (where === 'above' ? -6 : 17)}" text-anchor="middle" fill="currentColor">${arc.text}</text>`;
  });
  return html`<li class="strip ${where} ${status}" aria-hidden="true"><svg viewBox="0 0 ${WIDTH} ${height}" focusable="false">${drawn}</svg></li>
`;
}

function length({ from, to }: Arc): number {
  return Math.abs(to - from);
}

/** The first lane that is free over an arrow's whole length; the nearest to the cards is the last. */
function lanesOf(arcs: readonly Arc[]): number[] {
  const taken: { left: number; right: number; lane: number }[] = [];
  return arcs.map(({ from, to }) => {
    const [left, right] = [Math.min(from, to), Math.max(from, to)];
    let lane = 0;
    while (taken.some((other) => other.lane === lane && left < other.right && other.left < right)) lane++;
    taken.push({ left, right, lane });
    return lane;
  });
}
