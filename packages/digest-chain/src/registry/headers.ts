import { type Digest, digestAlgorithm, digestOf, isDigest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { quote } from './failure.ts';
import type { HttpResponse } from './http-response.ts';
import { redacted } from './reach.ts';

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
    found: `${value === '' ? 'no Content-Type' : quote(value)} from ${redacted(response.url)}`,
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

/**
 * The page that follows this one of a list (distribution-spec, "Listing Tags", "Listing Referrers"). A next page is another
 * part of the same list: nothing else is the registry's to name here. Throws `REDIRECT_REFUSED`.
 */
export function nextPage(response: HttpResponse, first: URL): URL | undefined {
  const link = nextLink(response.header('link') ?? '');
  if (link === undefined) return undefined;
  const url = URL.parse(link, response.url.href);
  if (url !== null && url.origin === first.origin && url.pathname === first.pathname && url.username === '') {
    url.hash = '';
    return url;
  }
  throw new DigestChainError('REDIRECT_REFUSED', `${first.host} names a next page that is no page of this list`, {
    expected: redacted(first),
    found: url === null ? 'no URL' : redacted(url),
  });
}

/** More than this many in a row are a loop. */
const MAX_REDIRECTS = 5;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function isRedirect({ status }: HttpResponse): boolean {
  return REDIRECTS.has(status);
}

/** Where a Location header leads, absolute or relative. Throws `RESPONSE_INVALID` where there is none, or no URL. */
function locationOf(response: HttpResponse): URL {
  const text = response.header('location');
  const url = text === undefined || text === '' ? null : URL.parse(text, response.url.href);
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '') {
    url.username = '';
    url.password = '';
    url.hash = '';
    return url;
  }
  throw new DigestChainError('RESPONSE_INVALID', `${response.url.host} sends its client on to nowhere`, {
    expected: 'a Location header with an HTTP URL',
    found: `HTTP ${response.status} with ${text === undefined ? 'none' : 'another'}`,
  });
}

/** Where to go on from a redirect. Throws `REDIRECT_REFUSED` for one that leaves TLS, and for one too many. */
export function redirectTarget(response: HttpResponse, hops: number): URL {
  const url = locationOf(response);
  if (hops >= MAX_REDIRECTS) throw refused(response, url, `at most ${MAX_REDIRECTS} redirects`);
  if (response.url.protocol === 'https:' && url.protocol !== 'https:') throw refused(response, url, 'an https URL');
  return url;
}

/**
 * Where an upload goes on (distribution-spec, "Pushing blobs"): the registry itself, since that gets credentials and
 * content. Throws `REDIRECT_REFUSED` for any other.
 */
export function uploadLocation(response: HttpResponse): URL {
  const url = locationOf(response);
  if (url.origin === response.url.origin) return url;
  const hint =
    url.host === response.url.host
      ? 'the registry is behind a proxy that does not tell it X-Forwarded-Proto'
      : undefined;
  throw refused(response, url, `a place on ${response.url.origin} for the upload`, hint);
}

function refused(response: HttpResponse, found: URL, expected: string, hint?: string): DigestChainError {
  return new DigestChainError('REDIRECT_REFUSED', `${response.url.host} sends its client where it does not go`, {
    expected,
    found: redacted(found),
    hint,
  });
}
