import { isDigest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { items, member, textOf } from '../json/decode.ts';
import type { BlobDescriptor } from '../registry/registry.ts';

/** A descriptor of a manifest that is copied as it is (image-spec, descriptor.md). */
export interface ContentDescriptor extends BlobDescriptor {
  readonly mediaType: string;
  /** Whether the bytes are somewhere else than in the registry (a layer that must not be distributed). */
  readonly foreign: boolean;
}

/** The config and the layers of a manifest. Throws `NOT_AN_IMAGE`. */
export function blobsOf(document: unknown): readonly ContentDescriptor[] {
  return [member(document, 'config'), ...items(member(document, 'layers'))].map(readDescriptor);
}

export function readDescriptor(value: unknown): ContentDescriptor {
  const digest = textOf(member(value, 'digest')) ?? '';
  const size = member(value, 'size');
  if (isDigest(digest) && typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) {
    const foreign = items(member(value, 'urls')).length > 0;
    return { mediaType: textOf(member(value, 'mediaType')) ?? '', digest, size, foreign };
  }
  throw new DigestChainError('NOT_AN_IMAGE', 'a manifest names content without saying what it is', {
    expected: 'a descriptor with digest and size',
    found: JSON.stringify(value)?.slice(0, 160) ?? 'nothing',
  });
}
