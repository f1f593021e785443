import { describe, expect, it } from 'vitest';
import { formatError } from './error-text.ts';
import { CodedError } from './errors.ts';
import { printable, printableJson, printableLines } from './terminal.ts';

describe('what is printed', () => {
  it('keeps text that people read', () => {
    expect(printable('quay.io/org/image@sha256:… Grüße 你好 😀')).toBe('quay.io/org/image@sha256:… Grüße 你好 😀');
  });

  it.each([
    ['an ANSI escape', '\u001b[31mred', '\\u{1b}[31mred'],
    ['a line break', 'a\r\nerror', 'a\\u{d}\\u{a}error'],
    ['a C1 control', '\u009b31m', '\\u{9b}31m'],
    ['a bidi override', 'a\u202eb\u2066c', 'a\\u{202e}b\\u{2066}c'],
    ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
    ['a zero-width space', 'a\u200bb', 'a\\u{200b}b'],
    ['a tag character', 'a\u{e0041}b', 'a\\u{e0041}b'],
    ['a lone surrogate', 'a\ud800b', 'a\\u{d800}b'],
  ])('escapes %s', (_, text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  it('escapes in JSON, where it stays the same value', () => {
    const value = { 'a\u202e': ['\u009b\u2028\u{e0041}\u001b'], b: '\n' };
    const json = printableJson(value);
    expect(json).toMatch(/^[\x20-\x7e\n]*$/);
    expect(JSON.parse(json)).toEqual(value);
  });

  it('drops the colours of a tool and keeps its lines', () => {
    expect(printableLines('\u001b[31mred\u001b[0m\r\n\tok\u001b]0;title\u0007')).toEqual(['red', '  ok']);
  });

  it('has a line for the error, what was expected, what was found, and what to do', () => {
    const error = new CodedError('LINK_INVALID', 'a\nb', { expected: 'c', found: '\u001b]x\u001b8\nd', hint: 'e' });
    expect(formatError(error)).toBe(
      'error LINK_INVALID: a\n  b\n  expected: c\n  found:    \\u{1b}]x\\u{1b}8\n            d\n  hint:     e\n',
    );
  });

  it('shows the stack of what is no coded error', () => {
    expect(formatError(new TypeError('oops'))).toMatch(
      /^error INTERNAL: a bug in this program\n {2}found: {4}TypeError: oops\n/,
    );
  });
});
