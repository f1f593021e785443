import { formatSpan } from '@multi-image/kit/durations';
import { countOf } from '../../judge/criterion.ts';
import { listed } from '../../judge/wording.ts';
import type { Report } from '../report.ts';
import { standInsOf, TARGETS, whenOf } from '../target.ts';
import { criteriaList } from './criteria-list.ts';
import { handChecks } from './hand-checks.ts';
import { html, type Markup, mark } from './markup.ts';
import { picture } from './picture.ts';
import { STYLE } from './style.ts';
import { timeline } from './timeline.ts';

/** The report as one self-contained HTML page: no network, no script; every value in it is escaped. */
export function renderPage(report: Report): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Image chain ${report.revision.slice(0, 12)}: ${report.status}</title>
<style>${STYLE}</style>
</head>
<body>
<header class="${report.status}">
<h1>Image chain: <span class="${report.status}">${report.status}</span></h1>
<p>${verdict(report)}</p>
${standInsOf(report).length > 0 && html`<p class="skipped">Not the real thing here: ${standInsOf(report).join('; ')}.</p>`}
<dl class="facts">
${report.application !== undefined && html`<dt>Application</dt><dd>${report.application}</dd>`}
${report.source !== undefined && html`<dt>Repository</dt><dd><code>${report.source}</code></dd>`}
<dt>Images</dt><dd>${listed(report.images.map(({ title }) => title))}</dd>
${(report.external ?? []).map(({ role, named, digest, note }) => html`<dt>Built elsewhere</dt><dd>${role}: <code>${named}</code>, found as <code>${digest ?? 'nothing'}</code>${note !== undefined && html` (${note})`}</dd>`)}
<dt>Commit</dt><dd><code>${report.revision}</code>${uncommitted(report)}</dd>
<dt>Target</dt><dd>${TARGETS[report.target]}</dd>
${place(report)}
<dt>Made</dt><dd>${whenOf(report)} by ${report.tool.name} ${report.tool.version}, in ${formatSpan(report.duration)}</dd>
</dl>
</header>
<main>
${cause(report)}<section aria-labelledby="chain"><h2 id="chain">The chain</h2>
${picture(report)}
</section>
<section aria-labelledby="criteria"><h2 id="criteria">Criteria</h2>
${criteriaList(report)}
</section>
${
  report.runs.length > 0 &&
  html`<section aria-labelledby="timeline"><h2 id="timeline">Timeline</h2>
${timeline(report.runs)}
</section>`
}
<section aria-labelledby="by-hand"><h2 id="by-hand">Check it by hand</h2>
${handChecks(report)}
</section>
</main>
</body>
</html>
`;
  return page.text;
}

/** What five seconds are enough for: how many criteria, and how far it is proved. */
function verdict({ criteria, level }: Report): Markup {
  const counts = (['passed', 'failed', 'skipped'] as const)
    .filter((status) => countOf(criteria, status) > 0)
    .map((status, index) => html`${index > 0 && ', '}${mark(status, `${countOf(criteria, status)} ${status}`)}`);
  return html`${counts} of ${criteria.length} criteria · proof level <strong>${level}</strong>`;
}

/** Of a run that failed: where it began. */
function cause(report: Report): Markup | undefined {
  const found = report.cause;
  if (found === undefined) return undefined;
  return html`<section aria-labelledby="cause"><h2 id="cause">First cause</h2>
<p>${mark('failed')} <strong>${found.what}</strong></p>
<pre><code>${found.lines.join('\n')}</code></pre>
${
  found.todo.length > 0 &&
  html`<p>To do:</p>
<pre><code>${found.todo.join('\n')}</code></pre>`
}
</section>
`;
}

function place({ baseImage, cluster }: Report): Markup | undefined {
  if (baseImage !== undefined) {
    return html`<dt>Base image</dt><dd><code>${baseImage.used}</code>: ${baseImage.note}</dd>`;
  }
  if (cluster === undefined) return undefined;
  const { server, namespace, application, snapshots } = cluster;
  return html`<dt>Cluster</dt><dd><code>${server}</code>, namespace <code>${namespace}</code>, application <code>${application}</code></dd>
${snapshots.length > 0 && html`<dt>Snapshots</dt><dd><code>${snapshots.join(', ')}</code></dd>`}`;
}

function uncommitted({ uncommitted: paths }: Report): Markup | undefined {
  if (paths.length === 0) return undefined;
  return html` (HEAD and ${paths.length} uncommitted ${paths.length === 1 ? 'change' : 'changes'})`;
}
