// Controls, marks that reorder text and what shows nothing at all (soft hyphens, joiners, tags, fillers), the separators of
// lines and what no document may hold. A variation selector only chooses how the character before it looks.
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff[\p{Default_Ignorable_Code_Point}--\p{Variation_Selector}]]/gv;
// What a tool paints with: `ESC [ … letter`, and `ESC ] … BEL` or `ESC \`.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const PAINT = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\))/g;

/** Text from outside, on one line: whatever acts on its display or hides in it is shown as `\u{…}`, but for `kept`. */
export function printable(text: string, kept = ''): string {
  return text.replace(UNSEEN, (character) =>
    kept.includes(character) ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** The same for the output of a tool, line by line: colours are dropped, the lines stay lines. */
export function printableLines(text: string): string[] {
  return text
    .replace(PAINT, '')
    .split(/\r?\n/)
    .map((line) => printable(line.replaceAll('\t', '  ')));
}

/** JSON of which no character can steer a terminal; parses to the same value. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2)
    .split('\n')
    .map((line) =>
      line.replace(UNSEEN, (character) =>
        Array.from({ length: character.length }, (_, index) => unit(character.charCodeAt(index))).join(''),
      ),
    )
    .join('\n');
}

export interface Palette {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** Colours for a terminal that shows them; plain text for a pipe, NO_COLOR (no-color.org) and TERM=dumb. */
export function palette(stream: { readonly isTTY?: boolean | undefined }): Palette {
  const { NO_COLOR, TERM } = process.env;
  const on = stream.isTTY === true && !NO_COLOR && TERM !== 'dumb';
  const paint = (open: number, close: number) => (text: string) =>
    on ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return { bold: paint(1, 22), dim: paint(2, 22), red: paint(31, 39), green: paint(32, 39), yellow: paint(33, 39) };
}

function unit(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
