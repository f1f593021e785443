import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { forEachLine } from './lines.ts';

/** The lines of a stream of these pieces. */
async function linesOf(pieces: readonly (string | Buffer)[], end?: RegExp): Promise<string[]> {
  const lines: string[] = [];
  const stream = new PassThrough();
  forEachLine(stream, (line) => lines.push(line), end);
  for (const piece of pieces) stream.write(piece);
  stream.end();
  await new Promise((resolve) => stream.once('close', resolve));
  return lines;
}

it('tells each line as it is, however it comes, and the last one without an end', async () => {
  const [first, second] = [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)];
  expect(await linesOf(['a\n\nb\r', '\nc', first, second, '\rd'])).toEqual(['a', '', 'b', 'cé\rd']);
});

it('takes a carriage return for an end where that is said', async () => {
  expect(await linesOf(['10 %\r20 %\r\n', 'done'], /\r?\n|\r/)).toEqual(['10 %', '20 %', 'done']);
});

it('does not keep a line that nobody ends', async () => {
  const long = 'x'.repeat(70_000);
  expect(await linesOf([long, 'y\n'])).toEqual([long, 'y']);
});
