/**
 * A string as a YAML scalar that YAML 1.1 and YAML 1.2 parsers both read back as that very string.
 *
 * Kubernetes reads YAML 1.1 (where `no` is false and `1:20` is 80), editors and bots read 1.2 (where `0o17` is 15), so
 * a string is left plain only where it can't be anything else in either.
 */
export function quote(text: string): string {
  if (isPlain(text)) return text;
  // Single quotes read better around text that holds double ones (CEL expressions).
  if (text.includes('"') && /^[\x20-\x7e]+$/.test(text) && !/[\\']/.test(text)) return `'${text}'`;
  return JSON.stringify(text).replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** What JSON lets through and YAML calls unprintable or a line break: DEL, C1, the separators, the byte order mark. */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

const PLAIN = /^(?:--)?[A-Za-z/$_][A-Za-z0-9 _./:@$()[\]*=+,;'-]*$/;
/** `e1`, too: some 1.1 parsers take it for a number without digits in front. */
const KEYWORD = /^(?:y|n|yes|no|on|off|true|false|null|e[-+]?[0-9]+)$/i;

function isPlain(text: string): boolean {
  return PLAIN.test(text) && !KEYWORD.test(text) && !/: |:$| $/.test(text);
}
