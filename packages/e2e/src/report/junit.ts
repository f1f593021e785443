import { type Criterion, countOf, type Evidence } from '../judge/criterion.ts';
import { escapeMarkup } from './escape.ts';
import type { Report } from './report.ts';

/** The report as JUnit XML, as CI systems read it: a suite for each criterion, a case for each thing that was looked at. */
export function renderJunit(report: Report): string {
  const all = report.criteria.flatMap(({ evidence }) => evidence);
  const time = (report.duration / 1000).toFixed(3);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="image chain ${escapeXml(report.revision)}" tests="${all.length}" failures="${countOf(all, 'failed')}" skipped="${countOf(all, 'skipped')}" time="${time}">`,
    ...report.criteria.flatMap(suite),
    '</testsuites>',
    '',
  ].join('\n');
}

function suite({ id, title, evidence }: Criterion): string[] {
  return [
    `  <testsuite name="${escapeXml(title)}" tests="${evidence.length}" failures="${countOf(evidence, 'failed')}" errors="0" skipped="${countOf(evidence, 'skipped')}">`,
    ...evidence.map((entry) => testCase(id, entry)),
    '  </testsuite>',
  ];
}

function testCase(criterion: string, { check, status, text, expected = '', found = '' }: Evidence): string {
  const open = `    <testcase classname="${escapeXml(`${criterion}.${check}`)}" name="${escapeXml(text)}"`;
  if (status === 'passed') return `${open}/>`;
  if (status === 'skipped') return `${open}><skipped message="${escapeXml(text)}"/></testcase>`;
  const difference = escapeXml(`expected: ${expected}\nfound: ${found}`);
  return `${open}><failure message="${escapeXml(text)}">${difference}</failure></testcase>`;
}

/** Breaks of lines are written as what they are: an XML reader makes spaces of those in an attribute. */
function escapeXml(text: string): string {
  return escapeMarkup(text, '\n\r\t').replace(/[\n\r\t]/g, (character) => `&#${character.charCodeAt(0)};`);
}
