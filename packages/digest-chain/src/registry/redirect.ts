import { DigestChainError } from '../errors.ts';
import type { HttpResponse } from './http-response.ts';
import { redacted } from './reach.ts';

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
