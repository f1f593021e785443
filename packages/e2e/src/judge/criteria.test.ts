import { describe, expect, test } from 'vitest';
import { origin, other, prefix, revision, type Sample, sealed, second, wellDone } from '../testing/observation.ts';
import { judge } from './criteria.ts';
import type { Evidence } from './criterion.ts';
import type { ImageView, Observation } from './observation.ts';

const fallen = (seen: Observation): string[] =>
  judge(seen)
    .filter((entry) => entry.status === 'failed')
    .map((entry) => entry.id);

const evidenceOf = (seen: Observation, check: string): Evidence[] =>
  judge(seen)
    .flatMap(({ evidence }) => evidence)
    .filter((entry) => entry.check === check);

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
  const label = (view: ImageView, key: string, value: string): ImageView => ({
    ...view,
    labels: { ...view.labels, [key]: value },
  });
  const reprint = (image: Sample['primary'], what: string | RegExp, instead: string): void => {
    if (image.output === undefined || 'problem' in image.output) throw new Error('the sample ran');
    image.output = { ...image.output, stdout: image.output.stdout.replaceAll(new RegExp(what, 'g'), instead) };
  };
  const rebuild = (seen: Sample, buildArgs: readonly string[]): void => {
    const tasks = seen.build.tasks.map((task) => (task.name === 'build-image-2' ? { ...task, buildArgs } : task));
    seen.build = { ...seen.build, tasks };
  };
  const breaks: [string, string, string, unknown, (seen: Sample) => void][] = [
    [
      'latest still the old image',
      'single-pipeline',
      sealed,
      other,
      ({ primary }) => {
        primary.latest = { ...primary.latest, digest: other };
      },
    ],
    [
      'Image 2 of another commit',
      'single-pipeline',
      revision,
      'f'.repeat(40),
      ({ metadata }) => {
        metadata.origin = label(metadata.origin, 'org.opencontainers.image.revision', 'f'.repeat(40));
      },
    ],
    [
      'Image 1 does not start',
      'single-pipeline',
      'exit code 0',
      'no such file (exit code 127)',
      ({ primary }) => {
        primary.output = { exitCode: 127, stdout: '', stderr: 'no such file\n', stdoutBytes: new Uint8Array() };
      },
    ],
    [
      'the environment names another image',
      'image-2-embeds-image-1',
      origin,
      other,
      ({ metadata }) => {
        metadata.origin = { ...metadata.origin, env: { ...metadata.origin.env, IMAGE1_DIGEST: other } };
      },
    ],
    [
      'the label is empty',
      'image-2-embeds-image-1',
      origin,
      'nothing',
      ({ metadata }) => {
        metadata.origin = label(metadata.origin, `${prefix}.primary-image.digest`, '');
      },
    ],
    [
      'Image 2 prints another digest',
      'image-2-embeds-image-1',
      `a line with ${origin}`,
      expect.stringContaining(`Image 1 Digest: ${other}\n`),
      ({ metadata }) => reprint(metadata, `Digest: ${origin}`, `Digest: ${other}`),
    ],
    [
      'Image 2 prints another URL',
      'image-2-embeds-image-1',
      `a line with registry.example/org/image1@${origin}`,
      expect.stringContaining('Image 1 URL: elsewhere'),
      ({ metadata }) => reprint(metadata, 'URL: registry.example', 'URL: elsewhere'),
    ],
    [
      'Image 2 does not claim what it proves',
      'image-2-embeds-image-1',
      'This container proves the signed/sealed image chain.',
      expect.stringContaining('This container is another.'),
      ({ metadata }) => reprint(metadata, 'proves the signed/sealed image chain', 'is another'),
    ],
    [
      'Image 1 is another program',
      'single-pipeline',
      'Hello from Image 1!',
      expect.stringMatching(/^Hello from Image 2!\n/),
      ({ primary }) => reprint(primary, 'Image 1', 'Image 2'),
    ],
    [
      'Image 1 does not say when',
      'single-pipeline',
      'Timestamp: …',
      expect.stringContaining('Timestamp: soon'),
      ({ primary }) => reprint(primary, /Timestamp: .*/, 'Timestamp: soon'),
    ],
    [
      'Image 2 was built without the argument',
      'image-2-embeds-image-1',
      `IMAGE1_DIGEST=${origin}`,
      'no build arguments',
      (seen) => rebuild(seen, []),
    ],
    [
      'Image 2 was built with the digest of another',
      'image-2-embeds-image-1',
      `IMAGE1_DIGEST=${origin}`,
      `IMAGE1_DIGEST=${other}`,
      (seen) => rebuild(seen, [`IMAGE1_DIGEST=${other}`]),
    ],
    [
      'the seal is of another image',
      'image-1-labelled',
      origin,
      other,
      ({ primary }) => {
        primary.published = label(primary.published, `${prefix}.sealed-from.digest`, other);
      },
    ],
    [
      'the seal names another image',
      'image-1-labelled',
      second,
      other,
      ({ primary }) => {
        primary.published = label(primary.published, `${prefix}.metadata-image.digest`, other);
      },
    ],
    [
      'unsealing gives another image',
      'image-1-labelled',
      origin,
      other,
      ({ primary }) => {
        primary.unsealed = { digest: other, bytesEqual: true };
      },
    ],
    [
      'unsealing gives other bytes',
      'image-1-labelled',
      "the origin's bytes",
      'other bytes',
      ({ primary }) => {
        primary.unsealed = { digest: origin, bytesEqual: false };
      },
    ],
    [
      'a check of the proof failed',
      'image-1-labelled',
      'x',
      'y',
      ({ primary }) => {
        primary.proof = [{ id: 'same-revision', status: 'failed', evidence: 'no', expected: 'x', found: 'y' }];
      },
    ],
    [
      'a signature does not verify',
      'scanned-and-signed',
      'x',
      'y',
      ({ primary }) => {
        primary.proof = [{ id: 'signature', status: 'failed', evidence: 'no', expected: 'x', found: 'y' }];
      },
    ],
    [
      'the scanner hands over another image',
      'scanner-extracts',
      second,
      other,
      ({ scanner }) => {
        scanner.results = { ...scanner.results, IMAGE_DIGEST: other };
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

test('what the build was called with is judged only where it could be seen', () => {
  const seen = wellDone();
  seen.build = { ...seen.build, tasks: seen.build.tasks.map((task) => ({ ...task, buildArgs: undefined })) };
  expect(evidenceOf(seen, 'build-args')).toEqual([]);
  expect(fallen(seen)).toEqual([]);
});

test('linked by the statement alone, Image 1 is published as it was built', () => {
  const seen = wellDone();
  seen.primary.seal = 'referrer';
  expect(fallen(seen)).toEqual(['image-1-labelled']);
  Object.assign(seen.primary.published, { digest: origin });
  seen.primary.latest = { ...seen.primary.latest, digest: origin };
  expect(fallen(seen)).toEqual([]);
});

test('nothing that was not produced counts as equal to something else that was not produced', () => {
  const seen = wellDone();
  const nothing = { reference: '', labels: {}, env: {}, problem: 'not found' };
  seen.build = { ...seen.build, status: 'Failed', tasks: [] };
  Object.assign(seen.scanner, { status: 'Cancelled', tasks: [], results: {} });
  for (const image of [seen.primary, seen.metadata]) {
    Object.assign(image, { origin: nothing, published: nothing, latest: nothing });
  }
  Object.assign(seen.primary, { unsealed: { problem: 'not found' }, proof: { problem: 'not found' } });
  expect(fallen(seen)).toEqual([
    'single-pipeline',
    'image-2-embeds-image-1',
    'image-1-labelled',
    'scanner-extracts',
    'no-manual-step',
  ]);
  for (const { id, evidence } of judge(seen)) {
    for (const { check, status } of evidence) {
      if (['revision', 'latest', 'origin', 'env', 'label'].includes(check))
        expect([id, check, status]).toContain('failed');
    }
  }
});
