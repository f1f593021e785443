import type { DigestChainError } from '../errors.ts';

// Control characters (C0, DEL, C1), line separators, and what reorders or hides text: bidi controls, zero-width, tags.
const UNSAFE =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Text from outside, on one line and without a character that could steer the terminal or reorder what is read. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** JSON of which no character can steer a terminal; parses to the same value. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2)
    .split('\n')
    .map((line) =>
      line.replace(UNSAFE, (character) =>
        Array.from({ length: character.length }, (_, index) => unit(character.charCodeAt(index))).join(''),
      ),
    )
    .join('\n');
}

/** `error CODE: message` and what was expected, what was found, what to do; each on its line. */
export function formatError(error: DigestChainError): string {
  const lines = [`error ${error.code}: ${printable(error.message)}`];
  if (error.expected !== undefined) lines.push(`  expected: ${printable(error.expected)}`);
  if (error.found !== undefined) lines.push(`  found:    ${printable(error.found)}`);
  if (error.hint !== undefined) lines.push(`  hint:     ${printable(error.hint)}`);
  return `${lines.join('\n')}\n`;
}

function unit(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
