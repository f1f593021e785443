import { formatSpan } from '@multi-image/kit/durations';
import { type Palette, printable, printableLines } from '@multi-image/kit/terminal';
import { type Criterion, countOf, type Evidence, type Status } from '../judge/criterion.ts';
import { remedyFor } from './remedies.ts';
import type { Report, Target } from './report.ts';
import { levelText, NO_PLACE, standInsOf, TARGETS, whenOf } from './target.ts';
import { wrap } from './wrap.ts';

/** Below that, breaking lines makes nothing readable. */
const NARROWEST = 40;
/** How many of a kind are shown. */
const SHOWN = 4;

/** The end of a run as lines for a terminal: each criterion with its evidence, then what it comes to. */
export function renderReport(report: Report, paint: Palette, columns: number = Number.POSITIVE_INFINITY): string[] {
  const fallen = report.criteria.filter((entry) => entry.status === 'failed');
  const lines = [
    '',
    ...renderHead(report, paint),
    ...report.criteria.flatMap((entry, index) => renderCriterion(entry, index + 1, report.target, paint)),
    paint.bold('Images'),
    ...report.images.flatMap((image) => [
      `  ${printable(image.repository || NO_PLACE)}${image.revisionTag === null ? '' : `:${printable(image.revisionTag)}`}  (${printable(image.role)})`,
      `    ${image.sealedDigest ? 'origin ' : 'digest '} ${image.originDigest ?? 'not built'}`,
      ...(image.sealedDigest ? [`    sealed  ${image.sealedDigest}`] : []),
      ...(report.target === 'published' ? [] : [`    latest  ${image.latestDigest ?? 'not moved'}`]),
    ]),
    ...(report.external ?? []).flatMap(({ role, named, digest }) => [
      `  ${printable(named)}  (${printable(role)}, built elsewhere)`,
      `    digest  ${digest ?? 'not found'}`,
    ]),
    '',
    `${paint.bold(`Proof level: ${report.level}`)} (${levelText(report)})`,
    '',
    ...fallen.map((entry) => paint.red(`criterion fell: ${entry.id} (${entry.title})`)),
    ...renderCause(report),
    paint.bold(
      `${countOf(report.criteria, 'passed')} passed, ${fallen.length} failed, ${countOf(report.criteria, 'skipped')} skipped of ${report.criteria.length} criteria, in ${formatSpan(report.duration)}`,
    ),
  ];
  return lines.flatMap((line) => wrap(line, Math.max(columns, NARROWEST)));
}

/** What it is about, and at a glance what was not the real thing. */
function renderHead(report: Report, paint: Palette): string[] {
  const standIns = standInsOf(report);
  return [
    paint.bold(`${printable(report.application ?? 'A chain of images')}, on ${TARGETS[report.target]}`),
    ...(report.source === undefined ? [] : [`  ${printable(report.source)}`]),
    `  commit ${printable(report.revision)}`,
    `  ${whenOf(report)}, ${report.tool.name} ${report.tool.version}`,
    ...standIns.map((text, index) =>
      paint.yellow(`  ${index === 0 ? 'not the real thing here:' : ' '.repeat(24)} ${text}`),
    ),
    '',
  ];
}

function renderCause({ cause }: Report): string[] {
  if (cause === undefined) return [];
  const { what, lines, todo } = cause;
  return [
    '',
    `first cause: ${printable(what)}`,
    ...lines.map((line) => `  ${printable(line)}`),
    ...(todo.length > 0 ? ['to do:', ...todo.map((line) => `  ${printable(line)}`)] : []),
    '',
  ];
}

function renderCriterion(entry: Criterion, number: number, target: Target, paint: Palette): string[] {
  return [
    `${mark(entry.status, paint)} ${paint.bold(`${number}. ${entry.title}`)} ${paint.dim(`[${entry.id}]`)}`,
    ...shortened(entry.evidence).flatMap((evidence) => [
      `    ${mark(evidence.status, paint)} ${printable(evidence.text)}`,
      ...detail('expected', evidence.expected),
      ...detail('found', evidence.found),
      ...(evidence.status === 'failed' ? detail('to do', remedyFor(evidence.check, target)) : []),
    ]),
    '',
  ];
}

/** Of many that are alike and well, such as those of a chain of many images, the first few: a report has all of them. */
function shortened(evidence: readonly Evidence[]): readonly Evidence[] {
  const seen = new Map<string, number>();
  return evidence.flatMap((entry) => {
    if (entry.status === 'failed') return [entry];
    const kind = `${entry.status} ${entry.check}`;
    const at = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, at);
    if (at < SHOWN) return [entry];
    const all = evidence.filter(({ check, status }) => check === entry.check && status === entry.status).length;
    if (all === SHOWN) return [entry];
    if (at > SHOWN) return [];
    return [{ ...entry, text: `${all - SHOWN + 1} more like these (${entry.check}); --report FILE writes them all` }];
  });
}

function detail(name: string, text: string | undefined): string[] {
  if (text === undefined) return [];
  const [first = '', ...rest] = printableLines(text);
  return [`        ${name.padEnd(8)}  ${first}`, ...rest.map((line) => `        ${''.padEnd(8)}  ${line}`)];
}

function mark(status: Status, paint: Palette): string {
  if (status === 'passed') return paint.green('✓');
  return status === 'failed' ? paint.red('✗') : paint.yellow('–');
}
