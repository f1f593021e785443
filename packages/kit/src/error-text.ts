import { isCodedError } from './errors.ts';
import { type Palette, printableLines } from './terminal.ts';

/** An error as data, for `--json`. What is no coded error is a bug, and its stack helps to find it. */
export function errorFacts(error: unknown): {
  code: string;
  message: string;
  expected?: string | undefined;
  found?: string | undefined;
  hint?: string | undefined;
} {
  if (isCodedError(error)) {
    const { code, message, expected, found, hint } = error;
    return { code, message, expected, found, hint };
  }
  const found = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'INTERNAL', message: 'a bug in this program', found };
}

/**
 * What every command prints of an error: `error CODE: message`, then what was expected, what was found and what to do,
 * each with its name; further lines of a text stand under its first. Safe for a terminal; ends with a line break.
 */
export function formatError(error: unknown, paint?: Palette): string {
  const { code, message, expected, found, hint } = errorFacts(error);
  const head = `error ${code}:`;
  const [first = '', ...rest] = printableLines(message);
  const lines = [`${paint?.red(head) ?? head} ${first}`, ...rest.map((line) => `  ${line}`)];
  for (const [name, text] of Object.entries({ expected, found, hint })) {
    if (!text) continue;
    const label = `${name}:`.padEnd(9);
    lines.push(...printableLines(text).map((line, index) => `  ${index === 0 ? label : ''.padEnd(9)} ${line}`));
  }
  return `${lines.join('\n')}\n`;
}
