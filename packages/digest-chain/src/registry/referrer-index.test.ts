import { expect, it } from 'vitest';
import { indexOf, referrer } from '../testing/referrers.ts';
import { appendReferrer, fallbackTag, readReferrers } from './referrers.ts';

it('passes over members that are no descriptors', () => {
  const good = referrer('good');
  const bad = [
    null,
    1,
    [],
    {},
    { ...good, digest: 'x' },
    { ...good, size: -1 },
    { ...good, size: '1' },
    { ...good, mediaType: 1 },
  ];
  expect(readReferrers(Buffer.from(indexOf([...bad, good, good])))).toEqual([good]);
  expect(readReferrers(Buffer.from(indexOf([{ ...good, annotations: { a: 'b', c: 1 } }])))).toEqual([
    { ...good, annotations: { a: 'b' } },
  ]);
});

it('appends to an empty list', () => {
  const appended = appendReferrer(Buffer.from('{"manifests":[ ],"schemaVersion":2}'), '{"a":1}');
  expect(Buffer.from(appended).toString()).toBe('{"manifests":[{"a":1} ],"schemaVersion":2}');
});

it('takes null for an empty list where somebody wrote it, as Go does, and not as an answer', () => {
  const none = Buffer.from('{"schemaVersion":2, "manifests" : null}');
  expect(readReferrers(none, { written: true })).toEqual([]);
  expect(() => readReferrers(none)).toThrow('is no image index');
  expect(Buffer.from(appendReferrer(none, '{"a":1}')).toString()).toBe('{"schemaVersion":2, "manifests" : [{"a":1}]}');
});

it('names the fallback tag by at most 64 hex digits', () => {
  expect(fallbackTag(`sha512:${'a'.repeat(64)}${'b'.repeat(64)}`)).toBe(`sha512-${'a'.repeat(64)}`);
});
