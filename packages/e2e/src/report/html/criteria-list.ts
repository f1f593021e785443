import { type Criterion, countOf, type Evidence } from '../../judge/criterion.ts';
import { remedyFor } from '../remedies.ts';
import type { Report, Target } from '../report.ts';
import { nodesOf } from './chain-nodes.ts';
import { html, letter, type Markup, mark } from './markup.ts';

/** Each criterion with its checks; those that did not pass are open. */
export function criteriaList(report: Report): Markup {
  const letters = new Map(
    nodesOf(report).flatMap((node) => (node.digest === null ? [] : [[node.digest, node.letter]])),
  );
  return html`${report.criteria.map((entry, index) => criterionDetails(entry, index, letters, report.target))}`;
}

type Letters = ReadonlyMap<string, string>;

function criterionDetails(
  { status, title, evidence, id }: Criterion,
  index: number,
  letters: Letters,
  target: Target,
): Markup {
  const counts = (['failed', 'skipped', 'passed'] as const)
    .filter((wanted) => countOf(evidence, wanted) > 0)
    .map((wanted) => `${countOf(evidence, wanted)} ${wanted}`);
  return html`<details id="${id}"${status !== 'passed' && html` open`}>
<summary>${mark(status)} <strong>${index + 1}. ${title}</strong> <small>${counts.join(', ')}</small></summary>
<ul class="checks">${evidence.map((entry) => check(entry, letters, target))}</ul>
</details>
`;
}

function check({ check: id, status, text, expected, found }: Evidence, letters: Letters, target: Target): Markup {
  const remedy = status === 'failed' ? remedyFor(id, target) : undefined;
  const difference =
    status === 'failed' &&
    html`<dl><dt>expected</dt><dd><code>${expected}</code></dd><dt>found</dt><dd><code>${found}</code></dd>${remedy !== undefined && html`<dt>to do</dt><dd>${remedy}</dd>`}</dl>`;
  return html`<li>${mark(status)} ${digestsIn(text, letters)} <code class="id">${id}</code>${difference}</li>
`;
}

/** Text with its digests set apart, each with the letter that it has in the picture. */
function digestsIn(text: string, letters: Letters): Markup {
  const parts = text.split(/(sha256:[0-9a-f]{64}(?![0-9a-f])|sha512:[0-9a-f]{128}(?![0-9a-f]))/);
  return html`${parts.map((part, index) => {
    if (index % 2 === 0) return html`${part}`;
    const known = letters.get(part);
    return html`<code>${part}</code>${known !== undefined && html` ${letter(known)}`}`;
  })}`;
}
