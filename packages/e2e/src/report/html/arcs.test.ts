import { expect, test } from 'vitest';
import { strip } from './arcs.ts';

/** Where each arrow starts, the height of its line, and where it ends: in the order in which they are drawn. */
function drawn(...args: Parameters<typeof strip>): { text: string; start: number; lane: number; end: number }[] {
  const arrows = strip(...args).text.matchAll(
    /d="M(\S+) \S+?V\S+?Q\S+ (\S+) \S+ \S+?H\S+?Q(\S+) [^"]*" fill="none".*?<text[^>]*>(.*?)</g,
  );
  return [...arrows].map(([, start, lane, end, text = '']) => ({
    text,
    start: Number(start),
    lane: Number(lane),
    end: Number(end),
  }));
}

const arc = (from: number, to: number) => ({ from, to, text: `${from}-${to}` });

test('arrows that would lie on each other get lanes and ports of their own, the longest outside', () => {
  const [long, ...short] = drawn('above', 3, [arc(0, 1), arc(1, 2), arc(0, 2)], 'passed');
  expect([long, ...short].map((entry) => entry?.text)).toEqual(['0-2', '0-1', '1-2']);
  for (const { lane } of short) expect(lane).toBeGreaterThan(long?.lane ?? Infinity);
  expect(short[0]?.start).toBeGreaterThan(long?.start ?? Infinity);
  expect(short[1]?.end).toBeLessThan(long?.end ?? 0);
  expect(short[0]?.end).toBeLessThan(short[1]?.start ?? 0);
});

test('below, they lead back', () => {
  const [long, short] = drawn('below', 3, [arc(1, 0), arc(2, 0)], 'failed');
  expect(long?.text).toBe('2-0');
  expect(long?.lane).toBeGreaterThan(short?.lane ?? Infinity);
  expect(short?.end).toBeGreaterThan(long?.end ?? Infinity);
});

test('without arrows there is no strip', () => {
  expect(strip('above', 2, [], 'passed').text).toBe('');
});
