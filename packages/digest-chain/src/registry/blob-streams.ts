import { Readable } from 'node:stream';
import { type BlobDescriptor, checkDescriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm } from '../digest.ts';
import { onSide } from '../side.ts';
import { blobRequest, wrongSize } from './blobs.ts';
import { mismatch } from './headers.ts';
import type { Operation } from './operation.ts';
import type { Repository } from './registry.ts';
import type { Session } from './session.ts';
import type { Uploads } from './uploads.ts';

const { createHash } = process.getBuiltinModule('node:crypto');

/** The least speed that a stream is given time for, in bytes a millisecond (50 kB/s). */
const SLOWEST = 50;

/** Milliseconds that a blob may take on top of the usual ones. */
export function allowanceFor({ size }: BlobDescriptor): number {
  return Number.isSafeInteger(size) ? Math.ceil(size / SLOWEST) : 0;
}

/** Hands a blob over as a stream, anew for each try (distribution-spec, "Pulling blobs"). */
export function readBlob<T>(
  session: Session,
  operation: Operation,
  repository: Repository,
  descriptor: BlobDescriptor,
  consume: (content: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  return session.retry(operation, () => readOnce(session, operation, repository, checkDescriptor(descriptor), consume));
}

/** Uploads a stream, opened anew for each try; never more than a few pieces of it are in memory. */
export async function pushBlob(
  session: Session,
  uploads: Uploads,
  operation: Operation,
  repository: Repository,
  descriptor: BlobDescriptor,
  open: () => AsyncIterable<Uint8Array>,
): Promise<void> {
  const { digest } = checkDescriptor(descriptor);
  if (uploads.isPresent(repository, digest)) return;
  await session.retry(operation, async () => {
    const location = await uploads.open(operation, repository);
    // What the caller's own stream dies of is nothing that another try could mend, nor the registry's fault.
    let fault: { readonly error: unknown } | undefined;
    const content = verified(open(), descriptor, `what is uploaded as blob ${digest}`);
    const body = Readable.from(
      noting(content, (error) => {
        fault = { error };
      }),
      { objectMode: false },
    );
    await uploads.putStream(operation, repository, location, descriptor, body).catch((error) => {
      throw fault === undefined ? error : fault.error;
    });
  });
  uploads.notePresent(repository, digest);
}

/** Mounts a blob, or streams it from one repository to the other. */
export async function copyBlob(
  session: Session,
  uploads: Uploads,
  operation: Operation,
  descriptor: BlobDescriptor,
  from: Repository,
  to: Repository,
): Promise<{ mounted: boolean }> {
  const { digest } = checkDescriptor(descriptor);
  if (uploads.isPresent(to, digest)) return { mounted: true };
  const mounted = await session.retry(operation, async () => {
    const location = await onSide('copy', 'destination', () =>
      from.registry === to.registry ? uploads.mount(operation, to, from, digest) : uploads.open(operation, to),
    );
    if (location === undefined) return true;
    const send = async (content: AsyncIterable<Uint8Array>): Promise<false> => {
      const body = Readable.from(onSourceSide(content), { objectMode: false });
      const sent = uploads.putStream(operation, to, location, descriptor, body, { nested: true });
      await onSide('copy', 'destination', () => sent);
      return false;
    };
    return onSide('copy', 'source', () => readOnce(session, operation, from, descriptor, send));
  });
  uploads.notePresent(to, digest);
  return { mounted };
}

function readOnce<T>(
  session: Session,
  operation: Operation,
  repository: Repository,
  descriptor: BlobDescriptor,
  consume: (content: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  const request = { ...blobRequest(session, repository, descriptor.digest), streaming: true };
  return session.attempt(operation, request, async (response) => {
    if (response.status !== 200) throw await session.refusal(response, request);
    return consume(verified(response.stream(descriptor.size), descriptor, `the registry's ${request.what}`));
  });
}

/** The bytes as they come; the last of them only if all together are what the descriptor says. */
async function* verified(
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

/** The same; what ends it is about the source, though the destination waits for it. */
async function* onSourceSide<T>(content: AsyncIterable<T>): AsyncGenerator<T, void> {
  const pieces = content[Symbol.asyncIterator]();
  for (;;) {
    const piece = await onSide('copy', 'source', () => pieces.next());
    if (piece.done) return;
    yield piece.value;
  }
}

/** The same, telling of the error that ends it. */
async function* noting<T>(content: AsyncIterable<T>, note: (error: unknown) => void): AsyncGenerator<T, void> {
  try {
    yield* content;
  } catch (error) {
    note(error);
    throw error;
  }
}
