import { describe, expect, test } from 'vitest';
import { origin, other, prefix, revision, sealed, second, wellDone } from '../testing/observation.ts';
import { judge } from './criteria.ts';
import type { Observation } from './observation.ts';

const fallen = (seen: Observation): string[] =>
  judge(seen)
    .filter((entry) => entry.status === 'failed')
    .map((entry) => entry.id);

test('where all went well, five criteria pass and what only Konflux can do is skipped', () => {
  expect(judge(wellDone()).map(({ id, status }) => [id, status])).toEqual([
    ['single-pipeline', 'passed'],
    ['image-2-embeds-image-1', 'passed'],
    ['image-1-labelled', 'passed'],
    ['scanner-extracts', 'passed'],
    ['scanned-and-signed', 'skipped'],
    ['no-manual-step', 'passed'],
  ]);
});

describe('each of these makes one criterion fall, and says what was expected and found', () => {
  type Break = (seen: ReturnType<typeof wellDone>) => void;
  const breaks: [string, string, string, string, Break][] = [
    [
      'latest still the old image',
      'single-pipeline',
      sealed,
      other,
      (seen) => {
        seen.primary.latest.digest = other;
      },
    ],
    [
      'Image 2 of another commit',
      'single-pipeline',
      revision,
      'f'.repeat(40),
      (seen) => {
        seen.metadata.built.labels = {
          ...seen.metadata.built.labels,
          'org.opencontainers.image.revision': 'f'.repeat(40),
        };
      },
    ],
    [
      'Image 1 does not start',
      'single-pipeline',
      '"Hello from Image 1!" and exit code 0',
      'no such file (exit code 127)',
      (seen) => {
        seen.primary.output = { exitCode: 127, stdout: '', stderr: 'no such file\n', stdoutBytes: new Uint8Array() };
      },
    ],
    [
      'the environment names another image',
      'image-2-embeds-image-1',
      origin,
      other,
      (seen) => {
        seen.metadata.built.env.IMAGE1_DIGEST = other;
      },
    ],
    [
      'the label is empty',
      'image-2-embeds-image-1',
      origin,
      'nothing',
      (seen) => {
        seen.metadata.built.labels = { ...seen.metadata.built.labels, [`${prefix}.primary-image.digest`]: '' };
      },
    ],
    [
      'the seal names another image',
      'image-1-labelled',
      second,
      other,
      (seen) => {
        seen.primary.sealed.labels = { ...seen.primary.sealed.labels, [`${prefix}.metadata-image.digest`]: other };
      },
    ],
    [
      'unsealing gives another image',
      'image-1-labelled',
      origin,
      other,
      (seen) => {
        seen.unsealed = { digest: other, bytesEqual: true };
      },
    ],
    [
      'unsealing gives other bytes',
      'image-1-labelled',
      "the origin's bytes",
      'other bytes',
      (seen) => {
        seen.unsealed = { digest: origin, bytesEqual: false };
      },
    ],
    [
      'the scanner hands over another image',
      'scanner-extracts',
      second,
      other,
      (seen) => {
        seen.scanner.results = { ...seen.scanner.results, IMAGE_DIGEST: other };
      },
    ],
  ];
  test.each(breaks)('%s', (_, id, expected, found, change) => {
    const seen = wellDone();
    change(seen);
    expect(fallen(seen)).toEqual([id]);
    const evidence = judge(seen)
      .flatMap((entry) => entry.evidence)
      .find((entry) => entry.status === 'failed');
    expect(evidence).toMatchObject({ expected, found });
  });
});

test('nothing that was not produced counts as equal to something else that was not produced', () => {
  const seen: Observation = {
    ...wellDone(),
    build: { ...wellDone().build, status: 'Failed', tasks: [] },
    scanner: { ...wellDone().scanner, status: 'Cancelled', tasks: [], results: {} },
    primary: {
      ...wellDone().primary,
      origin: { reference: '', labels: {}, env: {}, problem: 'not found' },
      sealed: { reference: '', labels: {}, env: {}, problem: 'not found' },
      latest: { reference: '', labels: {}, env: {}, problem: 'not found' },
    },
    metadata: {
      ...wellDone().metadata,
      built: { reference: '', labels: {}, env: {} },
      latest: { reference: '', labels: {}, env: {} },
    },
    unsealed: { problem: 'not found' },
    proof: { problem: 'not found' },
  };
  expect(fallen(seen)).toEqual([
    'single-pipeline',
    'image-2-embeds-image-1',
    'image-1-labelled',
    'scanner-extracts',
    'no-manual-step',
  ]);
});

test.each([
  ['FAILURE', 'failed'],
  // Scanned here, but not signed: what was not checked keeps the criterion from passing.
  ['SUCCESS', 'skipped'],
])('a scan with the result %s makes its criterion %s', (result, status) => {
  const seen = { ...wellDone(), scans: [{ run: 'app-on-push', task: 'clair-scan', result, note: '' }] };
  expect(judge(seen).find((entry) => entry.id === 'scanned-and-signed')?.status).toBe(status);
});
