import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { at, decodeJson, member } from './decode.ts';

const decode = (text: string): unknown => decodeJson(Buffer.from(text));

describe('decodeJson', () => {
  it('gives the values that were written', () => {
    fc.assert(
      // As text, since JSON has no way to write -0.
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.stringify(decode(text))).toBe(text);
      }),
    );
    expect(decode('{"a":[1,-2.5e1,true,null,"x\\u0079"],"b":{"":{}}}')).toEqual({
      a: [1, -25, true, null, 'xy'],
      b: { '': {} },
    });
  });

  it('reads an escaped key as it is, whatever was read before', () => {
    // JSON.parse of Node 24.21 gives the keys "" and "\" for the second of these.
    decode('{"":1,"\\\\":1}');
    JSON.parse('{"":1,"\\\\":1}');
    expect(Object.keys(decode('{"":1,"\\u0062":1}') as object)).toEqual(['', 'b']);
  });

  it('has no prototype to reach', () => {
    const value = decode('{"__proto__":{"a":1},"b":{"constructor":2}}');
    expect(at(value, '__proto__', 'a')).toBe(1);
    expect(member(value, 'a')).toBeUndefined();
    expect(member(value, 'toString')).toBeUndefined();
    expect(at(value, 'b', 'constructor')).toBe(2);
  });

  it('refuses what the scanner refuses', () => {
    expect(() => decode('{"a":1,"a":2}')).toThrow(expect.objectContaining({ code: 'JSON_DUPLICATE_KEY' }));
  });
});
