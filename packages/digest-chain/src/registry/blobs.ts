import { type BlobDescriptor, checkDescriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm, parseDigest } from '../digest.ts';
import { DigestChainError, tooLarge } from '../errors.ts';
import { quote } from './failure.ts';
import { checkDigest, digestHeader, mismatch } from './headers.ts';
import type { Repository } from './registry.ts';
import type { Call, Request } from './session.ts';

const { createHash } = process.getBuiltinModule('node:crypto');

/** What is read whole: configs and statements, not layers. Bytes. */
const BLOB_LIMIT = 8 * 1024 * 1024;

/** The least speed that a stream is given time for, in bytes a millisecond (50 kB/s). */
const SLOWEST = 50;

/** Milliseconds that a blob may take on top of the usual ones. */
export function allowanceFor({ size }: BlobDescriptor): number {
  return Number.isSafeInteger(size) ? Math.ceil(size / SLOWEST) : 0;
}

/** distribution-spec, "Pulling blobs". */
export function getBlob(
  call: Call,
  repository: Repository,
  descriptor: BlobDescriptor,
  limit: number = BLOB_LIMIT,
): Promise<Uint8Array> {
  const { digest, size } = checkDescriptor(descriptor);
  const request = blobRequest(call, repository, digest, 'GET');
  if (size > limit) throw tooLarge('TOO_LARGE', `${request.what} is too large to be read`, limit, size);
  return call.request(request, async (response) => {
    const what = `the registry's ${request.what}`;
    const type = response.header('content-type');
    if (response.length !== undefined && response.length !== size) throw wrongSize(what, size, response.length, type);
    const said = digestHeader(response);
    const bytes = await response.read(size);
    if (bytes.length !== size) throw wrongSize(what, size, bytes.length, type);
    checkDigest(request.what, bytes, digest, said);
    return bytes;
  });
}

/** distribution-spec, "Checking if content exists in the registry". */
export function headBlob(
  call: Call,
  repository: Repository,
  digest: Digest,
  extra: Pick<Request, 'nested'> = {},
): Promise<BlobDescriptor | undefined> {
  const request = { ...blobRequest(call, repository, parseDigest(digest), 'HEAD'), ...extra, statuses: [200, 404] };
  return call.request(request, async (response) => {
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

/** Hands a blob over as a stream (distribution-spec, "Pulling blobs"), once: throws `Transient` where another try may do. */
export function streamBlob<T>(
  call: Call,
  repository: Repository,
  descriptor: BlobDescriptor,
  consume: (content: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  const { digest, size } = checkDescriptor(descriptor);
  const request = blobRequest(call, repository, digest, 'GET');
  return call.attempt({ ...request, streaming: true }, (response) =>
    consume(verified(response.stream(size), descriptor, `the registry's ${request.what}`)),
  );
}

/** The bytes as they come; the last of them only if all together are what the descriptor says. */
export async function* verified(
  content: AsyncIterable<Uint8Array>,
  { digest, size }: BlobDescriptor,
  what: string,
): AsyncGenerator<Uint8Array, void> {
  const algorithm = digestAlgorithm(digest);
  const hash = createHash(algorithm);
  let held: Uint8Array | undefined;
  let length = 0;
  for await (const chunk of content) {
    if (held !== undefined) yield held;
    hash.update(chunk);
    length += chunk.length;
    if (length > size) break;
    held = chunk;
  }
  if (length !== size) throw wrongSize(what, size, length);
  const found = `${algorithm}:${hash.digest('hex')}` as Digest;
  if (found !== digest) throw mismatch(what, digest, found);
  if (held !== undefined) yield held;
}

function blobRequest(call: Call, repository: Repository, digest: Digest, method: 'GET' | 'HEAD'): Request {
  return { repository, url: call.url(repository, `blobs/${digest}`), what: `blob ${digest}`, method };
}

/** With the type of a page that somebody else answered with. */
function wrongSize(what: string, expected: number, found: number, type: string = ''): DigestChainError {
  return new DigestChainError('SIZE_MISMATCH', `${what} has another length than its descriptor says`, {
    expected: `${expected} bytes`,
    found: `${found} bytes${/^text\//.test(type) ? ` of ${quote(type)}` : ''}`,
  });
}
