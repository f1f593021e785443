import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { ZERO } from '@multi-image/testing/image';
import { memoryRegistry } from '@multi-image/testing/memory-registry';
import { assert, constantFrom, dictionary, property, string } from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Registry } from '../registry/registry.ts';
import { readFiles } from './layers.ts';
import { readTar } from './tar.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'layers-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Tree = Readonly<Record<string, string | { readonly link: string }>>;

/** An archive by GNU tar, in one of the formats that it writes. */
function archive(tree: Tree, format = 'gnu', ...options: readonly string[]): Buffer {
  const root = mkdtempSync(join(folder, 'tree-'));
  for (const [path, content] of Object.entries(tree)) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    if (typeof content === 'string') writeFileSync(file, content);
    else symlinkSync(content.link, file);
  }
  return execFileSync('tar', ['--format', format, ...options, '-C', root, '-cf', '-', '.'], { maxBuffer: 1 << 28 });
}

async function filesOf(layers: readonly Uint8Array[], ...patterns: string[]): Promise<Record<string, string>> {
  const registry = memoryRegistry();
  const place = { registry: 'registry.example', repository: 'image' };
  const described = [];
  for (const layer of layers) {
    described.push({ ...(await registry.putBlob(place, layer)), mediaType: 'application/vnd.oci.image.layer.v1.tar' });
  }
  const found: Record<string, string> = {};
  const count = await readFiles(registry, place, described, patterns, ({ path, bytes }) => {
    found[path] = Buffer.from(bytes).toString();
  });
  expect(count).toBe(Object.keys(found).length);
  return found;
}

describe('files of an image', () => {
  const tree = {
    'manifests/csv.yaml': 'a',
    'manifests/deep/rbac.yaml': 'b',
    'manifests/notes.txt': 'c',
    'csv.yaml': 'd',
  };

  it.each([
    ['manifests/*.yaml', ['manifests/csv.yaml']],
    ['/manifests/**/*.yaml', ['manifests/csv.yaml', 'manifests/deep/rbac.yaml']],
    ['**/*.yaml', ['csv.yaml', 'manifests/csv.yaml', 'manifests/deep/rbac.yaml']],
    ['*.yaml', ['csv.yaml']],
    ['manifests/notes.???', ['manifests/notes.txt']],
    ['manifests/none.*', []],
  ])('are those that match %s', async (pattern, expected) => {
    expect(Object.keys(await filesOf([archive(tree)], pattern)).toSorted()).toEqual(expected);
  });

  it.each(['../x', 'a//b', '', '/', 'a/**', 'a**/b', './..'])('has no pattern %j', async (pattern) => {
    await expect(filesOf([archive(tree)], pattern)).rejects.toMatchObject({ code: 'USAGE' });
  });

  it.each(['gnu', 'pax', 'ustar', 'v7'])('are read from archives as tar writes them: %s', async (format) => {
    const deep =
      format === 'v7'
        ? 'short'
        : Array.from({ length: format === 'ustar' ? 2 : 9 }, () => 'folder-with-a-long-name').join('/');
    const long = format === 'v7' || format === 'ustar' ? 'name' : 'n'.repeat(180);
    const files = {
      [`${deep}/${long}.yaml`]: 'x'.repeat(1000),
      [`${deep}/empty.yaml`]: '',
      'other.bin': 'y'.repeat(5000),
    };
    expect(await filesOf([archive(files, format)], '**/*.yaml')).toEqual({
      [`${deep}/${long}.yaml`]: 'x'.repeat(1000),
      [`${deep}/empty.yaml`]: '',
    });
  });

  it.each<[string, (bytes: Buffer) => Uint8Array]>([
    ['gzip', (bytes) => gzipSync(bytes)],
    ['zstd', (bytes) => zstdCompressSync(bytes)],
    ['nothing', (bytes) => bytes],
  ])('are read where the layer is compressed by %s', async (_, compress) => {
    expect(await filesOf([compress(archive(tree))], '*.yaml')).toEqual({ 'csv.yaml': 'd' });
  });
});

