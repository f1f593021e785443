import { type JunitCase, junitText } from '@multi-image/kit/junit';
import type { Evidence } from '../judge/criterion.ts';
import type { Report } from './report.ts';

/** The report as JUnit XML, as CI systems read it: a suite for each criterion, a case for each thing that was looked at. */
export function renderJunit({ revision, criteria, duration }: Report): string {
  const suites = criteria.map(({ id, title, evidence }) => ({
    name: title,
    cases: evidence.map((entry) => caseOf(id, entry)),
  }));
  return junitText(suites, { name: `image chain ${revision}`, time: duration });
}

function caseOf(criterion: string, { check, status, text, expected = '', found = '' }: Evidence): JunitCase {
  return {
    classname: `${criterion}.${check}`,
    name: text,
    skipped: status === 'skipped' ? text : undefined,
    failure: status === 'failed' ? { message: text, text: `expected: ${expected}\nfound: ${found}` } : undefined,
  };
}
