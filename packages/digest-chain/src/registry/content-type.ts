import { DigestChainError } from '../errors.ts';
import { quote } from './failure.ts';
import type { HttpResponse } from './http-response.ts';

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
