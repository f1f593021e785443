import { existsSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { makeCheckout } from '@multi-image/testing/checkout';
import { expect, it, onTestFinished } from 'vitest';
import { placeInside } from './confined-path.ts';

function volume(): { root: string; base: string } {
  const { root, remove } = makeCheckout({ 'volume/real/file': '', 'outside/file': '' });
  onTestFinished(remove);
  return { root, base: join(root, 'volume') };
}

it('makes a place that is not there, and says what it is', () => {
  const { base } = volume();
  symlinkSync('real', join(base, 'link'));
  const { path, identity } = placeInside(base, 'link/a/b');
  const { dev, ino, mode } = statSync(join(base, 'real/a/b'), { bigint: true });
  expect({ path, identity }).toEqual({ path: join(base, 'link/a/b'), identity: `${dev}:${ino}` });
  expect(mode & 0o777n).toBe(0o777n);
  expect(placeInside(base, 'real/file').identity).toBe(
    `${dev}:${statSync(join(base, 'real/file'), { bigint: true }).ino}`,
  );
  expect(placeInside(base, '').path).toBe(base);
});

it.each([
  ['../outside', '../outside'],
  ['a link', 'out'],
  ['a place below a link', 'out/new'],
  ['a link to what is not there', 'dangling'],
  ['a place below one', 'dangling/new'],
  ['a link round', 'round/x'],
])('refuses %s, and makes nothing elsewhere', (_what, path) => {
  const { root, base } = volume();
  symlinkSync('../outside', join(base, 'out'));
  symlinkSync('../new', join(base, 'dangling'));
  symlinkSync('round', join(base, 'round'));
  expect(() => placeInside(base, path)).toThrow();
  expect(readdirSync(join(root, 'outside'))).toEqual(['file']);
  expect(existsSync(join(root, 'new'))).toBe(false);
});
