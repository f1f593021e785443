import { formatSpan } from '@multi-image/kit/durations';
import { type Palette, printable, printableLines } from '@multi-image/kit/terminal';
import { type Criterion, countOf, type Status } from '../judge/criterion.ts';
import { remedyFor } from './remedies.ts';
import type { Report, Target } from './report.ts';
import { levelText, NO_PLACE, standInsOf, TARGETS, whenOf } from './target.ts';

/** The end of a run as lines for a terminal: each criterion with its evidence, then what it comes to. */
export function renderReport(report: Report, paint: Palette): string[] {
  const fallen = report.criteria.filter((entry) => entry.status === 'failed');
  return [
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
    '',
    `${paint.bold(`Proof level: ${report.level}`)} (${levelText(report)})`,
    '',
    ...fallen.map((entry) => paint.red(`criterion fell: ${entry.id} (${entry.title})`)),
    ...renderCause(report),
    paint.bold(
      `${countOf(report.criteria, 'passed')} passed, ${fallen.length} failed, ${countOf(report.criteria, 'skipped')} skipped of ${report.criteria.length} criteria, in ${formatSpan(report.duration)}`,
    ),
  ];
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
    ...entry.evidence.flatMap((evidence) => [
      `    ${mark(evidence.status, paint)} ${printable(evidence.text)}`,
      ...detail('expected', evidence.expected),
      ...detail('found', evidence.found),
      ...(evidence.status === 'failed' ? detail('to do', remedyFor(evidence.check, target)) : []),
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
