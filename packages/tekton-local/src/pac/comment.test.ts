import { describe, expect, it } from 'vitest';
import { asksToSkip, readComment, variablesIn } from './comment.ts';

describe('a comment', () => {
  it.each([
    ['/test', 'test-all-comment', undefined],
    ['please\n  /retest \nthanks', 'retest-all-comment', undefined],
    ['/test lint', 'test-comment', 'lint'],
    ['/retest lint now', 'retest-comment', 'lint'],
    ['/test key=value', 'test-comment', undefined],
    ['/ok-to-test abcdef1', 'ok-to-test-comment', undefined],
    ['/testing', 'no-ops-comment', undefined],
    ['do /test it', 'no-ops-comment', undefined],
    ['/cancel lint', 'cancel-comment', undefined],
  ])('%j', (text, type, run) => {
    expect(readComment(text)).toEqual({ type, run, cancels: type.startsWith('cancel') });
  });

  it('has the prefix of the Repository', () => {
    expect(readComment('/pac test lint', 'pac')).toMatchObject({ type: 'test-comment', run: 'lint' });
    expect(readComment('/test', 'pac').type).toBe('no-ops-comment');
  });

  it('has variables, where it is a command', () => {
    expect(variablesIn('/test a=1 b="two \\"words\\"" c=d=e')).toEqual({ a: '1', b: 'two "words"', c: 'd=e' });
    expect(variablesIn('hello a=1')).toEqual({});
  });

  it('of a commit may ask for no run', () => {
    expect([asksToSkip('fix [skip ci]'), asksToSkip('[tkn skip]'), asksToSkip('skip ci')]).toEqual([true, true, false]);
  });
});
