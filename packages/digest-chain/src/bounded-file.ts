/**
 * What a file begins with, up to so many bytes. A device or a pipe has no size of its own, and may have no end: it comes in
 * pieces, of which no more are read.
 */
export async function readUpTo(path: string, limit: number): Promise<Buffer> {
  const file = await process.getBuiltinModule('node:fs').promises.open(path);
  try {
    const pieces: Buffer[] = [];
    for (let left = limit; left > 0; ) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(left, PIECE)), 0, undefined, null);
      if (bytesRead === 0) break;
      pieces.push(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
    return Buffer.concat(pieces);
  } finally {
    await file.close();
  }
}

const PIECE = 64 * 1024;
