import { cpuSeconds } from '@multi-image/testing/cpu-time';
import { expect, it } from 'vitest';
import { nextLink } from './headers.ts';

it.each<[string, string | undefined]>([
  ['</v2/a/referrers/x?n=2>; rel="next"', '/v2/a/referrers/x?n=2'],
  ['<next>;rel=next', 'next'],
  ['<a>; rel="prev", <b>; rel="next"', 'b'],
  ['<a>; title="x, <y>; rel=\\"next\\"", <b>; rel="last next"', 'b'],
  ['<a>; REL="Next"', 'a'],
  ['<a>; foo; rel="next"', 'a'],
  ['<a>; rel="nextish"', undefined],
  ['<a>', undefined],
  ['a; rel="next"', undefined],
  ['', undefined],
])('reads %s', (header, target) => {
  expect(nextLink(header)).toBe(target);
});

it('takes no time for a header that is made to take some', () => {
  const seconds = cpuSeconds(() => {
    for (const piece of ['<a>', '<a>;', '; ', '<', ' ,', '<a>; x="\\', '<a>; x=y ']) nextLink(piece.repeat(8000));
  });
  expect(seconds).toBeLessThan(0.5);
});