describe('a layer of several zstd frames', () => {
  let bytes: Buffer;
  beforeAll(() => {
    const tree = { 'm/a.yaml': 'x'.repeat(600), 'm/b.yaml': 'y', 'm/c.yaml': 'z'.repeat(3000) };
    bytes = archive(tree, 'gnu', '--sort=name');
  });
  const skippable = Buffer.concat([Buffer.from('5a2a4d1805000000', 'hex'), Buffer.from('table')]);
  const checksums = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
  /** As `zstd:chunked` and seekable formats have it: a frame for each file, and tables in frames that are passed over. */
  const framed = (at: readonly number[]): Buffer =>
    Buffer.concat([
      ...[0, ...at].map((from, index) => zstdCompressSync(bytes.subarray(from, at[index]), index % 2 ? checksums : {})),
      skippable,
    ]);

  it.each([1, 7, 64, 1000, 100_000])('is read whole, in pieces of %i bytes', async (size) => {
    // Between two entries, too: who reads the first frame alone misses a file, and nothing tells.
    for (const at of [[2560], [2560, 3584], [100, 101, 5000]]) {
      for (const layer of [framed(at), Buffer.concat([skippable, framed(at)])]) {
        const found: string[] = [];
        const registry: Registry = { ...memoryRegistry(), readBlob: (_, _1, consume) => consume(pieces(layer, size)) };
        const place = { registry: 'registry.example', repository: 'image' };
        const described = [{ mediaType: '', digest: ZERO, size: layer.length }];
        await readFiles(registry, place, described, ['m/*.yaml'], ({ path }) => found.push(path));
        expect(found).toEqual(['m/a.yaml', 'm/b.yaml', 'm/c.yaml']);
      }
    }
  });

  it.each<[string, () => Uint8Array]>([
    ['another thing after it', () => Buffer.concat([framed([2560]), Buffer.from('garbage')])],
    ['a frame that breaks off', () => framed([2560]).subarray(0, -20)],
    ['a frame that has only begun', () => Buffer.concat([framed([2560]), Buffer.from('28b5', 'hex')])],
  ])('is refused with %s', async (_, layer) => {
    await expect(filesOf([layer()], 'm/*.yaml')).rejects.toMatchObject({ code: 'LAYER_INVALID' });
  });
});

describe('an upper layer', () => {
  const lower = archive.bind(undefined, { 'm/a.yaml': 'old', 'm/b.yaml': 'kept', 'other/c.yaml': 'x' });

  it.each<[string, Tree, Record<string, string>]>([
    ['replaces a file', { 'm/a.yaml': 'new' }, { 'm/a.yaml': 'new', 'm/b.yaml': 'kept' }],
    ['takes a file away', { 'm/.wh.a.yaml': '' }, { 'm/b.yaml': 'kept' }],
    ['takes a folder away', { '.wh.m': '' }, {}],
    ['makes a folder anew', { 'm/.wh..wh..opq': '', 'm/z.yaml': 'new' }, { 'm/z.yaml': 'new' }],
    ['makes the root anew', { '.wh..wh..opq': '' }, {}],
    ['puts a file in place of the folder', { m: 'x' }, {}],
    ['adds a file', { 'm/z.yaml': 'new' }, { 'm/a.yaml': 'old', 'm/b.yaml': 'kept', 'm/z.yaml': 'new' }],
  ])('%s', async (_, upper, expected) => {
    expect(await filesOf([lower(), archive(upper)], 'm/*.yaml')).toEqual(expected);
  });

  it('can not put a link in place of a file that is asked for: what it leads to is not read', async () => {
    await expect(filesOf([lower(), archive({ 'm/a.yaml': { link: 'b.yaml' } })], 'm/*.yaml')).rejects.toMatchObject({
      code: 'LAYER_INVALID',
      message: expect.stringContaining('m/a.yaml is a link'),
    });
    // Nor in place of a folder that leads there; in place of a link it puts a folder.
    const folderLink = archive({ m: { link: 'other' } });
    await expect(filesOf([lower(), folderLink], 'm/*.yaml')).rejects.toMatchObject({ code: 'LAYER_INVALID' });
    await expect(filesOf([archive({ 'm/x': { link: '/' } })], 'm/**/*.yaml')).rejects.toMatchObject({
      code: 'LAYER_INVALID',
    });
    expect(await filesOf([folderLink, lower()], 'm/*.yaml')).toEqual({ 'm/a.yaml': 'old', 'm/b.yaml': 'kept' });
    expect(await filesOf([archive({ bin: { link: 'm' }, 'm/a.yaml': 'x' })], '**/*.yaml')).toEqual({ 'm/a.yaml': 'x' });
    // Below what is asked for, links are nobody's business.
    const links = archive({ 'm/a.yaml': { link: 'b.yaml' } });
    expect(await filesOf([links, archive({ 'm/.wh.a.yaml': '', 'm/b.yaml': 'x' })], 'm/*.yaml')).toEqual({
      'm/b.yaml': 'x',
    });
  });
});

