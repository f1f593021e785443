import type { Criterion, Evidence } from '../judge/criterion.ts';
import { escapeMarkup } from './escape.ts';
import type { Report } from './report.ts';

/** The report as JUnit XML, as CI systems read it: a suite for each criterion, a case for each thing that was looked at. */
export function renderJunit(report: Report): string {
  const count = (status: Evidence['status']): number =>
    report.criteria.flatMap(({ evidence }) => evidence).filter((entry) => entry.status === status).length;
  const total = report.criteria.reduce((sum, { evidence }) => sum + evidence.length, 0);
  const time = (report.duration / 1000).toFixed(3);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="image chain ${escapeXml(report.revision)}" tests="${total}" failures="${count('failed')}" skipped="${count('skipped')}" time="${time}">`,
    ...report.criteria.flatMap(suite),
    '</testsuites>',
    '',
  ].join('\n');
}

function suite({ id, title, evidence }: Criterion): string[] {
  const count = (status: Evidence['status']): number => evidence.filter((entry) => entry.status === status).length;
  return [
    `  <testsuite name="${escapeXml(title)}" tests="${evidence.length}" failures="${count('failed')}" errors="0" skipped="${count('skipped')}">`,
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
