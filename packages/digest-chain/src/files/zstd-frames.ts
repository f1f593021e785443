import { DigestChainError } from '../errors.ts';

/** What is read next of a stream: a number of so many bytes, or bytes that say nothing about what follows. */
type Want = { readonly number: number } | { readonly pass: number } | 'end of frame';

/**
 * The same bytes, in pieces that end where a frame ends (RFC 8878, section 3.1). Node's decompressor drops what is in one
 * piece with the end of a frame, and says nothing: whatever is packed in several frames, as `zstd:chunked` is, would be read in
 * part, and which part would be for those to say who send it. Throws `LAYER_INVALID` for what is no frame, or breaks off.
 */
export async function* byFrames(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const frames = wants();
  let want = frames.next(0).value;
  let value = 0;
  let got = 0;
  for await (const piece of content) {
    let start = 0;
    for (let at = 0; at < piece.length; ) {
      if (want === 'end of frame') {
        want = frames.next(0).value;
      } else if ('pass' in want) {
        const passed = Math.min(want.pass - got, piece.length - at);
        at += passed;
        got += passed;
      } else {
        value += (piece[at++] ?? 0) * 2 ** (8 * got++);
      }
      while (want !== 'end of frame' && got === ('pass' in want ? want.pass : want.number)) {
        want = frames.next(value).value;
        [value, got] = [0, 0];
      }
      if (want !== 'end of frame') continue;
      yield piece.subarray(start, at);
      start = at;
    }
    if (start < piece.length) yield piece.subarray(start);
  }
  if (want !== 'end of frame') throw broken('the end of the layer in the middle of a frame');
}

const FRAME = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const FRAME_CONTENT_SIZE = [0, 2, 4, 8] as const;
const DICTIONARY_ID = [0, 1, 2, 4] as const;
const RLE = 1;

function* wants(): Generator<Want, never, number> {
  for (;;) {
    const magic = yield { number: 4 };
    if (magic - (magic % 16) === SKIPPABLE) yield { pass: yield { number: 4 } };
    else if (magic === FRAME) yield* frame();
    else throw broken(`the bytes ${magic.toString(16).padStart(8, '0')} where a frame begins`);
    yield 'end of frame';
  }
}

function* frame(): Generator<Want, void, number> {
  const descriptor = yield { number: 1 };
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const size = FRAME_CONTENT_SIZE[(descriptor >> 6) as 0 | 1 | 2 | 3] || (isSingleSegment ? 1 : 0);
  yield { pass: (isSingleSegment ? 0 : 1) + DICTIONARY_ID[(descriptor & 3) as 0 | 1 | 2 | 3] + size };
  for (let isLast = false; !isLast; ) {
    const block = yield { number: 3 };
    isLast = (block & 1) === 1;
    yield { pass: ((block >> 1) & 3) === RLE ? 1 : block >> 3 };
  }
  if ((descriptor & 0x04) !== 0) yield { pass: 4 };
}

function broken(found: string): DigestChainError {
  return new DigestChainError('LAYER_INVALID', 'a layer can not be decompressed', { expected: 'zstd frames', found });
}
