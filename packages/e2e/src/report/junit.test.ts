import { expect, test } from 'vitest';
import { judge } from '../judge/criteria.ts';
import { criterion, failed, passed, skipped } from '../judge/criterion.ts';
import { wellDone } from '../testing/observation.ts';
import { reportFor } from '../testing/report.ts';
import { renderJunit } from './junit.ts';
import type { Report } from './report.ts';

const base: Report = { ...reportFor(wellDone()), criteria: [], duration: 1234 };

test('a case for everything that was looked at', () => {
  const criteria = judge(wellDone());
  const xml = renderJunit({ ...base, criteria });
  const total = criteria.reduce((sum, { evidence }) => sum + evidence.length, 0);
  expect(xml.match(/<testcase /g)).toHaveLength(total);
  expect(xml).toContain(`tests="${total}" failures="0"`);
  expect(xml.match(/<skipped /g)?.length).toBe(
    criteria.flatMap(({ evidence }) => evidence).filter(({ status }) => status === 'skipped').length,
  );
});

test('says what failed, and lets no value be markup', () => {
  const attack = '"]]><x y=\'&\u0000\u001b[31m\u202e\ud800';
  const xml = renderJunit({
    ...base,
    criteria: [
      criterion('a', attack, [
        failed('b', attack, attack, `line 1\nline 2`),
        passed('c', 'fine'),
        skipped('d', attack),
      ]),
    ],
  });
  expect(xml).toContain('tests="3" failures="1" errors="0" skipped="1" time="1.234"');
  expect(xml).toContain('found: line 1\nline 2');
  // Nothing but the tags of the format is left of it.
  expect(
    xml.replaceAll(/<\/?(testsuites|testsuite|testcase|failure|skipped)(?: [a-z]+="[^"<]*")*\/?>|<\?xml[^>]*\?>/g, ''),
  ).not.toMatch(/(?!\n)[<\p{Cc}\p{Cs}\p{Bidi_Control}]/u);
});
