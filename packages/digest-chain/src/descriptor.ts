import { type Digest, isDigest, parseDigest } from './digest.ts';
import { DigestChainError } from './errors.ts';
import { items, member, members, textOf } from './json/decode.ts';

/** The part of a descriptor that fetching needs (image-spec, descriptor.md). */
export interface BlobDescriptor {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** What a manifest or an index names (image-spec, descriptor.md), as text from outside. */
export interface Descriptor extends BlobDescriptor {
  readonly mediaType: string;
  readonly artifactType?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** What an image in an index runs on. */
  readonly platform?: Platform | undefined;
  /** Where the bytes are, if not in the registry (a layer that must not be distributed). */
  readonly urls?: readonly string[] | undefined;
}

/** image-spec, image-index.md, "platform"; in Go's words, such as `linux` and `arm64`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

/** Reads a descriptor from decoded JSON; undefined where digest or size is missing or malformed. */
export function readDescriptor(value: unknown): Descriptor | undefined {
  const digest = textOf(member(value, 'digest')) ?? '';
  const size = member(value, 'size');
  if (!isDigest(digest) || typeof size !== 'number' || !isSize(size)) return undefined;
  const annotations = members(member(value, 'annotations')).filter(([, text]) => typeof text === 'string');
  const urls = items(member(value, 'urls')).filter((url) => typeof url === 'string');
  const more: Partial<Descriptor> = {
    artifactType: textOf(member(value, 'artifactType')),
    annotations: annotations.length === 0 ? undefined : (Object.fromEntries(annotations) as Record<string, string>),
    platform: readPlatform(member(value, 'platform')),
    urls: urls.length === 0 ? undefined : urls,
  };
  const present = Object.entries(more).filter(([, part]) => part !== undefined);
  return { mediaType: textOf(member(value, 'mediaType')) ?? '', digest, size, ...Object.fromEntries(present) };
}

/** Reads a descriptor without which a manifest means nothing; throws `NOT_AN_IMAGE`. */
export function requireDescriptor(value: unknown): Descriptor {
  const descriptor = readDescriptor(value);
  if (descriptor !== undefined) return descriptor;
  throw new DigestChainError('NOT_AN_IMAGE', 'a manifest names content without saying what it is', {
    expected: 'a descriptor with digest and size',
    found: JSON.stringify(value)?.slice(0, 160) ?? 'nothing',
  });
}

/** A descriptor that somebody made of a manifest that anyone may have written. Throws `DIGEST_INVALID`, `SIZE_MISMATCH`. */
export function checkDescriptor({ digest, size }: BlobDescriptor): BlobDescriptor {
  parseDigest(digest);
  if (isSize(size)) return { digest, size };
  throw new DigestChainError('SIZE_MISMATCH', 'the descriptor has an impossible size', {
    expected: 'a whole number of bytes',
    found: String(size),
  });
}

/** The platform in an index's descriptor or an image's config; undefined where it is not told, or is no platform. */
export function readPlatform(value: unknown): Platform | undefined {
  const os = textOf(member(value, 'os'));
  const architecture = textOf(member(value, 'architecture'));
  const variant = textOf(member(value, 'variant'));
  return os && architecture && os !== 'unknown' ? { os, architecture, variant: variant || undefined } : undefined;
}

/** `linux/amd64`, `linux/arm64/v8`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== undefined).join('/');
}

function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0;
}
