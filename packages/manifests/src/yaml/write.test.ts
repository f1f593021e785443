import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { hasPyYaml, readWithPyYaml } from '../testing/py-yaml.ts';
import { noted, writeYaml, type YamlMap } from './write.ts';

/** Strings that YAML is known to read as something else, or not at all. */
const NASTY = [
  '',
  ' ',
  'yes',
  'No',
  'ON',
  'y',
  'N',
  'null',
  '~',
  'true',
  'False',
  '0',
  '-1',
  '1.5',
  '.5',
  '0o17',
  '017',
  '0x1f',
  '1e3',
  '1_000',
  '1:20',
  '12:30:45',
  '2026-08-01',
  '.inf',
  '.nan',
  '-',
  '- a',
  '-a',
  '--',
  '---',
  '...',
  '--- a',
  '?',
  '? a',
  ':',
  ':a',
  'a:',
  'a: b',
  'a :b',
  'a #b',
  '#a',
  'a#b',
  '&a',
  '*a',
  '!a',
  '!!str a',
  '|',
  '>',
  '%a',
  '@a',
  '`a',
  '"',
  "'",
  '"a',
  "'a'",
  "it's",
  '\\',
  '\\n',
  'a\nb',
  'a\nb\n',
  '\na\n',
  'a\n\n',
  ' a\nb\n',
  'a \nb\n',
  'a\n\tb\n',
  '\t',
  'a\tb',
  ' a',
  'a ',
  '{a}',
  '[a]',
  'a, b',
  '{{ revision }}',
  '$(params.a[*])',
  '<<',
  '=',
  '\u0000',
  '\u0007',
  '\u001b[31m',
  '\u007f',
  '\u0085',
  '\u00a0',
  '\u2028',
  '\u2029',
  '\ufeff',
  '\uffff',
  '😀',
  'é',
  '\u202e',
  'a\r\nb',
  'a\r',
  'x'.repeat(5000),
]; // prettier-ignore

const nastyText = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: 'binary-ascii' }),
);
const anyText = nastyText.filter((text) => text.isWellFormed());

/** A key may have at most 1024 characters in YAML. */
const key = (text: string): string => text.slice(0, 200);

describe('any text comes back as it was', () => {
  test.each(NASTY.map((text) => [text]))('%j', (text) => {
    const written = writeYaml([{ [key(text)]: text, list: [text, { a: text }, [text]] }]);
    for (const version of ['1.1', '1.2'] as const) {
      expect(parse(written, { version })).toEqual({ [key(text)]: text, list: [text, { a: text }, [text]] });
    }
  });

  test('by YAML 1.2 and by YAML 1.1', () => {
    fc.assert(
      fc.property(anyText, anyText, (name, value) => {
        const key = `k${name.slice(0, 200)}`;
        const written = writeYaml([{ [key]: value, nested: { [key]: [value] } }]);
        const expected = { nested: { [key]: [value] }, [key]: value };
        expect(parse(written, { version: '1.2' })).toEqual(expected);
        expect(parse(written, { version: '1.1' })).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test.skipIf(!hasPyYaml)(`by PyYAML${hasPyYaml ? '' : ' (skipped: python3 with yaml is not here)'}`, () => {
    const texts = [...NASTY, ...fc.sample(anyText, { numRuns: 2000, seed: 7 })];
    const document = { texts, keys: Object.fromEntries(texts.map((text) => [key(text), text])) };
    expect(readWithPyYaml(writeYaml([document, document]))).toEqual([document, document]);
  });
});

describe('what a person reads', () => {
  test.each([
    ['$(params.output-image)-unsealed', '$(params.output-image)-unsealed'],
    ['quay.io/org/app:1.0@sha256:00', 'quay.io/org/app:1.0@sha256:00'],
    ['event == "push"', 'event == "push"'],
    ['true', '"true"'],
  ])('%s', (text, written) => {
    expect(writeYaml([{ text }])).toBe(`---\ntext: ${written}\n`);
  });

  test('keys keep their order, undefined ones are left out, comments stand above', () => {
    const document: YamlMap = {
      b: 1,
      a: undefined,
      why: noted('because', [noted('first', { x: true, z: [] }), 'second']),
      script: '#!/bin/sh\n\necho $HOME\n',
      empty: {},
    };
    expect(writeYaml([document])).toBe(`---
b: 1
# because
why:
  # first
  - x: true
    z: []
  - second
script: |
  #!/bin/sh

  echo $HOME
empty: {}
`);
  });
});
