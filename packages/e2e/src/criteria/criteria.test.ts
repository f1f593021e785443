import { describe, expect, test } from 'vitest';
import { judge } from './criteria.ts';
import type { Observation } from './observation.ts';

const origin = `sha256:${'1'.repeat(64)}`;
const sealed = `sha256:${'2'.repeat(64)}`;
const second = `sha256:${'3'.repeat(64)}`;
const other = `sha256:${'4'.repeat(64)}`;
const revision = 'c0ffee'.padEnd(40, '0');
const prefix = 'io.konflux.poc';

/** What a run in which all went well looks like. */
function wellDone() {
  const at = (start: number, end: number) => ({ startedAt: start, finishedAt: end });
  const labels = { 'org.opencontainers.image.revision': revision };
  const url = `registry.example/org/image2:${revision}`;
  const repository = 'registry.example/org/image1';
  return {
    revision,
    labelPrefix: prefix,
    build: {
      name: 'app-on-push',
      status: 'Succeeded',
      results: {},
      ...at(0, 9000),
      tasks: [
        { name: 'build-image-1', status: 'Succeeded', results: { IMAGE_DIGEST: origin }, ...at(0, 1000) },
        {
          name: 'build-image-2',
          status: 'Succeeded',
          results: { IMAGE_DIGEST: second, IMAGE_URL: url },
          ...at(1000, 2000),
        },
        { name: 'label-image-1', status: 'Succeeded', results: {}, ...at(2000, 3000) },
      ],
    },
    scanner: {
      name: 'metadata-scanner-on-push',
      status: 'Succeeded',
      results: { IMAGE_URL: url, IMAGE_DIGEST: second },
      ...at(10, 5000),
      tasks: [{ name: 'extract-image-2', status: 'Succeeded', results: {}, ...at(100, 3100) }],
    },
    primary: {
      repository,
      origin: { reference: `${repository}@${origin}`, digest: origin, labels, env: {} },
      sealed: {
        reference: `${repository}:${revision}`,
        digest: sealed,
        labels: { ...labels, [`${prefix}.metadata-image.digest`]: second },
        env: {},
      },
      latest: { reference: `${repository}:latest`, digest: sealed, labels, env: {} },
      output: { exitCode: 0, stdout: 'Hello from Image 1!\n', stderr: '', stdoutBytes: new Uint8Array() },
    },
    metadata: {
      repository: 'registry.example/org/image2',
      built: {
        reference: `registry.example/org/image2@${second}`,
        digest: second,
        labels: { ...labels, [`${prefix}.primary-image.digest`]: origin },
        env: { IMAGE1_DIGEST: origin, IMAGE1_URL: `${repository}@${origin}` },
      },
      latest: { reference: 'registry.example/org/image2:latest', digest: second, labels, env: {} },
      output: { exitCode: 0, stdout: `Hello\nImage 1 Digest: ${origin}\n`, stderr: '', stdoutBytes: new Uint8Array() },
    },
    unsealed: { digest: origin, bytesEqual: true },
    proof: [{ id: 'embeds-origin', status: 'passed', text: 'it does' }],
    scans: [{ run: 'app-on-push', task: 'clair-scan', result: 'SKIPPED', note: 'no scanner' }],
  } satisfies Observation;
}

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
