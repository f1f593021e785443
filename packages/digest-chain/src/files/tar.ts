import { DigestChainError } from '../errors.ts';

/** What a layer's archive says of one file, folder or link (POSIX.1-2001 pax, ustar, and GNU's long names). */
export interface TarEntry {
  /** As it leads from the root: without `.`, `..` and empty names. */
  readonly path: string;
  readonly type: 'file' | 'folder' | 'other';
  /** Bytes. */
  readonly size: number;
}

/** An archive's entries in their order; of one that `read` is called for, its whole content. */
export interface TarReader {
  next(): Promise<TarEntry | undefined>;
  /** The content of the entry that `next` answered with last, once; what is not read is passed over. */
  read(): Promise<Buffer>;
}

const BLOCK = 512;
/** Names and pax records longer than this are refused. Bytes. */
const MAX_EXTENSION = 1024 * 1024;

/** Of what has no content, whatever its size says. */
const HEADER_ONLY = /^[1-6]$/;

/**
 * Reads an archive as its bytes come, and as Go's archive/tar does, by which most runtimes unpack layers: a file that they
 * see must not have another name here. Throws `LAYER_INVALID` where it is none, and for what readers differ about.
 */
export function readTar(content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): TarReader {
  const bytes = new ByteReader(content);
  let size = 0;
  let unread = 0;
  const rest = async (length: number): Promise<Buffer> => {
    const data = await bytes.take(length);
    await bytes.skip(padding(length));
    return data;
  };
  const extension = (length: number): Promise<Buffer> => {
    if (length <= MAX_EXTENSION) return rest(length);
    throw invalid('a name', `at most ${MAX_EXTENSION} bytes`, `${length}`);
  };
  return {
    next: async () => {
      await bytes.skip(unread);
      unread = 0;
      let long: string | undefined;
      let pax: PaxRecords = {};
      for (;;) {
        const header = await bytes.takeOrEnd(BLOCK);
        if (header === undefined || isZero(header)) {
          const second = header && (await bytes.takeOrEnd(BLOCK));
          // What comes after one block of zeros some readers see.
          if (second !== undefined && !isZero(second)) throw invalid('its end', 'two blocks of zeros', 'one');
          await bytes.drain();
          return undefined;
        }
        checkSum(header);
        const type = String.fromCharCode(header[156] ?? 0);
        const length = numberIn(header.subarray(124, 136));
        if (type === 'L') long = textIn(await extension(length)) || undefined;
        else if (type === 'x') pax = paxOf(await extension(length));
        else if (type === 'K') await bytes.skip(length + padding(length));
        else if (type === 'g') {
          // An entry of its own: what was said before was said of it.
          await bytes.skip(length + padding(length));
          [long, pax] = [undefined, {}];
        } else {
          size = HEADER_ONLY.test(type) ? 0 : (pax.size ?? length);
          unread = size + padding(size);
          const name = long ?? pax.path ?? nameIn(header);
          // So were folders written before there was a type for them.
          const isFolder = type === '5' || (type === '\0' && name.endsWith('/'));
          const isFile = !isFolder && /^[07\0]$/.test(type) && !pax.sparse;
          return { path: rooted(name), type: isFile ? 'file' : isFolder ? 'folder' : 'other', size };
        }
      }
    },
    read: async () => {
      unread = 0;
      return rest(size);
    },
  };
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

function nameIn(header: Buffer): string {
  const name = textIn(header.subarray(0, 100));
  const magic = header.toString('latin1', 257, 263);
  // GNU tar has times there, Go had the prefix all the same.
  const hasPrefix =
    magic === 'ustar\0' || (magic === 'ustar ' && /[^0-7 \0]/.test(header.toString('latin1', 345, 369)));
  const prefix = hasPrefix ? textIn(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function textIn(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? field.length : end);
}

/** Octal digits, or as GNU writes what they can't hold, base 256. */
function numberIn(field: Buffer): number {
  const [first = 0] = field;
  const digits = field
    .toString('latin1')
    .replace(/^[ \0]+/, '')
    .replace(/[ \0].*$/s, '');
  const value = first >= 0x80 ? Number(`0x${field.subarray(4).toString('hex')}`) : Number(`0o${digits || '0'}`);
  if (Number.isSafeInteger(value) && (first < 0x80 || first === 0x80)) return value;
  throw invalid('a size', 'a number', digits);
}

/** The unsigned sum of a header, its own field taken for spaces. */
function checkSum(header: Buffer): void {
  let sum = 8 * 0x20;
  for (const [at, byte] of header.entries()) if (at < 148 || at >= 156) sum += byte;
  const said = numberIn(header.subarray(148, 156));
  if (said !== sum) throw invalid('the checksum of a header', `${sum}`, `${said}`);
}

interface PaxRecords {
  path?: string;
  size?: number;
  sparse?: boolean;
}

/** The members of an extended header that say something about a file: `<length> <key>=<value>\n`, each. */
function paxOf(records: Buffer): PaxRecords {
  const found: PaxRecords = {};
  for (let at = 0; at < records.length; ) {
    const space = records.indexOf(0x20, at);
    const length = Number(records.toString('latin1', at, space === -1 ? at : space));
    const record = records.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    if (space === -1 || !Number.isSafeInteger(length) || length < 5 || at + length > records.length || equals === -1) {
      throw invalid('an extended header', '<length> <key>=<value>', 'another');
    }
    const key = record.toString('utf8', 0, equals);
    const value = record.toString('utf8', equals + 1);
    // An empty value takes back what a global header said, which nobody heeds.
    if (key === 'path' && value !== '') found.path = value;
    if (key === 'size' && value !== '') found.size = sizeOf(value);
    if (key === 'GNU.sparse.name') throw invalid('a name', 'one name for a file', value.slice(0, 100));
    if (key.startsWith('GNU.sparse.')) found.sparse = true;
    at += length;
  }
  return found;
}

function sizeOf(text: string): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw invalid('a size', 'a number', text.slice(0, 100));
}

/** Where a name leads, from the root and not out of it. */
function rooted(name: string): string {
  const path: string[] = [];
  for (const part of name.split('/')) {
    if (part === '..') path.pop();
    else if (part !== '' && part !== '.') path.push(part);
  }
  return path.join('/');
}

function padding(length: number): number {
  return (BLOCK - (length % BLOCK)) % BLOCK;
}

/** A stream of bytes, by pieces of any length. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array();

  constructor(content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    this.#source = Symbol.asyncIterator in content ? content[Symbol.asyncIterator]() : content[Symbol.iterator]();
  }

  /** Undefined at the end of the stream. */
  async takeOrEnd(length: number): Promise<Buffer | undefined> {
    return (await this.#fill()) ? this.take(length) : undefined;
  }

  async take(length: number): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    await this.#pass(length, (piece) => pieces.push(piece));
    return Buffer.concat(pieces);
  }

  skip(length: number): Promise<void> {
    return this.#pass(length, () => undefined);
  }

  async drain(): Promise<void> {
    while (await this.#fill()) this.#piece = new Uint8Array();
  }

  async #pass(length: number, each: (piece: Uint8Array) => void): Promise<void> {
    for (let left = length; left > 0; ) {
      if (!(await this.#fill())) throw invalid('its end', `${left} bytes more`, 'nothing');
      const piece = this.#piece.subarray(0, left);
      this.#piece = this.#piece.subarray(piece.length);
      left -= piece.length;
      each(piece);
    }
  }

  async #fill(): Promise<boolean> {
    while (this.#piece.length === 0) {
      const { done, value } = await this.#source.next();
      if (done) return false;
      this.#piece = value;
    }
    return true;
  }
}

function invalid(what: string, expected: string, found: string): DigestChainError {
  return new DigestChainError('LAYER_INVALID', `a layer's archive is malformed in ${what}`, { expected, found });
}
