import { expect, test } from 'vitest';
import { firstCause } from '../report/first-cause.ts';
import { origin, type Sample, wellDone } from '../testing/observation.ts';
import { reportFor } from '../testing/report.ts';
import type { Criterion } from './criterion.ts';
import type { TaskFacts } from './observation.ts';

const nothing = (reference: string) => ({ reference, labels: {}, env: {}, problem: 'NOT_FOUND: no such manifest' });

/** A run of which this task failed: what comes after it was not done, and the scanner was stopped. */
function failedAt(name: string, change: (task: TaskFacts) => TaskFacts = (task) => task): Sample {
  const seen = wellDone();
  const at = seen.build.tasks.findIndex((task) => task.name === name);
  const tasks = seen.build.tasks.map((task, index): TaskFacts => {
    if (index < at) return task;
    const { buildArgs: _, ...rest } = { ...task, results: {} };
    return index === at ? change({ ...rest, status: 'Failed', message: 'exit 1' }) : { ...rest, status: 'Skipped' };
  });
  seen.build = { ...seen.build, status: 'Failed', tasks };
  seen.scanner = { ...seen.scanner, status: 'Cancelled', results: {}, tasks: [] };
  seen.scanners = [{ role: 'metadata', run: seen.scanner }];
  seen.primary.published = nothing('registry.example/org/image1:c0ffee');
  seen.primary.latest = nothing('registry.example/org/image1:latest');
  seen.metadata.latest = nothing('registry.example/org/image2:latest');
  seen.primary.unsealed = undefined;
  seen.primary.proof = { problem: 'NOT_FOUND: no such manifest' };
  if (name === 'label-image-1') return withImages(seen);
  seen.metadata.origin = nothing('registry.example/org/image2');
  seen.metadata.published = nothing('registry.example/org/image2:c0ffee');
  seen.metadata.output = undefined;
  if (name === 'build-image-2') return withImages(seen);
  seen.primary.origin = nothing('registry.example/org/image1');
  seen.primary.output = undefined;
  return withImages(seen);
}

const withImages = (seen: Sample): Sample => ({ ...seen, images: [seen.primary, seen.metadata] });
const statuses = (criteria: readonly Criterion[]) => criteria.map(({ id, status }) => `${id} ${status}`);

test('a build that fails makes one criterion fall; the others are skipped as not judged', () => {
  const { criteria, status, level, cause } = reportFor(failedAt('build-image-1'));
  expect(statuses(criteria)).toEqual([
    'single-pipeline failed',
    'image-2-embeds-image-1 skipped',
    'image-1-labelled skipped',
    'scanner-extracts skipped',
    'scanned-and-signed skipped',
    'no-manual-step skipped',
  ]);
  expect([status, level]).toEqual(['failed', 'none']);
  const failures = criteria.flatMap(({ evidence }) => evidence.filter((entry) => entry.status === 'failed'));
  expect(failures).toEqual([expect.objectContaining({ check: 'task', text: 'build-image-1 of app-on-push failed' })]);
  expect(criteria.at(-1)?.evidence[0]?.text).toBe('the rest was not judged: build-image-1 of app-on-push failed');
  expect(cause?.what).toBe('task build-image-1 of app-on-push failed');
});

test('a seal that fails since Image 2 lacks a label falls by what Image 2 lacks', () => {
  const seen = failedAt('label-image-1');
  seen.metadata.origin = { ...seen.metadata.origin, labels: {} };
  const faults = [
    { role: 'metadata', what: 'image2/Containerfile:4: the image does not say …', todo: ['LABEL a=b'] },
    { role: 'primary', what: 'another', todo: [] },
  ];
  const { criteria } = reportFor(withImages(seen));
  expect(criteria.filter((entry) => entry.status === 'failed').map(({ id }) => id)).toEqual(['image-2-embeds-image-1']);
  const failures = criteria.flatMap(({ evidence }) => evidence.filter((entry) => entry.status === 'failed'));
  expect(failures.map(({ check, expected }) => [check, expected])).toEqual([['label', origin]]);
  const cause = firstCause(withImages(seen), criteria, faults);
  expect(cause).toMatchObject({ what: faults[0]?.what, todo: ['LABEL a=b'] });
});

test('a seal that fails for another reason makes the seal fall', () => {
  const { criteria } = reportFor(failedAt('label-image-1'));
  expect(criteria.filter((entry) => entry.status === 'failed').map(({ id }) => id)).toEqual(['image-1-labelled']);
});

test('what a verifier found wrong stays wrong, whatever failed before', () => {
  const seen = failedAt('label-image-1');
  seen.primary.proof = [{ id: 'signature', role: 'primary', status: 'failed', evidence: 'another key' }];
  const { criteria } = reportFor(withImages(seen));
  const fallen = criteria.filter((entry) => entry.status === 'failed').map(({ id }) => id);
  expect(fallen).toEqual(['image-1-labelled', 'scanned-and-signed']);
});

test('where all runs succeeded, what was found wrong first is the cause, and a fault of the source that explains it', () => {
  const seen = wellDone();
  seen.metadata.latest = { ...seen.metadata.latest, digest: `sha256:${'9'.repeat(64)}` };
  seen.metadata.published = { ...seen.metadata.published, env: {} };
  const { criteria, cause } = reportFor(withImages(seen));
  const [first] = criteria.flatMap(({ evidence }) => evidence.filter(({ status }) => status === 'failed'));
  expect(cause?.what).toBe(first?.text);
  expect(cause?.lines.join('\n')).toContain(first?.found);
  expect(reportFor(wellDone()).cause).toBeUndefined();
  const lacking = withImages(wellDone());
  for (const image of [lacking.metadata.origin, lacking.metadata.published]) image.labels = {};
  const fault = { role: 'metadata', what: 'image2/Containerfile:4: no LABEL', todo: ['LABEL a=b'] };
  expect(firstCause(lacking, reportFor(lacking).criteria, [fault])).toMatchObject({
    what: fault.what,
    todo: fault.todo,
  });
});

test('a full disk is named first, whatever fell by it', () => {
  const seen = failedAt('build-image-2', (task) => ({
    ...task,
    logTail: ['error writing blob: write /tmp/x: no space left on device', 'error LINK_MISMATCH: something else'],
  }));
  const { cause } = reportFor(seen);
  expect(cause?.what).toMatch(/^the disk is full: task build-image-2/);
  expect(cause?.lines[0]).toContain('/tmp/x');
  expect(cause?.todo.join()).toContain('TMPDIR');
});

test('the last error in a log is the cause, without what came before it', () => {
  const seen = failedAt('label-image-1', (task) => ({
    ...task,
    logTail: ['pulling', 'error LINK_MISMATCH: x', '  found: y'],
  }));
  expect(reportFor(seen).cause?.lines).toEqual(['error LINK_MISMATCH: x', '  found: y']);
});
