import { type HandCheck, handChecksOf } from '../by-hand.ts';
import type { Report } from '../report.ts';
import { html, type Markup } from './markup.ts';

/** The commands with which somebody who trusts none of this looks for themselves, with the run's values filled in. */
export function handChecks(report: Report): Markup {
  const groups = handChecksOf(report);
  if (groups.length === 0) return html`<p>There is no chain to look at.</p>`;
  const note =
    report.target === 'local' &&
    html`<p>The registry of a local run is gone when the run ends, unless it was started with <code>--keep</code>.</p>`;
  return html`<p>For bash. Every value is of this run; what a command has to print is below it.</p>${note}
${groups.map(({ title, checks }) => html`<h3>${title}</h3>${checks.map(block)}`)}`;
}

function block({ what, command, prints = [] }: HandCheck): Markup {
  return html`<div class="by-hand"><p>${what}:</p><pre><code>${command}</code></pre>${prints.length > 0 && html`<p class="prints">prints ${prints.map((text, index) => html`${index > 0 && ' and '}<code>${text}</code>`)}</p>`}</div>
`;
}
