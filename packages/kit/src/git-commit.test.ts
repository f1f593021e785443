import { expect, it } from 'vitest';
import { isCommit } from './git-commit.ts';

it.each([
  ['a'.repeat(40), true],
  ['0'.repeat(64), true],
  ['A'.repeat(40), false],
  ['a'.repeat(39), false],
  [`${'a'.repeat(40)}\n`, false],
  ['$(touch x)', false],
])('a commit is 40 or 64 hex digits: %j', (text, is) => {
  expect(isCommit(text)).toBe(is);
});
