import { DigestChainError } from '../errors.ts';
import { quote } from './failure.ts';
import type { HttpResponse } from './http-response.ts';

export const OCI_INDEX: string = 'application/vnd.oci.image.index.v1+json';

/** What a manifest can be. Without this header some registries convert to formats of long ago. */
export const MANIFEST_TYPES: readonly string[] = [
  'application/vnd.oci.image.manifest.v1+json',
  OCI_INDEX,
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];

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
