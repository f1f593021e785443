import { expect, test } from 'vitest';
import { listed, title } from './wording.ts';

test('names as people say them', () => {
  expect(['image-1', 'image-one', 'bundle'].map((name) => title({ name }))).toEqual(['Image 1', 'image-one', 'bundle']);
  expect([listed([]), listed(['a']), listed(['a', 'b']), listed(['a', 'b', 'c'])]).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
  ]);
});
