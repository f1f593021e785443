import { stripVTControlCharacters } from 'node:util';
import { visible } from './visible.ts';

/** Makes text from outside safe for a terminal, on one line. */
export function printable(text: string): string {
  return visible(text);
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
