import { type Digest, digestHex } from '../digest.ts';
import { get, type JsonObject, type JsonValue, scanJson, textIn } from '../json/scan.ts';
import { atEnd, type Edit, splice } from '../json/splice.ts';

const { createHash } = process.getBuiltinModule('node:crypto');

/** A digest that an SBOM may name, and the one that it has to name for the sealed image. */
export interface Renamed {
  readonly given: Digest;
  readonly sealed: Digest;
}

/** More values are not scanned: such a document stays as it is. */
const MAX_VALUES = 1_000_000;

/**
 * An SBOM of the sealed image, out of that of what was sealed: where the document names the image itself by its digest, it
 * names the sealed one, and it says from which document it comes, as its format has it: SPDX 2.3, section 11 (relationship
 * AMENDS to an external document, section 6.6); CycloneDX 1.6, "pedigree" (ancestors). Every other byte stays.
 *
 * @param images the image that it is about, then those that belong to it (the images of an index)
 * @returns undefined for what names no such digest, or is not JSON of one of the two formats: it says nothing that the seal
 * makes wrong, or nothing that is understood here
 */
export function rewriteSbom(bytes: Uint8Array, images: readonly [Renamed, ...Renamed[]]): Uint8Array | undefined {
  if (
    !images.some(({ given }) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(digestHex(given)))
  ) {
    return undefined;
  }
  let root: JsonValue;
  try {
    root = scanJson(bytes, MAX_VALUES);
  } catch {
    return undefined;
  }
  const version = textIn(bytes, get(root, 'spdxVersion'));
  if (version.startsWith('SPDX-2.')) return amendSpdx(bytes, root, images);
  return textIn(bytes, get(root, 'bomFormat')) === 'CycloneDX' ? descendCycloneDx(bytes, root, images) : undefined;
}

/** The same document, with digests of the same length in place of the others: every value stays where it was. */
function renamed(bytes: Uint8Array, images: readonly Renamed[]): Buffer {
  const copy = Buffer.from(bytes);
  for (const { given, sealed } of images) {
    const [from, to] = [digestHex(given), digestHex(sealed)];
    for (let at = copy.indexOf(from); at !== -1; at = copy.indexOf(from, at + from.length))
      copy.write(to, at, 'latin1');
  }
  return copy;
}

function amendSpdx(
  given: Uint8Array,
  root: JsonValue,
  images: readonly [Renamed, ...Renamed[]],
): Uint8Array | undefined {
  const namespace = get(root, 'documentNamespace');
  const before = textIn(given, namespace);
  if (namespace?.type !== 'string' || before === '') return undefined;
  const refs = get(root, 'externalDocumentRefs');
  // What was sealed again has been amended before.
  const taken = refs?.type === 'array' ? refs.items.map((item) => textIn(given, get(item, 'externalDocumentId'))) : [];
  const id = unusedName('DocumentRef-before-sealing', taken);
  const external = {
    externalDocumentId: id,
    spdxDocument: before,
    checksum: { algorithm: 'SHA1', checksumValue: createHash('sha1').update(given).digest('hex') },
  };
  const relationship = {
    spdxElementId: 'SPDXRef-DOCUMENT',
    relationshipType: 'AMENDS',
    relatedSpdxElement: `${id}:SPDXRef-DOCUMENT`,
    comment: `as it was built the image was ${images[0].given}; labels were added, and nothing else`,
  };
  const amended = appended(root, 'externalDocumentRefs', external);
  // A namespace is one document's.
  const own = `${before.replace(/#$/, '')}-sealed-${digestHex(images[0].sealed).slice(0, 16)}`;
  return splice(renamed(given, images), [
    { start: namespace.start, end: namespace.end, text: JSON.stringify(own) },
    ...amended,
    ...(amended.length === 0 ? [] : appended(root, 'relationships', relationship)),
  ]);
}

function descendCycloneDx(
  given: Uint8Array,
  root: JsonValue,
  images: readonly [Renamed, ...Renamed[]],
): Uint8Array | undefined {
  const component = get(get(root, 'metadata'), 'component');
  if (component?.type !== 'object') return undefined;
  const [{ given: digest }] = images;
  const ancestor = {
    type: 'container',
    name: textIn(given, get(component, 'name')) || 'image',
    version: digest,
    hashes: [{ alg: digest.startsWith('sha512:') ? 'SHA-512' : 'SHA-256', content: digestHex(digest) }],
    description: 'the image as it was built, before labels were added',
  };
  const pedigree = get(component, 'pedigree');
  const bytes = renamed(given, images);
  if (pedigree !== undefined) return splice(bytes, appended(pedigree, 'ancestors', ancestor));
  return splice(bytes, [withMember(component, 'pedigree', { ancestors: [ancestor] })]);
}

function unusedName(name: string, taken: readonly string[]): string {
  for (let number = 2, next = name; ; next = `${name}-${number++}`) if (!taken.includes(next)) return next;
}

/** Adds an item to a list that an object has, or the list with it; nothing to what is something else. */
function appended(object: JsonValue, key: string, item: object): Edit[] {
  const list = get(object, key);
  if (list?.type === 'array') return [atEnd(list, JSON.stringify(item))];
  if (list?.type === 'null') return [{ start: list.start, end: list.end, text: JSON.stringify([item]) }];
  return object.type === 'object' && list === undefined ? [withMember(object, key, [item])] : [];
}

function withMember(object: JsonObject, key: string, value: object): Edit {
  return atEnd(object, `${JSON.stringify(key)}:${JSON.stringify(value)}`);
}
