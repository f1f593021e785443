import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeString, get, MAX_DEPTH, rawText, scanJson } from './scan.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('scanJson', () => {
  it('accepts what JSON.parse writes and keeps the positions of members', () => {
    const text = ' { "a" : [1, -0.5e+3, true, null], "b\\u0063" : "x\\"y" } ';
    const root = scanJson(bytes(text));
    expect(rawText(bytes(text), get(root, 'a') ?? root)).toBe('[1, -0.5e+3, true, null]');
    expect(decodeString(bytes(text), get(root, 'bc') ?? root)).toBe('x"y');
  });

  it('agrees with JSON.parse on every document without duplicate keys', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(rawText(bytes(text), scanJson(bytes(text)))).toBe(text);
      }),
    );
  });

  it('agrees with JSON.parse on what is no JSON', () => {
    const fragment = fc.constantFrom(...'{}[]:,"\\u0041e+-.0123 \n\ttruefalsn'.split(''), 'null', '"a"', 'true', '1');
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 12 }), (fragments) => {
        const text = fragments.join('');
        let parsed = true;
        try {
          JSON.parse(text);
        } catch {
          parsed = false;
        }
        if (parsed) expect(() => scanJson(bytes(text))).not.toThrow(/not valid JSON/);
        else expect(() => scanJson(bytes(text))).toThrow();
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['', 'nothing'],
    ['{"a":1,}', 'a comma too many'],
    ['[1 2]', 'no comma'],
    ['{"a" 1}', 'no colon'],
    ['{a:1}', 'a bare key'],
    ['01', 'a leading zero'],
    ['1.', 'no fraction'],
    ['+1', 'a plus'],
    ['nul', 'half a literal'],
    ['"\n"', 'a line break in a string'],
    ['"\\x"', 'an unknown escape'],
    ['"\\u12g4"', 'no hex digit'],
    ['"a', 'no end'],
    ['{} {}', 'two documents'],
    ['\ufeff{}', 'a byte order mark'],
    ['"\\ud800"', 'a lone surrogate'],
    ['NaN', 'no JSON number'],
  ])('refuses %j: %s', (text) => {
    expect(() => scanJson(bytes(text))).toThrow(expect.objectContaining({ code: 'JSON_INVALID' }));
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(() => scanJson(Buffer.from([0x22, 0xc3, 0x28, 0x22]))).toThrow(
      expect.objectContaining({ code: 'JSON_INVALID' }),
    );
  });

  it.each(['{"a":1,"a":2}', '{"x":[{"a":1,"\\u0061":2}]}', '{"":0,"":0}'])('refuses duplicate keys: %s', (text) => {
    expect(() => scanJson(bytes(text))).toThrow(expect.objectContaining({ code: 'JSON_DUPLICATE_KEY' }));
  });

  it('allows the same key in different objects', () => {
    expect(() => scanJson(bytes('{"a":{"a":1},"b":[{"a":1},{"a":1}]}'))).not.toThrow();
  });

  it('refuses to nest deeper than its limit, without running out of stack', () => {
    const nested = (depth: number): Uint8Array => bytes('['.repeat(depth) + ']'.repeat(depth));
    expect(() => scanJson(nested(MAX_DEPTH))).not.toThrow();
    expect(() => scanJson(nested(MAX_DEPTH + 1))).toThrow(expect.objectContaining({ code: 'JSON_INVALID' }));
    expect(() => scanJson(bytes('['.repeat(1_000_000)))).toThrow(expect.objectContaining({ code: 'JSON_INVALID' }));
  });
});
