import { expect, it } from 'vitest';
import { keyFor } from './image-instead.ts';

it.each([
  ['registry.io/a/tool@sha256:1', 'registry.io/a/tool'],
  ['registry.io:5000/a/tool:2', 'registry.io:5000/a/tool:2'],
  ['registry.io/a/other:1', 'registry.io/a/*'],
  ['registry.io/b/other', 'registry.io/*'],
  ['elsewhere.io/a/tool', undefined],
])('%s is meant by %s', (image, key) => {
  const keys = ['registry.io/*', 'registry.io/a/*', 'registry.io/a/tool', 'registry.io:5000/a/tool:2'];
  expect(keyFor(keys, image)).toBe(key);
});
