import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findCycle } from './cycles.ts';

const edges = (graph: Record<string, string[]>) => new Map(Object.entries(graph));

test.each([
  [{ a: ['a'] }, ['a', 'a']],
  [{ a: ['b'], b: ['a'] }, ['a', 'b', 'a']],
  [{ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }, undefined],
  [{ a: ['b'], b: ['c'], c: ['d'], d: ['b'] }, ['b', 'c', 'd', 'b']],
  [{ a: ['unknown'] }, undefined],
  [{ a: [], b: ['c'], c: ['b'] }, ['b', 'c', 'b']],
])('%j', (graph, cycle) => {
  expect(findCycle(edges(graph))).toEqual(cycle);
});

test('what is found is a way round, and a graph whose edges all lead back has none', () => {
  const graph = fc.array(fc.array(fc.nat({ max: 9 }), { maxLength: 4 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(graph, (lists) => {
      const map = new Map(lists.map((list, index) => [String(index), list.map(String)]));
      const cycle = findCycle(map);
      if (cycle === undefined) return;
      expect(cycle.length).toBeGreaterThan(1);
      expect(cycle.at(-1)).toBe(cycle[0]);
      expect(new Set(cycle).size).toBe(cycle.length - 1);
      for (let at = 1; at < cycle.length; at += 1) expect(map.get(cycle[at - 1] ?? '')).toContain(cycle[at]);
    }),
  );
  fc.assert(
    fc.property(graph, (lists) => {
      const map = new Map(lists.map((list, index) => [String(index), list.filter((to) => to < index).map(String)]));
      expect(findCycle(map)).toBeUndefined();
    }),
  );
});

test('a chain of 200,000 does not exhaust the stack', () => {
  const size = 200_000;
  const map = new Map(Array.from({ length: size }, (_, at) => [String(at), at + 1 < size ? [String(at + 1)] : []]));
  expect(findCycle(map)).toBeUndefined();
});
