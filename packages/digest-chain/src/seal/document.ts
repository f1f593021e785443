import { type Descriptor, requireDescriptor } from '../descriptor.ts';
import { type Digest, isDigest } from '../digest.ts';
import { DigestChainError, quoted, tooLarge, unexpected } from '../errors.ts';
import { decodeValue } from '../json/decode.ts';
import { field, get, type JsonValue, rawText, scanJson, textIn } from '../json/scan.ts';
import { splice } from '../json/splice.ts';
import { MANIFEST_LIMIT } from '../media-types.ts';

const SIZE = /^(?:0|[1-9][0-9]{0,14})$/;

/** A descriptor (image-spec, descriptor.md) and where it stands. */
export interface PlacedDescriptor extends Descriptor {
  readonly value: JsonValue;
  readonly digestToken: JsonValue;
  readonly sizeToken: JsonValue;
}

/**
 * Scans a manifest or index of one of these media types. A document that says what it is must say what its Content-Type
 * says (image-spec, manifest.md, "mediaType"); throws `MEDIA_TYPE_UNSUPPORTED`.
 */
export function scanDocument(bytes: Uint8Array, mediaType: string, supported: readonly string[]): JsonValue {
  if (!supported.includes(mediaType)) throw unsupported('the manifest is of another type', supported, mediaType);
  checkSize(bytes);
  const root = scanJson(bytes);
  const declared = field(root, 'mediaType');
  // Docker's formats have always had the field; OCI's made it optional at first.
  const found =
    declared === undefined && mediaType.startsWith('application/vnd.oci.') ? mediaType : textIn(bytes, declared);
  if (found !== mediaType) throw unsupported('the manifest says that it is something else', [mediaType], found);
  const version = field(root, 'schemaVersion');
  if (version?.type === 'number' && rawText(bytes, version) === '2') return root;
  throw unsupported('the manifest is of another schema version', ['2'], version ? rawText(bytes, version) : 'none');
}

/** Reads a descriptor that is going to be replaced; throws `SEAL_REFUSED` where that would damage it. */
export function placeDescriptor(bytes: Uint8Array, value: JsonValue | undefined): PlacedDescriptor {
  const digestToken = field(value, 'digest');
  const sizeToken = field(value, 'size');
  if (value === undefined || digestToken?.type !== 'string' || sizeToken?.type !== 'number') {
    throw notAnImage('a descriptor has no digest or no size', 'a digest and a size', 'others');
  }
  // Written in another way (escapes, exponents) they could not be restored, and no common tool writes them so.
  const digest = rawText(bytes, digestToken).slice(1, -1);
  const size = rawText(bytes, sizeToken);
  if (!isDigest(digest)) throw unread("a descriptor's digest is not written plainly", digest);
  if (!SIZE.test(size)) throw unread("a descriptor's size is not written plainly", size);
  field(value, 'mediaType');
  return { ...requireDescriptor(decodeValue(bytes, value)), value, digestToken, sizeToken };
}

/**
 * The document with other descriptors: digest and size of each change, every other byte stays. Throws `SEAL_REFUSED`
 * where a document would become wrong or too large.
 */
export function replaceDescriptors(
  bytes: Uint8Array,
  replacements: readonly { readonly old: PlacedDescriptor; readonly by: { digest: Digest; size: number } }[],
): Uint8Array {
  const edits = replacements.flatMap(({ old, by }) => {
    for (const name of ['data', 'urls']) {
      if (!isSet(old.value, name)) continue;
      throw refused(`a descriptor has "${name}", which a seal would make wrong`);
    }
    return [
      { start: old.digestToken.start, end: old.digestToken.end, text: `"${by.digest}"` },
      { start: old.sizeToken.start, end: old.sizeToken.end, text: `${by.size}` },
    ];
  });
  const replaced = splice(bytes, edits);
  checkSize(replaced);
  return replaced;
}

/** A manifest that is attached to another would stay attached, as a second one: not what anybody wants. */
export function refuseSubject(root: JsonValue): void {
  if (isSet(root, 'subject')) throw refused('it is attached to another manifest (subject)');
}

/** Whether an object says something by a member: readers and writers take null, "" and an empty list for nothing. */
function isSet(value: JsonValue | undefined, key: string): boolean {
  const said = get(value, key);
  if (said?.type === 'array') return said.items.length > 0;
  if (said?.type === 'string') return said.end - said.start > '""'.length;
  return (said?.type ?? 'null') !== 'null';
}

/** The type of an artifact, as a manifest, an index or a descriptor says it; undefined where it says none. */
export function artifactTypeOf(bytes: Uint8Array, value: JsonValue): string | undefined {
  const type = get(value, 'artifactType');
  if (type === undefined || !isSet(value, 'artifactType')) return undefined;
  return type.type === 'string' ? textIn(bytes, type) || undefined : rawText(bytes, type);
}

export function notAnImage(reason: string, expected: string, found: string): DigestChainError {
  return unexpected('NOT_AN_IMAGE', `not an image: ${reason}`, expected, found);
}

export function refused(reason: string, found?: string): DigestChainError {
  return new DigestChainError('SEAL_REFUSED', `the image can't be sealed: ${reason}`, {
    found: found && quoted(found),
  });
}

/** As {@link refused}, of what nobody may have wanted to seal: a proof takes a seal off. */
export function unread(reason: string, found: string): DigestChainError {
  const message = `an image of a kind that is neither sealed nor proved: ${reason}`;
  return new DigestChainError('SEAL_REFUSED', message, { found: quoted(found) });
}

function unsupported(reason: string, expected: readonly string[], found: string): DigestChainError {
  return unexpected('MEDIA_TYPE_UNSUPPORTED', reason, expected.join(' or '), found);
}

function checkSize(bytes: Uint8Array): void {
  if (bytes.length <= MANIFEST_LIMIT) return;
  throw tooLarge('SEAL_REFUSED', 'the manifest is too large', MANIFEST_LIMIT, bytes.length);
}
