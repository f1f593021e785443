import fc from 'fast-check';

/**
 * JSON as text, written in every way that the grammar allows: white space, escapes, key orders, number tokens that no
 * writer would choose, and strings that look like what the seal searches for.
 */

/** White space between tokens; mostly none. */
export const space: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\r'), minLength: 1, maxLength: 4 }) },
);

const DECOYS = [
  '"Labels":{',
  '}}},',
  '"config":',
  '\\"',
  'Labels',
  'config',
  'io.konflux.poc.sealed-from.digest',
  '%22,=',
];

const character: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...'abcxyz019 .-_/%,='.split('')) },
  { weight: 2, arbitrary: fc.constantFrom('"', '\\', '{', '}', '\n', '\u0000', '\u001f', '\u007f') },
  { weight: 2, arbitrary: fc.constantFrom('ä', '€', '😀', '\u2028', '\ufeff', '\u202e', '\ud83d\ude00', 'ſ', 'K') },
  { weight: 1, arbitrary: fc.constantFrom(...DECOYS) },
);

/** A decoded string. */
const text: fc.Arbitrary<string> = fc.string({ unit: character, maxLength: 8 });

/** A way to write a string: a token that decodes to `decoded`. */
function stringToken(decoded: string): fc.Arbitrary<string> {
  const units = [...decoded];
  return fc
    .array(fc.nat(5), { minLength: units.length, maxLength: units.length })
    .map((styles) => `"${units.map((unit, index) => writeCharacter(unit, styles[index] ?? 0)).join('')}"`);
}

function writeCharacter(unit: string, style: number): string {
  const plain = JSON.stringify(unit).slice(1, -1);
  if (style === 5) {
    return Array.from({ length: unit.length }, (_, index) => {
      const hex = unit.charCodeAt(index).toString(16).padStart(4, '0');
      return `\\u${index % 2 === 0 ? hex : hex.toUpperCase()}`;
    }).join('');
  }
  return style === 4 && unit === '/' ? '\\/' : plain;
}

const number: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('0', '-0', '1E400', '1e-400', '0.10', '2.5E+07', '123456789012345678901234567890', '-0.0e-0'),
  fc.integer().map(String),
);

export const anyString: fc.Arbitrary<string> = text.chain(stringToken);

/** Members, with keys that differ after decoding, none of which `reserved` refuses. */
export function members(
  value: fc.Arbitrary<string>,
  reserved: (key: string) => boolean = () => false,
): fc.Arbitrary<string[]> {
  return fc
    .uniqueArray(fc.tuple(text, value), { selector: ([key]) => key, maxLength: 4 })
    .map((entries) => entries.filter(([key]) => !reserved(key)))
    .chain((entries) =>
      entries.length === 0
        ? fc.constant([])
        : fc.tuple(...entries.map(([key, token]) => member(key, fc.constant(token)))),
    );
}

/** One member: key, colon, value. */
export function member(key: string, value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(stringToken(key), space, space, value)
    .map(([token, before, after, written]) => `${token}${before}:${after}${written}`);
}

/** An object of these members, in any order. */
export function object(all: fc.Arbitrary<string[]>): fc.Arbitrary<string> {
  return all
    .chain((list) => fc.tuple(fc.shuffledSubarray(list, { minLength: list.length }), separators(list.length)))
    .map(([list, gaps]) =>
      list.length === 0
        ? `{${gaps[0]}}`
        : `{${list.map((item, index) => `${gaps[2 * index]}${item}${gaps[2 * index + 1]}`).join(',')}}`,
    );
}

export function array(items: fc.Arbitrary<string[]>): fc.Arbitrary<string> {
  return items.chain((list) =>
    separators(list.length).map((gaps) =>
      list.length === 0
        ? `[${gaps[0]}]`
        : `[${list.map((item, index) => `${gaps[2 * index]}${item}${gaps[2 * index + 1]}`).join(',')}]`,
    ),
  );
}

function separators(length: number): fc.Arbitrary<string[]> {
  const count = Math.max(1, 2 * length);
  return fc.array(space, { minLength: count, maxLength: count });
}

/** Any JSON value, a few levels deep. */
export const anyValue: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(anyString, number, fc.constantFrom('true', 'false', 'null')),
    array(fc.array(tie('value'), { maxLength: 3 })),
    object(members(tie('value'))),
  ),
})).value;
