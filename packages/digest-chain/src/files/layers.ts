import type { Transform } from 'node:stream';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import { DigestChainError, tooLarge } from '../errors.ts';
import type { Registry, Repository } from '../registry/registry.ts';
import { globOf } from './glob.ts';
import { readTar } from './tar.ts';
import { byFrames } from './zstd-frames.ts';

/** A file as a container of the image sees it. */
export interface LayerFile {
  /** Without `/` at its start. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** The layer that it is in. */
  readonly layer: Digest;
}

/** A file that is larger than this is refused. Bytes. */
const MAX_FILE_SIZE = 4 * 1024 * 1024;
/** So are all files together, and a layer that unpacks to more. Bytes. */
const MAX_TOTAL_SIZE = 64 * 1024 * 1024;
const MAX_LAYER_SIZE = 4 * 1024 * 1024 * 1024;

/**
 * Hands over the files of an image whose paths match one of the patterns (`*` is any part of a name, `**` any folders), one
 * after the other: from the top layer down, so that what an upper layer replaces or takes away (image-spec, layer.md,
 * "Whiteouts") is not seen. A request for each layer; no file is kept. Answers with how many there were. Throws
 * `LAYER_INVALID` for what is no archive and for a matching path, or a folder on the way to one, that is no such thing but a
 * link or a device, which a container would see something else at; `TOO_LARGE`.
 */
export async function readFiles(
  registry: Registry,
  repository: Repository,
  layers: readonly Descriptor[],
  patterns: readonly string[],
  onFile: (file: LayerFile) => void,
): Promise<number> {
  const globs = patterns.map(globOf);
  const covered = new Covered();
  let count = 0;
  let total = 0;
  for (const layer of layers.toReversed()) {
    if (layer.mediaType.endsWith('+encrypted')) throw encrypted(layer);
    // A layer may be read anew after a broken connection: nothing of it counts before all of it was what its digest says.
    const { files, above } = await registry.readBlob(repository, layer, async (content) => {
      const files: LayerFile[] = [];
      const above: Entry[] = [];
      let read = total;
      const archive = readTar(await decompressed(content));
      for (let entry = await archive.next(); entry !== undefined; entry = await archive.next()) {
        const { path, type, size } = entry;
        const here = whiteoutOf(path) ?? { path, by: type === 'folder' ? 'folder' : 'entry' };
        if (!globs.some((glob) => glob.mayHold(here.path))) continue;
        above.push(here);
        if (type === 'other' && !covered.hasFolder(path) && globs.some((glob) => glob.leadsThrough(path))) {
          throw notAFile(path, layer.digest);
        }
        const wanted = here.path === path && type !== 'folder' && globs.some((glob) => glob.matches(path));
        if (!wanted || covered.has(path)) continue;
        if (type === 'other') throw notAFile(path, layer.digest);
        read += size;
        if (size > MAX_FILE_SIZE) throw tooLarge('TOO_LARGE', `${path} is too large to be read`, MAX_FILE_SIZE, size);
        if (read > MAX_TOTAL_SIZE)
          throw tooLarge('TOO_LARGE', 'the files are too large together', MAX_TOTAL_SIZE, read);
        files.push({ path, bytes: await archive.read(), layer: layer.digest });
      }
      return { files, above };
    });
    // Of a path that is there twice in one layer the last one counts.
    const last = new Map(files.map((file) => [file.path, file]));
    for (const file of last.values()) {
      total += file.bytes.length;
      onFile(file);
    }
    count += last.size;
    covered.add(above);
  }
  return count;
}

interface Entry {
  readonly path: string;
  /** A folder keeps what is below it in lower layers; anything else, and an opaque folder, hides that. */
  readonly by: 'folder' | 'entry' | 'whiteout' | 'opaque';
}

/** What a whiteout takes away (image-spec, layer.md). */
function whiteoutOf(path: string): Entry | undefined {
  const at = path.lastIndexOf('/') + 1;
  const name = path.slice(at);
  if (name === '.wh..wh..opq') return { path: path.slice(0, Math.max(at - 1, 0)), by: 'opaque' };
  return name.startsWith('.wh.') ? { path: path.slice(0, at) + name.slice('.wh.'.length), by: 'whiteout' } : undefined;
}

