import { describe, expect, it } from 'vitest';
import { expandEnvironment, substituteString } from './substitute.ts';
import { Variables } from './variables.ts';

const known = new Variables();
known.addParam('text', 'T', 'task');
known.addParam('list', ['a', 'b'], 'task');
known.addParam('none', [], 'task');
known.addParam('map', { key: 'K', other: 'O' }, 'task');
known.addParam('dotted.name', 'N', 'task');
known.addResult('build', 'DIGEST', 'sha256:1');
known.addResult('build', 'IMAGES', ['x', 'y']);

describe('in a text', () => {
  it.each([
    ['$(params.text)', 'T'],
    ['a-$(params.text)-$(params["text"])-$(params[\'dotted.name\'])-$(inputs.params.text)', 'a-T-T-N-T'],
    ['$(params.list[1])', 'b'],
    ['$(params.map.key)', 'K'],
    ['$(tasks.build.results.DIGEST) $(tasks.build.results.IMAGES[0])', 'sha256:1 x'],
    ['$($(params.text))', '$(T)'],
    // a shell's own, and what nobody knows
    [
      '$(date) $(params) $(paramsx.text) $(tasks --all) $(context.foo)',
      '$(date) $(params) $(paramsx.text) $(tasks --all) $(context.foo)',
    ],
    [
      '$(params.list) $(params.list[*]) $(params.list[2]) $(params.constructor)',
      '$(params.list) $(params.list[*]) $(params.list[2]) $(params.constructor)',
    ],
  ])('%s', (text, expected) => {
    expect(known.text(text)).toBe(expected);
  });

  it('once: what a value brings in stays what it is', () => {
    expect(Variables.of({ 'params.text': '$(params.other)', 'params.other': 'x' }).text('$(params.text)')).toBe(
      '$(params.other)',
    );
    expect(substituteString('$(results.r.path) $(results.no.path)', { values: { 'results.r.path': '/r' } })).toBe(
      '/r $(results.no.path)',
    );
  });
});

describe('of lists and values', () => {
  it('an array in a list, with a star or without', () => {
    expect(
      known.list(['0', '$(params.list[*])', '$(params.none[*])', '$(params["list"])', '-$(params.list[*])']),
    ).toEqual(['0', 'a', 'b', 'a', 'b', '-$(params.list[*])']);
  });

  it('whole arrays and objects', () => {
    expect(known.value('$(params.list[*])')).toEqual(['a', 'b']);
    expect(known.value('$(params.list)')).toEqual(['a', 'b']);
    expect(known.value('$(params.map[*])')).toEqual({ key: 'K', other: 'O' });
    expect(known.value('$(tasks.build.results.IMAGES[*])')).toEqual(['x', 'y']);
    expect(known.value({ k: '$(params.text)' })).toEqual({ k: 'T' });
  });

  it('an array in a when, where params need the star', () => {
    expect(known.input('$(params.list[*])')).toBe('["a","b"]');
    expect(known.input('$(params.list)')).toBe('$(params.list)');
    expect(known.values(['$(params.list[*])', '$(tasks.build.results.IMAGES)', '$(params.list)'])).toEqual([
      'a',
      'b',
      'x',
      'y',
      '$(params.list)',
    ]);
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
