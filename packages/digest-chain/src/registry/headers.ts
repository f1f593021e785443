import { type Digest, digestAlgorithm, digestOf, isDigest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { quote } from './failure.ts';
import type { HttpResponse } from './http-response.ts';

/** The Docker-Content-Digest of an answer, if it has one. Throws `RESPONSE_INVALID` for one that is no digest. */
export function digestHeader(response: HttpResponse): Digest | undefined {
  const value = response.header('docker-content-digest');
  if (value === undefined || isDigest(value)) return value;
  throw new DigestChainError('RESPONSE_INVALID', `${response.url.host} sent a malformed Docker-Content-Digest`, {
    expected: 'sha256:<64 lower-case hex digits> or sha512:<128>',
    found: quote(value),
  });
}

/**
 * Checks bytes as they came against the digest that was asked for, and against what the registry says they are
 * (distribution-spec, "Digests": a client should verify both). Throws `DIGEST_MISMATCH`. Answers with the digest.
 */
export function checkDigest(
  what: string,
  bytes: Uint8Array,
  asked: Digest | undefined,
  said: Digest | undefined,
): Digest {
  for (const expected of [asked, said]) {
    if (expected === undefined) continue;
    const found = digestOf(bytes, digestAlgorithm(expected));
    if (found !== expected) throw mismatch(`the registry's ${what}`, expected, found);
  }
  return asked ?? said ?? digestOf(bytes);
}

export function mismatch(what: string, expected: Digest, found: Digest): DigestChainError {
  return new DigestChainError('DIGEST_MISMATCH', `${what} has other bytes than its digest says`, {
    expected,
    found,
    hint: 'the content was damaged or changed on its way, or the registry lies: do not use it',
  });
}

/** The Content-Type of an answer, without parameters. Throws `MEDIA_TYPE_UNSUPPORTED` for one that was not asked for. */
export function mediaTypeOf(response: HttpResponse, accepted: readonly string[]): string {
  const value = response.header('content-type') ?? '';
  const mediaType = value.split(';')[0]?.trim().toLowerCase() ?? '';
  if (accepted.includes(mediaType)) return mediaType;
  throw new DigestChainError('MEDIA_TYPE_UNSUPPORTED', `${response.url.host} answered with something else`, {
    expected: accepted.join(' or '),
    found: value === '' ? 'no Content-Type' : quote(value),
  });
}

/**
 * The target of the link with `rel="next"` in a Link header (RFC 8288), as it is written: relative or absolute. Undefined
 * where there is none.
 */
export function nextLink(header: string): string | undefined {
  const LINK = /\s*,?\s*<([^<>"]*)>((?:\s*;\s*[A-Za-z0-9!#$&+.^_`|~*-]+\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]+))?)*)/y;
  for (let match = LINK.exec(header); match !== null; match = LINK.exec(header)) {
    const [, target = '', parameters = ''] = match;
    const [, quoted, token] = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]+))/i.exec(parameters) ?? [];
    const relations = (quoted ?? token ?? '').toLowerCase().split(/\s+/);
    if (relations.includes('next')) return target;
  }
  return undefined;
}
