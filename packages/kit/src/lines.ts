import type { Readable } from 'node:stream';

/** Characters of a line that nobody ends: more must not fill the memory, and is told as it is so far. */
const LONGEST = 64 << 10;

/**
 * Calls back with each line of a stream, as it comes.
 *
 * @param end What ends a line; a progress bar does it with a carriage return alone.
 */
export function forEachLine(stream: Readable, onLine: (line: string) => void, end: RegExp = /\r?\n/): void {
  const decoder = new TextDecoder();
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(end);
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    if (rest.length > LONGEST) {
      onLine(rest);
      rest = '';
    }
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}
