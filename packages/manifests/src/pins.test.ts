import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readPinRules } from '@multi-image/testing/renovate';
import { describe, expect, test } from 'vitest';
import { findPinned } from './files/stamp.ts';
import { BUILT_IN_PINS, parsePins, readPins } from './pins.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
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

describe('Renovate', () => {
  const { pattern, isMoved, ignored } = readPinRules(ROOT);
  const pinsIn = (text: string): string[] =>
    [...text.matchAll(pattern)].map(
      ({ groups }) => `${groups?.depName}:${groups?.currentValue}@${groups?.currentDigest}`,
    );

  test('finds every pin', () => {
    expect(pinsIn(TEXT)).toEqual(findPinned(TEXT).map(({ reference }) => reference));
  });

  test('moves a pin in all rendered files at once, so that its pull request leaves nothing to render', () => {
    const rendered = globSync(
      ['{.tekton,pipeline,konflux}/**/*.yaml', 'examples/*/{.tekton,pipeline,konflux}/**/*.yaml'],
      {
        cwd: ROOT,
      },
    );
    const pinned = rendered.filter((file) => pinsIn(readFileSync(join(ROOT, file), 'utf8')).length > 0);
    expect(pinned.length).toBeGreaterThan(20);
    expect(pinned.filter((file) => !isMoved(file))).toEqual([]);
    expect(isMoved('packages/manifests/pins.yaml')).toBe(true);
    // What only looks like a pipeline of somebody's is no test of a bot's.
    expect(isMoved('packages/tekton-local/testdata/checkouts/x/pipeline/build.yaml')).toBe(false);
    // A preset would leave them out.
    expect(ignored.filter((path) => path.includes('examples'))).toEqual([]);
  });
});
