import { expect, test } from 'vitest';
import { wellDone } from '../testing/observation.ts';
import { outputEvidence } from './output.ts';

test('a program that is not this repository’s own is not asked for its greeting', () => {
  const seen = wellDone();
  seen.primary.published = { ...seen.primary.published, labels: { ...seen.primary.published.labels, name: 'mine' } };
  seen.primary.output = { exitCode: 0, stdout: 'Anything.\n', stderr: '', stdoutBytes: new Uint8Array() };
  expect(outputEvidence(seen.primary)).toMatchObject([{ check: 'runs', status: 'passed' }]);
});

test('an image that its config says how to run is asked for what is expected there, and for nothing else', () => {
  const seen = wellDone();
  const output = { exitCode: 0, stdout: 'v1.2.3 of mine\n', stderr: '', stdoutBytes: new Uint8Array() };
  const run = (expected: string) => outputEvidence({ ...seen.primary, expected, output });
  expect(run('v1.2.3')).toMatchObject([
    { check: 'runs', status: 'passed' },
    { check: 'expect', status: 'passed' },
  ]);
  expect(run('v2')).toMatchObject([{ check: 'runs' }, { check: 'expect', status: 'failed', expected: 'v2' }]);
  expect(run('')).toMatchObject([{ check: 'runs', status: 'passed' }]);
});
