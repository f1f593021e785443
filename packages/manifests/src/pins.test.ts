import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findPinned } from './files/stamp.ts';
import { BUILT_IN_PINS, parsePins, readPins } from './pins.ts';

const TEXT = readFileSync(BUILT_IN_PINS, 'utf8');

test('the built-in pins are complete, and nothing else is in the file', () => {
  const { tasks, images } = readPins();
  const references = [...Object.values(tasks), ...Object.values(images)];
  expect(findPinned(TEXT).map(({ reference }) => reference)).toEqual(references);
  // A pin is recognised in a rendered file by its repository.
  expect(new Set(findPinned(TEXT).map(({ repository }) => repository)).size).toBe(references.length);
});

test.each([
  ['a tag without a digest', /@sha256:[0-9a-f]{64}/, ''],
  ['a digest without a tag', /:[A-Za-z0-9._-]+@/, '@'],
  ['a digest that is cut short', /[0-9a-f]@?\n/, '\n'],
  ['a branch as verifier', /verifier: [0-9a-f]{40}/, 'verifier: main'],
  ['a name that is missing', / {2}init: .*\n/, ''],
])('%s is refused', (_, from, to) => {
  expect(TEXT).toMatch(from);
  expect(() => parsePins(TEXT.replace(from, to), 'pins.yaml')).toThrowError(
    expect.objectContaining({ code: 'PINS_INVALID' }),
  );
});

test('Renovate finds every pin', () => {
  const renovate = JSON.parse(readFileSync(new URL('../../../renovate.json', import.meta.url), 'utf8')) as {
    customManagers: { matchStrings: string[] }[];
  };
  const [pattern = ''] = renovate.customManagers[0]?.matchStrings ?? [];
  const found = [...TEXT.matchAll(new RegExp(pattern, 'g'))].map(
    ({ groups }) => `${groups?.depName}:${groups?.currentValue}@${groups?.currentDigest}`,
  );
  expect(found).toEqual(findPinned(TEXT).map(({ reference }) => reference));
});
