import { RE2JS } from 're2js';

/**
 * Whether a text is what a pattern says, as gobwas' globs without separators have it: `*` and `**` are any text, `?` any
 * character, `[a-z]` and `[!a-z]` one of some, `{a,b}` one of these; `\` takes a character as it is.
 *
 * @throws Error for a pattern that is none.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  return RE2JS.compile(`^(?:${expressionOf(pattern)})$`, RE2JS.DOTALL)
    .matcher(text)
    .find();
}

function expressionOf(pattern: string): string {
  let depth = 0;
  // A bracket after the last that closes opens nothing; to look for its end each time would take too long.
  const closed = pattern.lastIndexOf(']') + 1;
  const parts = [
    ...pattern.slice(0, closed).matchAll(/\\(?<taken>.)|(?<any>\*+)|\[(?<not>!?)(?<set>[^\]]+)\]|(?<other>.)/gs),
    ...pattern.slice(closed).matchAll(/\\(?<taken>.)|(?<any>\*+)|(?<not>(?!))(?<set>(?!))|(?<other>.)/gs),
  ];
  const expression = parts.map(({ groups = {} }) => {
    const { taken, any, not, set, other = '' } = groups;
    if (taken !== undefined) return RE2JS.quote(taken);
    if (any !== undefined) return '.*';
    if (set !== undefined) return `[${not === '' ? '' : '^'}${set.replaceAll(/[\\^[]/g, '\\$&')}]`;
    if (other === '?') return '.';
    if (other === '{') depth++;
    if (other === '}') depth--;
    if (other === '{') return '(?:';
    if (other === '}') return ')';
    if (other === ',' && depth > 0) return '|';
    return RE2JS.quote(other);
  });
  if (depth !== 0) throw new Error(`${pattern} has a brace too many`);
  return expression.join('');
}