/** What upper layers have in place of what is below them. */
class Covered {
  readonly #entries = new Set<string>();
  readonly #below = new Set<string>();
  readonly #folders = new Set<string>();

  add(entries: readonly Entry[]): void {
    // What is a file and a folder in one layer hides what is below it, or does not, as the runtime has it: so it does not.
    const folders = new Set<string>();
    for (const { path, by } of entries) {
      if (by === 'folder') folders.add(path);
      if (by === 'folder' || by === 'entry') for (const folder of foldersAbove(path)) folders.add(folder);
    }
    for (const { path, by } of entries) {
      if (by === 'folder') this.#folders.add(path);
      if (by === 'entry' || by === 'whiteout') this.#entries.add(path);
      if (by === 'opaque' || by === 'whiteout' || (by === 'entry' && !folders.has(path))) this.#below.add(path);
    }
  }

  /** Whether there is nothing but a folder at a path, whatever lower layers have there. */
  hasFolder(path: string): boolean {
    return this.#folders.has(path) || this.has(path);
  }

  has(path: string): boolean {
    if (this.#entries.has(path) || this.#below.has('')) return true;
    for (const folder of foldersAbove(path)) if (this.#below.has(folder)) return true;
    return false;
  }
}

function* foldersAbove(path: string): Generator<string> {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) yield path.slice(0, end);
}

/** Gzip or zstd by their first bytes, as every runtime tells them apart; anything else is an archive as it is. */
async function decompressed(content: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const { createGunzip, createZstdDecompress } = process.getBuiltinModule('node:zlib');
  const { pipeline, Readable } = process.getBuiltinModule('node:stream');
  const source = content[Symbol.asyncIterator]();
  let start = Buffer.alloc(0);
  let next = await source.next();
  while (!next.done && start.length < 4) {
    start = Buffer.concat([start, next.value]);
    if (start.length < 4) next = await source.next();
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield start;
    for (let piece = await source.next(); !piece.done; piece = await source.next()) yield piece.value;
  }
  // What goes wrong before it comes out of the last stream, whose reader is told.
  const through = (bytes: AsyncIterable<Uint8Array>, last: Transform): Transform =>
    pipeline(Readable.from(bytes), last, () => undefined);
  const magic = start.toString('hex', 0, 4);
  if (magic.startsWith('1f8b')) return bounded(through(whole(), createGunzip()));
  // A frame, or one that is passed over.
  if (!/^(?:28b52ffd|5[0-9a-f]2a4d18)$/.test(magic)) return bounded(whole());
  if (createZstdDecompress !== undefined) return bounded(through(byFrames(whole()), createZstdDecompress()));
  throw new DigestChainError('LAYER_INVALID', 'this Node.js can not read a layer that is compressed with zstd', {
    expected: 'gzip, or Node.js 22.15 or newer',
    found: `zstd, and Node.js ${process.versions.node}`,
  });
}

async function* bounded(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let size = 0;
  try {
    for await (const piece of content) {
      size += piece.length;
      if (size > MAX_LAYER_SIZE) throw tooLarge('TOO_LARGE', 'a layer unpacks to too much', MAX_LAYER_SIZE, size);
      yield piece;
    }
  } catch (cause) {
    const code = (cause as { code?: unknown }).code;
    if (typeof code !== 'string' || !/^Z_|^ERR_ZSTD|^ZSTD_/.test(code)) throw cause;
    throw new DigestChainError('LAYER_INVALID', 'a layer can not be decompressed', { found: code, cause });
  }
}

function encrypted({ digest, mediaType }: Descriptor): DigestChainError {
  const expected = 'layers that everyone can read';
  return new DigestChainError('LAYER_INVALID', 'a layer is encrypted', { expected, found: `${digest}, ${mediaType}` });
}

function notAFile(path: string, layer: Digest): DigestChainError {
  return new DigestChainError('LAYER_INVALID', `${path} is a link or something else that is no file or folder`, {
    expected: 'a file or a folder: what a link leads to is read by nobody here',
    found: `in layer ${layer}`,
  });
}
