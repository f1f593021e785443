import { type Digest, isDigest, parseDigest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { checkDigest, digestHeader } from './digest-header.ts';
import { urlOf } from './endpoint.ts';
import type { Operation } from './operation.ts';
import type { BlobDescriptor, Repository } from './registry.ts';
import type { Request, Session } from './session.ts';

/** What is read whole: configs and statements, not layers. Bytes. */
export const BLOB_LIMIT: number = 8 * 1024 * 1024;

/** distribution-spec, "Pulling blobs". */
export function getBlob(
  session: Session,
  operation: Operation,
  repository: Repository,
  descriptor: BlobDescriptor,
  limit: number = BLOB_LIMIT,
): Promise<Uint8Array> {
  const { digest, size } = checkDescriptor(descriptor);
  const request = blobRequest(session, repository, digest);
  if (size > limit) {
    throw new DigestChainError('TOO_LARGE', `${request.what} is too large to be read`, {
      expected: `at most ${limit} bytes`,
      found: `${size} bytes`,
    });
  }
  return session.request(operation, request, async (response) => {
    if (response.status !== 200) throw await session.refusal(response, request);
    if ((response.length ?? size) !== size) throw wrongSize(request.what, size, response.length ?? 0);
    const said = digestHeader(response);
    const bytes = await response.read(size);
    if (bytes.length !== size) throw wrongSize(request.what, size, bytes.length);
    checkDigest(request.what, bytes, digest, said);
    return bytes;
  });
}

export function blobRequest(
  session: Session,
  repository: Repository,
  digest: Digest,
): Request & { readonly method: 'GET' } {
  const url = urlOf(repository, `blobs/${digest}`, session.options.plainHttp);
  return { repository, url, what: `blob ${digest}`, method: 'GET', access: 'pull' };
}

/** A descriptor comes out of a manifest that anyone may have written. */
export function checkDescriptor({ digest, size }: BlobDescriptor): BlobDescriptor {
  if (isDigest(digest) && Number.isSafeInteger(size) && size >= 0) return { digest, size };
  parseDigest(digest);
  throw new DigestChainError('SIZE_MISMATCH', 'the descriptor has an impossible size', {
    expected: 'a whole number of bytes',
    found: String(size),
  });
}

export function wrongSize(what: string, expected: number, found: number): DigestChainError {
  return new DigestChainError('SIZE_MISMATCH', `the registry's ${what} has another length than its descriptor says`, {
    expected: `${expected} bytes`,
    found: `${found} bytes`,
  });
}
