import { expect, test } from 'vitest';
import { wellDone } from '../testing/observation.ts';
import { outputEvidence } from './output.ts';

test('a program that is not this repository’s own is not asked for its greeting', () => {
  const seen = wellDone();
  seen.primary.published = { ...seen.primary.published, labels: { ...seen.primary.published.labels, name: 'mine' } };
  seen.primary.output = { exitCode: 0, stdout: 'Anything.\n', stderr: '', stdoutBytes: new Uint8Array() };
  expect(outputEvidence(seen.primary)).toMatchObject([{ check: 'runs', status: 'passed' }]);
});
