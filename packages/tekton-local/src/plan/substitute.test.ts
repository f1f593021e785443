import { describe, expect, it } from 'vitest';
import { expandEnvironment, type Scope, substituteList, substituteString, substituteValue } from './substitute.ts';

const scope: Scope = {
  params: { text: 'T', list: ['a', 'b'], none: [], map: { 'key.dot': 'D', key: 'K' }, 'dotted.name': 'N' },
  tasks: new Map([['build', { DIGEST: 'sha256:1', IMAGES: ['x', 'y'] }]]),
  values: { 'context.taskRun.name': 'run', 'results.r.path': '/tekton/results/r', 'tasks.build.status': 'Succeeded' },
};

describe('substituteString', () => {
  it.each([
    ['$(params.text)', 'T'],
    ['a-$(params.text)-$(params["text"])-$(params[\'dotted.name\'])', 'a-T-T-N'],
    ['$(params.list[1])', 'b'],
    ['$(params.map.key) $(params.map["key.dot"])', 'K D'],
    ['$(tasks.build.results.DIGEST) $(tasks.build.results.IMAGES[0]) $(tasks.build.status)', 'sha256:1 x Succeeded'],
    ['$(context.taskRun.name) $(results.r.path)', 'run /tekton/results/r'],
    // a shell's own
    ['$(date) $(params) $(paramsx.text) $(tasks --all)', '$(date) $(params) $(paramsx.text) $(tasks --all)'],
  ])('%s', (text, expected) => {
    expect(substituteString(text, scope)).toBe(expected);
  });

  it('replaces once: a value that looks like a reference stays what it is', () => {
    const nested = { ...scope, params: { text: '$(params.other)', other: 'secret' } };
    expect(substituteString('$(params.text)', nested)).toBe('$(params.other)');
  });

  it.each([
    '$(params.list)',
    '$(params.list[*])',
    '$(params.list[2])',
    '$(params.no)',
    '$(params.map)',
    '$(params.map.no)',
    '$(params.text[*])',
    '$(params.constructor)',
    '$(tasks.build.results.no)',
  ])('refuses %s inside a text', (text) => {
    expect(() => substituteString(`x ${text}`, scope)).toThrow(text);
  });
});

describe('lists and values', () => {
  it('spreads a whole array, which may be empty', () => {
    expect(
      substituteList(['0', '$(params.list[*])', '$(params.none[*])', '$(tasks.build.results.IMAGES[*])'], scope),
    ).toEqual(['0', 'a', 'b', 'x', 'y']);
  });
  it('hands on whole arrays and objects', () => {
    expect(substituteValue('$(params.list[*])', scope)).toEqual(['a', 'b']);
    expect(substituteValue('$(params.map[*])', scope)).toEqual({ key: 'K', 'key.dot': 'D' });
    expect(substituteValue({ k: '$(params.text)' }, scope)).toEqual({ k: 'T' });
  });
});

describe('expandEnvironment', () => {
  it.each([
    ['$(A) $(B) $$(A) $A', 'a $(B) $(A) $A'],
    ['$$$(A)', '$a'],
  ])('%s', (text, expected) => {
    expect(expandEnvironment(text, new Map([['A', 'a']]))).toBe(expected);
  });
});
