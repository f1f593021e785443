import { type BlobDescriptor, checkDescriptor } from '../descriptor.ts';
import { type Digest, parseDigest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { checkDigest, digestHeader } from './headers.ts';
import type { Operation } from './operation.ts';
import { urlOf } from './reach.ts';
import type { Repository } from './registry.ts';
import type { Request, Session } from './session.ts';

/** What is read whole: configs and statements, not layers. Bytes. */
const BLOB_LIMIT = 8 * 1024 * 1024;

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
    if ((response.length ?? size) !== size)
      throw wrongSize(`the registry's ${request.what}`, size, response.length ?? 0);
    const said = digestHeader(response);
    const bytes = await response.read(size);
    if (bytes.length !== size) throw wrongSize(`the registry's ${request.what}`, size, bytes.length);
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

/** distribution-spec, "Checking if content exists in the registry". */
export function headBlob(
  session: Session,
  operation: Operation,
  repository: Repository,
  digest: Digest,
): Promise<BlobDescriptor | undefined> {
  const request: Request = { ...blobRequest(session, repository, parseDigest(digest)), method: 'HEAD' };
  return session.request(operation, request, async (response) => {
    if (response.status !== 404 && response.status !== 200) throw await session.refusal(response, request);
    const size = response.length;
    await response.discard();
    if (response.status === 404) return undefined;
    if (size !== undefined) return { digest, size };
    throw new DigestChainError('RESPONSE_INVALID', `${response.url.host} does not say what ${request.what} is`, {
      expected: 'Content-Length',
      found: 'none',
    });
  });
}

export function wrongSize(what: string, expected: number, found: number): DigestChainError {
  return new DigestChainError('SIZE_MISMATCH', `${what} has another length than its descriptor says`, {
    expected: `${expected} bytes`,
    found: `${found} bytes`,
  });
}
