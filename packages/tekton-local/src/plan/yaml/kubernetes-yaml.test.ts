import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goJson, readYaml, YamlError } from './kubernetes-yaml.ts';
import { quickNodes, type YamlNode } from './nodes.ts';
import { wholeNodes } from './nodes-whole.ts';

const json = (text: string): string =>
  readYaml(text)
    .map(({ value }) => goJson(value))
    .join('\n');

describe('reads what sigs.k8s.io/yaml reads', () => {
  it.each([
    // what Go's reader answered to each, measured
    ['yes', 'true'],
    ['Off', 'false'],
    ['y', 'true'],
    ['~', 'null'],
    ['', 'null'],
    ['0644', '420'],
    ['012', '10'],
    ['08', '8'],
    ['0o17', '15'],
    ['0b11', '3'],
    ['0x1F', '31'],
    ['-0x1f', '-31'],
    ['1_000', '1000'],
    ['+1', '1'],
    ['_1', '"_1"'],
    ['12345678901234567890', '12345678901234567890'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['99999999999999999999999', '1e+23'],
    ['1.0', '1'],
    ['1.10', '1.1'],
    ['1e3', '1000'],
    ['.5', '0.5'],
    ['1e21', '1e+21'],
    ['0.0000001', '1e-7'],
    ['10:30', '"10:30"'],
    ['2024-01-01', '"2024-01-01"'],
    ['"yes"', '"yes"'],
    ['!!str 5', '"5"'],
    ['"<a&b>"', '"\\u003ca\\u0026b\\u003e"'],
  ])('%s', (text, expected) => {
    expect(json(`a: ${text}\nb: 1`)).toBe(`{"a":${expected},"b":1}`);
  });

  it('keys of any type, and the last of two', () => {
    expect(json('{b: 1, a: 2, on: 3, 1.5: 4, 7: 5}')).toBe('{"1.5":4,"7":5,"a":2,"b":1,"true":3}');
    const [document] = readYaml('a: 1\nb:\n  c: 1\n  c: 2');
    expect(document?.value).toEqual({ a: 1, b: { c: 2 } });
    expect(document?.duplicates).toEqual([{ key: 'c', place: { line: 4, column: 3 } }]);
  });

  it('merge keys, where what comes later counts', () => {
    const base = 'x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\n';
    const merged = (text: string): unknown => Object(readYaml(`${base}z: ${text}`)[0]?.value).z;
    expect(merged('{<<: *x, b: 9}')).toEqual({ a: 1, b: 9 });
    expect(merged('{b: 9, <<: *x}')).toEqual({ a: 1, b: 2 });
    expect(merged('{<<: [*x, *y]}')).toEqual({ a: 1, b: 2, c: 4 });
    expect(merged('{"<<": *x}')).toEqual({ '<<': { a: 1, b: 2 } });
  });

  it('several documents, without those that are empty', () => {
    expect(json('---\na: 1\n---\n# nothing\n---\nb: 2\n')).toBe('{"a":1}\n{"b":2}');
  });

  it('a name of a prototype as any other', () => {
    const value = Object(readYaml('x: &x {__proto__: {evil: 1}}\nz: {<<: *x}')[0]?.value);
    expect([value.x.evil, value.z.evil, Object.keys(value.z)]).toEqual([undefined, undefined, ['__proto__']]);
  });
});

describe('says where', () => {
  it('a value is, through aliases and merges', () => {
    const [document] = readYaml('a:\n  - &s\n    name: one\n    image: i\n  - <<: *s\n    name: two\nb: [*s]');
    expect(document?.placeOf(['a', 1, 'name'])).toEqual({ line: 6, column: 5 });
    expect(document?.placeOf(['a', 1, 'image'])).toEqual({ line: 4, column: 5 });
    expect(document?.placeOf(['b', 0, 'name'])).toEqual({ line: 3, column: 5 });
    expect(document?.placeOf(['b', 0, 'none', 'such'])).toEqual({ line: 7, column: 5 });
  });

  it.each([
    ['it is broken', 'a: 1\nb: [c', 2],
    ['a key is no key', 'a: 1\n{b: 1}: 2', 2],
    ['a merge is none', 'a: 1\n<<: 2', 2],
    ['a number is none', 'a: 1\nb: .inf', 2],
    ['an alias has no anchor', 'a: 1\nb: *c', 2],
    ['a tag is unknown', 'a: 1\nb: !!int x', 2],
  ])('%s', (_what, text, line) => {
    try {
      readYaml(text);
      expect.unreachable();
    } catch (error) {
      expect((error as YamlError).place?.line).toBe(line);
    }
  });

  it('nothing of a bomb', () => {
    const levels = 'bcdefghi'.split('').map((name, index) => {
      return `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join()}]`;
    });
    expect(() => readYaml(`a: &a [x,x,x,x,x,x,x,x,x]\n${levels.join('\n')}`)).toThrow(YamlError);
  });
});

describe('the quick way', () => {
  const TEXTS = [
    'a: 1\nb: [x, y, {c: d}]\nc:\n',
    'a: "x\\ty\\u00e9" # why\nb: \'it\'\'s\'\n# more\n"q": w\n',
    'a: |\n  text\n   more\n\n  end\nb: >-\n  fold\n  ed\n\n  para\nc: |-\n    x\n',
    'a:\n- b\n- - c\n  - d: e\n    f: {g: h,\n      i: j}\n---\nk: "multi\n  line"\nl: plain\n  more\n',
    'a: {\n  b: c\n}\n',
  ];
  // What YAML may read as something else.
  const PARTS = [
    ...' -:#|>&*!\'"{}[],?%@`\\\n\t~',
    '- ',
    ': ',
    ' #',
    '|-',
    '>+',
    '? ',
    '\n---\n',
    '<<: ',
    '\r\n',
    'é',
    '  ',
  ];
  const mutated = fc
    .tuple(
      fc.constantFrom(...TEXTS),
      fc.array(fc.tuple(fc.nat(200), fc.nat(2), fc.constantFrom('', ...PARTS)), { minLength: 1, maxLength: 2 }),
    )
    .map(([text, changes]) =>
      changes.reduce((changed, [at, length, part]) => {
        const place = at % (changed.length + 1);
        return changed.slice(0, place) + part + changed.slice(place + length);
      }, text),
    );

  it('is taken for what everybody writes', () => {
    expect(TEXTS.map((text) => quickNodes(text) !== undefined)).toEqual([true, true, true, true, false]);
  });

  it('reads nothing that the reader of the whole language reads otherwise', () => {
    let compared = 0;
    fc.assert(
      fc.property(mutated, (text) => {
        const quick = quickNodes(text);
        if (quick === undefined) return;
        compared++;
        const whole = wholeNodes(text).map((document) =>
          'root' in document ? shapeOf(document.root) : document.broken,
        );
        expect(quick.map(shapeOf).filter(isSomething)).toEqual(whole.filter(isSomething));
      }),
      // The same ones each time: another reader's fault is no reason for red elsewhere.
      { numRuns: 1500, seed: 19 },
    );
    expect(compared).toBeGreaterThan(200);
  });

  /** All of a node but where values are that are nothing. */
  function shapeOf(node: YamlNode | undefined): unknown {
    if (node === undefined) return ['', true];
    if (node.kind === 'scalar') return node.text === '' ? ['', node.plain] : [node.text, node.plain, node.offset];
    if (node.kind === 'list') return { at: node.offset, items: node.items.map(shapeOf) };
    if (node.kind === 'object') return { at: node.offset, pairs: node.pairs.map((pair) => pair.map(shapeOf)) };
    return 'an alias';
  }

  function isSomething(shape: unknown): boolean {
    return JSON.stringify(shape) !== '["",true]';
  }
});