interface Written {
  readonly name: string;
  readonly type?: string;
  readonly data?: string;
  readonly size?: string;
  readonly magic?: string;
  readonly prefix?: string;
}

/** One entry of an archive, as no tool writes it. */
function entry({ name, type = '0', data = '', size, magic = 'ustar\0', prefix = '' }: Written): Buffer {
  const header = Buffer.alloc(512);
  const length = Buffer.byteLength(data);
  header.write(name);
  header.write(size ?? length.toString(8).padStart(11, '0'), 124, 12, 'latin1');
  header.fill(' ', 148, 156);
  header.write(`${type}`, 156, 'latin1');
  header.write(magic, 257, 'latin1');
  header.write(prefix, 345);
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0`, 148);
  return Buffer.concat([header, Buffer.from(data), Buffer.alloc((512 - (length % 512)) % 512)]);
}

/** An extended header; a record's length counts its own digits. */
const pax = (...records: readonly string[]): Buffer => {
  const data = records.map((record) => `${record.length + (record.length < 7 ? 3 : 4)} ${record}\n`).join('');
  return entry({ name: 'pax', type: 'x', data });
};
const longName = (name: string): Buffer => entry({ name: '././@LongLink', type: 'L', data: `${name}\0` });

describe('a file that a runtime sees', () => {
  const seen = entry({ name: 'm/a.yaml', data: 'seen' });
  const elsewhere = entry({ name: 'x', data: 'seen' });
  const written = (...entries: readonly Buffer[]): Buffer => Buffer.concat([...entries, Buffer.alloc(1024)]);

  it.each([
    ['by a name with ..', written(entry({ name: 'x/../m/a.yaml', data: 'seen' }))],
    ['by a name out of the root', written(entry({ name: '../../m/a.yaml', data: 'seen' }))],
    ['beside an empty path', written(pax('path=', 'uid=1000000'), seen)],
    ['by a long name before another path', written(longName('m/a.yaml'), pax('path=other-name'), elsewhere)],
    ['after a path that the next header takes back', written(pax('path=other-name'), pax('uid=1000000'), seen)],
    ['after a path of a global header', written(pax('path=other-name'), entry({ name: 'g', type: 'g' }), seen)],
    ['after a folder that says it has content', written(entry({ name: 'd', type: '5', size: '00000002000' }), seen)],
    ['with zeros before its size', written(entry({ name: 'm/a.yaml', data: 'seen', size: '\0\x000000000004' }))],
    [
      'with a prefix beside GNU’s magic',
      written(entry({ name: 'a.yaml', data: 'seen', prefix: 'm', magic: 'ustar  \0' })),
    ],
  ])('is found: %s', async (_, layer) => {
    expect(await filesOf([layer], 'm/*.yaml')).toEqual({ 'm/a.yaml': 'seen' });
  });

  it('is not passed over for its second name: which one it has, readers differ about', async () => {
    const layer = written(pax('GNU.sparse.major=1', 'GNU.sparse.minor=0', 'GNU.sparse.name=m/a.yaml'), elsewhere);
    await expect(filesOf([layer], 'm/*.yaml')).rejects.toMatchObject({ code: 'LAYER_INVALID' });
  });

  it.each([
    ['a folder as it was written of old', written(entry({ name: 'm/', type: '\0' }), entry({ name: 'm/b.yaml' }))],
    ['a file that is a folder as well', written(entry({ name: 'm' }), entry({ name: 'm/', type: '5' }))],
    ['a file with something below it', written(entry({ name: 'm' }), entry({ name: 'm/b.yaml' }))],
  ])('is not hidden by %s', async (_, upper) => {
    expect(await filesOf([written(seen), upper], 'm/*.yaml')).toMatchObject({ 'm/a.yaml': 'seen' });
  });
});

describe('a layer that is no archive', () => {
  let good: Buffer;
  beforeAll(() => {
    good = archive({ 'm/a.yaml': 'x'.repeat(600), 'm/b.yaml': 'y' }, 'gnu', '--sort=name');
  });
  const changed = (at: number, text: string): Buffer => {
    const bytes = Buffer.from(good);
    bytes.write(text, at, 'latin1');
    return bytes;
  };

  it.each<[string, () => Uint8Array]>([
    ['text', () => Buffer.from('no archive at all'.repeat(100))],
    ['cut short', () => good.subarray(0, 1500)],
    ['with a checksum of another header', () => changed(148, '0000000')],
    ['with a size that is no number', () => changed(124, 'zzzzzzz')],
    [
      'with one block of zeros in it',
      () => Buffer.concat([good.subarray(0, 2560), Buffer.alloc(512), good.subarray(2560)]),
    ],
    ['gzip that breaks off', () => gzipSync(good).subarray(0, 60)],
    ['gzip with other bytes', () => Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(64, 7)])],
    ['zstd with other bytes', () => Buffer.concat([Buffer.from('28b52ffd', 'hex'), Buffer.alloc(64, 7)])],
  ])('is refused: %s', async (_, layer) => {
    await expect(filesOf([layer()], 'm/*.yaml')).rejects.toMatchObject({ code: 'LAYER_INVALID' });
  });

  it('is told where it is encrypted', async () => {
    const registry = memoryRegistry();
    const place = { registry: 'registry.example', repository: 'image' };
    const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted';
    const layer = { ...(await registry.putBlob(place, Buffer.alloc(1024, 0xc3))), mediaType };
    await expect(readFiles(registry, place, [layer], ['m/*.yaml'], () => {})).rejects.toMatchObject({
      code: 'LAYER_INVALID',
      message: 'a layer is encrypted',
      found: `${layer.digest}, ${mediaType}`,
    });
  });

  it('is refused where a file, or all together, are too large to be held', async () => {
    const large = archive({ 'm/a.yaml': 'x'.repeat(4 * 1024 * 1024 + 1) });
    await expect(filesOf([gzipSync(large)], 'm/*.yaml')).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(await filesOf([gzipSync(large)], 'm/*.yml')).toEqual({});
    const piece = 'x'.repeat(4 * 1024 * 1024);
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`m/${at}.yaml`, piece]));
    await expect(filesOf([gzipSync(archive(many), { level: 1 })], 'm/*.yaml')).rejects.toMatchObject({
      code: 'TOO_LARGE',
    });
  });

  it('is read to its end, or refused with a code, whatever its bytes are', async () => {
    for (let at = 0; at < good.length; at += 37) {
      const bytes = Buffer.from(good);
      bytes[at] = (bytes[at] ?? 0) ^ 0xff;
      const outcome = await filesOf([bytes], 'm/*.yaml').catch((error) => error.code);
      expect(typeof outcome === 'object' || outcome === 'LAYER_INVALID', `${at}: ${outcome}`).toBe(true);
    }
  });
});

it('reads what GNU tar lists', async () => {
  const name = string({ minLength: 1, maxLength: 120, unit: constantFrom(...'abcä-_. 0') });
  const cases: Tree[] = [];
  assert(
    property(dictionary(name, string({ maxLength: 1500 }), { maxKeys: 6 }), (tree) => {
      cases.push(tree);
    }),
    { numRuns: 25 },
  );
  for (const [index, tree] of cases.entries()) {
    const usable = Object.fromEntries(Object.entries(tree).filter(([path]) => !/^\.{1,2}$/.test(path)));
    const bytes = archive(usable, index % 2 === 0 ? 'gnu' : 'pax');
    const reader = readTar(pieces(bytes, (index % 7) * 100 + 1));
    const found: Record<string, string> = {};
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
      if (entry.type === 'file') found[entry.path] = (await reader.read()).toString();
    }
    expect(found).toEqual(usable);
  }
});

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
