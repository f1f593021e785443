import { readDescriptor } from '../descriptor.ts';
import { type Digest, digestOf, parseDigest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { at, decodeJson, items, member, textOf } from '../json/decode.ts';
import { get, scanJson } from '../json/scan.ts';
import { splice } from '../json/splice.ts';
import { OCI_INDEX } from '../media-types.ts';
import type { Referrer } from './registry.ts';

/** The members of an index that are whole descriptors, each digest once; whoever may push may have written anything. */
export function readReferrers(bytes: Uint8Array): readonly Referrer[] {
  const document = decodeJson(bytes);
  const type = member(document, 'mediaType');
  if (!Array.isArray(member(document, 'manifests')) || (type !== undefined && type !== OCI_INDEX)) throw notAnIndex();
  const referrers = items(member(document, 'manifests'))
    .flatMap((entry) => readDescriptor(entry) ?? [])
    .filter(({ mediaType }) => mediaType !== '');
  return [...new Map(referrers.toReversed().map((referrer) => [referrer.digest, referrer])).values()].toReversed();
}

/** A manifest that is to be attached, and how an index lists it. */
export interface Attachment {
  readonly digest: Digest;
  readonly subject: Digest;
  /** JSON. */
  readonly descriptor: string;
}

/**
 * Reads what the fallback index needs of a manifest (distribution-spec, "Pushing Manifests with Subject"): its
 * artifactType, or its config's media type, and all of its annotations. Throws `DIGEST_INVALID` without a subject.
 */
export function readAttachment({ bytes, mediaType }: { bytes: Uint8Array; mediaType: string }): Attachment {
  const document = decodeJson(bytes);
  const digest = digestOf(bytes);
  const subject = parseDigest(textOf(at(document, 'subject', 'digest')) ?? '');
  const artifactType = textOf(member(document, 'artifactType')) || textOf(at(document, 'config', 'mediaType'));
  const annotations = member(document, 'annotations') ?? undefined;
  const descriptor = JSON.stringify({ mediaType, digest, size: bytes.length, artifactType, annotations });
  return { digest, subject, descriptor };
}

/** An index with one more member, every other byte as it was; a new one where there is none. */
export function appendReferrer(index: Uint8Array | undefined, descriptor: string): Uint8Array {
  if (index === undefined) {
    return Buffer.from(`{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":[${descriptor}]}`);
  }
  const manifests = get(scanJson(index), 'manifests');
  if (manifests?.type !== 'array') throw notAnIndex();
  const last = manifests.items.at(-1);
  const end = last?.end ?? manifests.start + 1;
  return splice(index, [{ start: end, end, text: last === undefined ? descriptor : `,${descriptor}` }]);
}

function notAnIndex(): DigestChainError {
  return new DigestChainError('RESPONSE_INVALID', 'the list of referrers is no image index', {
    expected: `{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":[…]}`,
    found: 'something else',
  });
}
