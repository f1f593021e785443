import { expect, test } from 'vitest';
import { listed, seconds, title } from './wording.ts';

test.each([
  [0, '0.0 s'],
  [12, '12 ms'],
  [99.6, '100 ms'],
  [6234, '6.2 s'],
  [59_400, '59.4 s'],
  [59_900, '1 min 0 s'],
  [725_000, '12 min 5 s'],
])('%d milliseconds are %s', (milliseconds, text) => {
  expect(seconds(milliseconds)).toBe(text);
});

test('names as people say them', () => {
  expect(['image-1', 'image-one', 'bundle'].map((name) => title({ name }))).toEqual(['Image 1', 'image-one', 'bundle']);
  expect([listed([]), listed(['a']), listed(['a', 'b']), listed(['a', 'b', 'c'])]).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
  ]);
});
