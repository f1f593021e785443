import { stripVTControlCharacters } from 'node:util';

// C0 and C1 controls, and the marks that reorder text: what is printed must read as what it is.
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is its purpose
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Makes text from outside safe for a terminal, on one line: what would act on the terminal is shown as `\u{…}`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** The same for the output of a tool, line by line: colours are dropped, the lines stay lines. */
export function printableLines(text: string): string[] {
  return stripVTControlCharacters(text)
    .split(/\r?\n/)
    .map((line) => printable(line.replaceAll('\t', '  ')));
}

export interface Palette {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** Colours for a terminal that shows them; plain text for a pipe, NO_COLOR (no-color.org) and TERM=dumb. */
export function palette(stream: NodeJS.WriteStream): Palette {
  const { NO_COLOR, TERM } = process.env;
  const on = stream.isTTY === true && !NO_COLOR && TERM !== 'dumb';
  const paint = (open: number, close: number) => (text: string) =>
    on ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return { bold: paint(1, 22), dim: paint(2, 22), red: paint(31, 39), green: paint(32, 39), yellow: paint(33, 39) };
}
