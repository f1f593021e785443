import { RE2JS } from 're2js';

/**
 * Whether a text is what a pattern says, as gobwas' globs without separators have it: `*` and `**` are any text, `?` any
 * character, `[a-z]` a range and `[abc]` one of some, with `!` none of them, `{a,b}` one of these, up to the end where
 * nothing closes it; `\` takes a character as it is.
 *
 * @throws Error for a pattern that is none; GlobUnknown for one of which gobwas makes something else than it says.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const tokens = tokensOf(pattern);
  const [first, second, third, fourth] = tokens;
  // Between two texts gobwas does not mind whether they overlap.
  if (first?.is === 'text' && second?.is === 'any' && third?.is === 'text' && fourth === undefined) {
    return text.startsWith(first.text) && text.endsWith(third.text);
  }
  if (!isAsSaid(tokens)) throw new GlobUnknown(`what the pattern ${pattern} matches is unknown here`);
  const end = ')'.repeat(openIn(tokens));
  return RE2JS.compile(`^(?:${tokens.map(expressionOf).join('')}${end})$`, RE2JS.DOTALL)
    .matcher(text)
    .find();
}

type Token =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'any' | 'one' | 'open' | 'or' | 'close' }
  | { readonly is: 'range'; readonly not: boolean; readonly set: string };

function tokensOf(pattern: string): Token[] {
  const characters = [...pattern];
  const tokens: Token[] = [];
  let depth = 0;
  let text = '';
  const push = (token: Token): void => {
    if (text !== '') tokens.push({ is: 'text', text });
    text = '';
    const last = tokens.at(-1);
    if (token.is !== 'any' || last?.is !== 'any') tokens.push(token);
  };
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at];
    if (character === '\\') text += characters[++at] ?? '';
    else if (character === '*') push({ is: 'any' });
    else if (character === '?') push({ is: 'one' });
    else if (character === '[') {
      const { token, end } = rangeFrom(characters, at + 1);
      push(token);
      at = end;
    } else if (character === '{') {
      push({ is: 'open' });
      depth++;
    } else if (character === '}' && depth > 0) {
      push({ is: 'close' });
      depth--;
    } else if (character === ',' && depth > 0) push({ is: 'or' });
    else text += character;
  }
  if (text !== '') tokens.push({ is: 'text', text });
  return tokens;
}

/** A range or a set from behind its bracket, and where that closes. */
function rangeFrom(characters: readonly string[], start: number): { token: Token; end: number } {
  let at = start;
  const not = characters[at] === '!';
  if (not) at++;
  if (characters[at + 1] === '-' && characters[at] !== undefined) {
    const [low = '', , high = '', close] = characters.slice(at, at + 4);
    if (close === undefined) throw new Error('unexpected end of input');
    if (close !== ']') throw new Error('expected close range character');
    if (high < low) throw new Error(`${high} should be greater than ${low}`);
    return { token: { is: 'range', not, set: `${quoted(low)}-${quoted(high)}` }, end: at + 3 };
  }
  let set = '';
  while (at < characters.length && characters[at] !== ']') {
    if (characters[at] === '\\') at++;
    set += quoted(characters[at] ?? '');
    at++;
  }
  if (at >= characters.length) throw new Error('unexpected end of input');
  if (set === '') throw new Error('could not parse range');
  return { token: { is: 'range', not, set }, end: at };
}

function quoted(character: string): string {
  return /[\\^\][&~-]/.test(character) ? `\\${character}` : character;
}

function openIn(tokens: readonly Token[]): number {
  return tokens.reduce((open, { is }) => open + (is === 'open' ? 1 : is === 'close' ? -1 : 0), 0);
}

/** A pattern that is read another way than it is meant: no answer is better than one that is not the cluster's. */
export class GlobUnknown extends Error {
  override readonly name = 'GlobUnknown';
}

/**
 * Braces around texts are read as they are meant. Around anything else they are where they end the pattern, behind texts
 * and stars alone, and each of what is in them is another text, perhaps with a star at one end that is the same for all.
 */
function isAsSaid(tokens: readonly Token[]): boolean {
  const open = tokens.findIndex(({ is }) => is === 'open');
  if (open === -1) return true;
  const [groups, isNested] = groupsOf(tokens);
  if (isNested) return false;
  const choices = groups.flat();
  const isClosed = groups.length === tokens.filter(({ is }) => is === 'close').length;
  const areTexts = choices.every((choice) => choice.length === 1 && choice[0]?.is === 'text');
  if (areTexts && (isClosed || groups.length === 1)) return true;
  if (!isClosed) return false;
  const isEnd = groups.length === 1 && tokens.at(-1)?.is === 'close';
  const isBehindText = tokens.slice(0, open).every(({ is }) => is === 'text' || is === 'any');
  const forms = choices.map((choice) => choice.map(({ is }) => is).join(' '));
  const texts = choices.map((choice) => choice.map((token) => (token.is === 'text' ? token.text : '')).join(''));
  const isOneOf = (...allowed: string[]): boolean => forms.every((form) => allowed.includes(form));
  const areDifferent = new Set(texts).size === texts.length;
  return isEnd && isBehindText && areDifferent && (isOneOf('text', 'text any') || isOneOf('text', 'any text'));
}

/** What is in each pair of braces, by its choices; and whether there are braces in braces. */
function groupsOf(tokens: readonly Token[]): [groups: Token[][][], isNested: boolean] {
  const groups: Token[][][] = [];
  let group: Token[][] | undefined;
  let isNested = false;
  for (const token of tokens) {
    if (token.is === 'open') {
      isNested ||= group !== undefined;
      group = [[]];
      groups.push(group);
    } else if (token.is === 'close') group = undefined;
    else if (token.is === 'or') group?.push([]);
    else group?.at(-1)?.push(token);
  }
  return [groups, isNested];
}

function expressionOf(token: Token): string {
  if (token.is === 'text') return RE2JS.quote(token.text);
  if (token.is === 'range') return `[${token.not ? '^' : ''}${token.set}]`;
  return { any: '.*', one: '.', open: '(?:', or: '|', close: ')' }[token.is];
}
