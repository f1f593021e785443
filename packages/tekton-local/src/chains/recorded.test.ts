import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { comparable, type RecordedRun, writtenOf } from '../testing/recorded-run.ts';

// Tekton 1.15, Chains 0.26; the middle of long scripts is cut out. On a live cluster the same is compared by
// packages/cluster-testing/src/tekton-run.test.ts.
const recorded = parse(
  readFileSync(new URL('../../fixtures/recorded-by-chains.yaml', import.meta.url), 'utf8'),
) as readonly RecordedRun[];

test.each(recorded.map((one) => [one.run.metadata.name, one] as const))(
  'what is written of %s is what Chains wrote, field by field',
  async (_, one) => {
    const { statement, tasks } = one;
    expect(comparable(await writtenOf(one))).toEqual(comparable({ statement, tasks }));
  },
);
