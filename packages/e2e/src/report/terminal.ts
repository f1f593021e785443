import { formatSpan } from '@multi-image/kit/durations';
import { type Palette, printable, printableLines } from '@multi-image/kit/terminal';
import { type Criterion, countOf, type Status } from '../judge/criterion.ts';
import { firstCause } from './first-cause.ts';
import { remedyFor } from './remedies.ts';
import type { Report } from './report.ts';
import { levelText, NO_PLACE } from './target.ts';

/** The end of a run as lines for a terminal: each criterion with its evidence, then what it comes to. */
export function renderReport(report: Report, paint: Palette): string[] {
  const fallen = report.criteria.filter((entry) => entry.status === 'failed');
  return [
    '',
    ...report.criteria.flatMap((entry, index) => renderCriterion(entry, index + 1, paint)),
    paint.bold('Images'),
    ...report.images.flatMap((image) => [
      `  ${printable(image.repository || NO_PLACE)}${image.revisionTag === null ? '' : `:${printable(image.revisionTag)}`}  (${printable(image.role)})`,
      `    ${image.sealedDigest ? 'origin ' : 'digest '} ${image.originDigest ?? 'not built'}`,
      ...(image.sealedDigest ? [`    sealed  ${image.sealedDigest}`] : []),
      ...(report.target === 'published' ? [] : [`    latest  ${image.latestDigest ?? 'not moved'}`]),
    ]),
    '',
    `${paint.bold(`Proof level: ${report.level}`)} (${levelText(report)})`,
    '',
    ...fallen.map((entry) => paint.red(`criterion fell: ${entry.id} (${entry.title})`)),
    ...(fallen.length > 0 ? renderCause(report) : []),
    paint.bold(
      `${countOf(report.criteria, 'passed')} passed, ${fallen.length} failed, ${countOf(report.criteria, 'skipped')} skipped of ${report.criteria.length} criteria, in ${formatSpan(report.duration)}`,
    ),
  ];
}

function renderCause(report: Report): string[] {
  const cause = firstCause(report);
  if (cause === undefined) return [];
  return [
    '',
    `first cause: task ${printable(cause.task)} of ${printable(cause.run)}`,
    ...cause.lines.map((line) => `  ${printable(line)}`),
    '',
  ];
}

function renderCriterion(entry: Criterion, number: number, paint: Palette): string[] {
  return [
    `${mark(entry.status, paint)} ${paint.bold(`${number}. ${entry.title}`)} ${paint.dim(`[${entry.id}]`)}`,
    ...entry.evidence.flatMap((evidence) => [
      `    ${mark(evidence.status, paint)} ${printable(evidence.text)}`,
      ...detail('expected', evidence.expected),
      ...detail('found', evidence.found),
      ...(evidence.status === 'failed' ? detail('to do', remedyFor(evidence.check)) : []),
    ]),
    '',
  ];
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
