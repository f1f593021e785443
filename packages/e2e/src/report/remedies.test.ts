import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { remedyFor } from './remedies.ts';

// Every check that can fail, as the sources name it: a new one without a remedy is found here.
const sources = ['../criteria/criteria.ts', '../tenant/outcome.ts', '../verify-published.ts'].map((file) =>
  readFileSync(join(import.meta.dirname, file), 'utf8'),
);
const matches = [...sources.join('\n').matchAll(/\b(?:failed|equal)\(\s*'([a-z/-]+)'/g)];
const checks = new Set(matches.map(([, check]) => check ?? ''));

test('there is a remedy for every check that can fail', () => {
  expect(checks.size).toBeGreaterThan(12);
  expect([...checks].filter((check) => remedyFor(check) === undefined)).toEqual([]);
  expect(remedyFor('proof/embeds-origin')).toContain('digest-chain verify');
  expect(remedyFor('no-such-check')).toBeUndefined();
});
