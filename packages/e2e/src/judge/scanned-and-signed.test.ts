import { expect, test } from 'vitest';
import { wellDone } from '../testing/observation.ts';
import { judge } from './criteria.ts';
import { scannedAndSigned } from './scanned-and-signed.ts';

test.each([
  ['chains', 'passed', undefined],
  ['stand-in', 'passed', 'a stand-in for Tekton Chains signed'],
  ['none', 'skipped', 'no build system signed'],
] as const)('signed by %s: %s', (signer, status, reason) => {
  const seen = wellDone();
  seen.scans = [{ run: 'app-on-push', task: 'clair-scan', result: 'SUCCESS', note: '' }];
  seen.primary.proof = [{ id: 'signature', role: 'primary', status: 'passed', evidence: 'signed' }];
  seen.signer = signer;
  expect(judge(seen).find(({ id }) => id === 'scanned-and-signed')?.status).toBe(status);
  expect(
    scannedAndSigned(seen)
      .find(({ check }) => check === 'signer')
      ?.text.slice(0, reason?.length),
  ).toBe(reason);
});

test.each([
  ['FAILURE', 'failed'],
  // Scanned here, but not signed: what was not checked keeps the criterion from passing.
  ['SUCCESS', 'skipped'],
])('a scan with the result %s makes its criterion %s', (result, status) => {
  const seen = { ...wellDone(), scans: [{ run: 'app-on-push', task: 'clair-scan', result, note: '' }] };
  expect(judge(seen).find((entry) => entry.id === 'scanned-and-signed')?.status).toBe(status);
});
