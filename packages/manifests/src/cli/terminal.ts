import { printable } from '@multi-image/kit/terminal';

/** Says something to whoever called the command; whatever of it a terminal would obey is shown instead. */
export function print(text: string, stream: NodeJS.WritableStream = process.stdout): void {
  stream.write(`${printable(text, '\n\t')}\n`);
}
