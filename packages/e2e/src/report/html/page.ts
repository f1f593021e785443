import type { Criterion, Evidence, Status } from '../../criteria/criterion.ts';
import { seconds } from '../../criteria/wording.ts';
import { remedyFor } from '../remedies.ts';
import type { Report, ReportImage } from '../report.ts';
import { handChecks } from './hand-checks.ts';
import { html, type Markup } from './markup.ts';
import { STYLE } from './style.ts';
import { timeline } from './timeline.ts';

/** The report as one self-contained HTML page: no network, no script; every value in it is escaped. */
export function renderPage(report: Report): string {
  const count = (status: Status): number => report.criteria.filter((entry) => entry.status === status).length;
  const verdict = `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`;
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
<header>
<h1>Image chain: <span class="${report.status}">${report.status}</span></h1>
<p>${verdict} of ${report.criteria.length} criteria</p>
<dl class="facts">
<dt>Commit</dt><dd><code>${report.revision}</code>${uncommitted(report)}</dd>
<dt>Target</dt><dd>${report.target}</dd>
${place(report)}
<dt>Took</dt><dd>${seconds(report.duration)}</dd>
</dl>
</header>
<main>
<h2>The chain</h2>
${chain(report)}
<h2>Criteria</h2>
${report.criteria.map(criterionDetails)}
<h2>Timeline</h2>
${timeline(report.runs)}
<h2>Check it by hand</h2>
${handChecks(report)}
</main>
</body>
</html>
`;
  return page.text;
}

function place({ baseImage, cluster }: Report): Markup | undefined {
  if (baseImage !== undefined) {
    return html`<dt>Base image</dt><dd><code>${baseImage.used}</code>: ${baseImage.note}</dd>`;
  }
  if (cluster === undefined) return undefined;
  const { server, namespace, application, snapshots } = cluster;
  return html`<dt>Cluster</dt><dd><code>${server}</code>, namespace <code>${namespace}</code>, application <code>${application}</code></dd>
<dt>Snapshots</dt><dd><code>${snapshots.join(', ') || 'none'}</code></dd>`;
}

function uncommitted({ uncommitted: paths }: Report): Markup | undefined {
  if (paths.length === 0) return undefined;
  return html` (HEAD and ${paths.length} uncommitted ${paths.length === 1 ? 'change' : 'changes'})`;
}

/** Each image with what its digest went into: first those that embed nothing, as in the order of the builds. */
function chain(report: Report): Markup {
  if (report.images.every((image) => image.originDigest === null)) return html`<p>No images were built.</p>`;
  const proved = report.criteria.some((entry) => entry.id === 'image-1-labelled' && entry.status === 'passed');
  const sealed = report.images.filter((image) => image.sealedDigest !== null);
  const arrow = (text: string): Markup => html`<li class="arrow"><b aria-hidden="true">→</b>${text}</li>
`;
  const built = report.images.map((image, index) => {
    const title = image.sealedDigest === null ? image.title : `${image.title}, as built`;
    const from = report.images.filter((other) => image.embeds.includes(other.role)).map((other) => other.title);
    return html`${index > 0 && arrow(from.length > 0 ? `with the digest of ${from.join(', ')} inside` : 'beside it')}${card(title, image, image.originDigest)}`;
  });
  const seals = sealed.map((image) => {
    const by = report.images.filter((other) => other.embeds.includes(image.role)).map((other) => other.title);
    return html`${arrow(`the digest of ${by.join(', ')} is sealed into`)}${card(`${image.title}, sealed`, image, image.sealedDigest)}`;
  });
  return html`<ol class="chain">
${built}${seals}</ol>
${proved && sealed.length > 0 && html`<p>Without its seal, a sealed image is the image as built, byte for byte.</p>`}`;
}

function card(title: string, { repository, latestDigest }: ReportImage, digest: string | null): Markup {
  const latest = digest !== null && digest === latestDigest && html`<p>tag <code>latest</code></p>`;
  return html`<li class="image"><h3>${title}</h3><p><code>${repository}</code></p><p><code>${digest ?? 'not built'}</code></p>${latest}</li>
`;
}

function criterionDetails(entry: Criterion, index: number): Markup {
  return html`<details${entry.status === 'passed' ? html`` : html` open`}>
<summary>${mark(entry.status)} <strong>${index + 1}. ${entry.title}</strong></summary>
<ul class="checks">${entry.evidence.map(check)}</ul>
</details>
`;
}

function check({ check: id, status, text, expected, found }: Evidence): Markup {
  const remedy = status === 'failed' ? remedyFor(id) : undefined;
  const difference =
    status === 'failed' &&
    html`<dl><dt>expected</dt><dd><code>${expected}</code></dd><dt>found</dt><dd><code>${found}</code></dd>${remedy !== undefined && html`<dt>to do</dt><dd>${remedy}</dd>`}</dl>`;
  return html`<li>${mark(status)} ${text}${difference}</li>`;
}

/** A word beside the sign: nobody has to tell colours or shapes apart. */
function mark(status: Status): Markup {
  const sign = { passed: '✓', failed: '✗', skipped: '–' }[status];
  return html`<span class="mark ${status}"><span aria-hidden="true">${sign}</span> ${status}</span>`;
}
