import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Digest, digestAlgorithm } from '../digest.ts';
import { blobRequest, checkDescriptor, wrongSize } from './blobs.ts';
import { mismatch } from './digest-header.ts';
import type { HttpResponse } from './http-response.ts';
import type { Operation } from './operation.ts';
import type { BlobDescriptor, Repository } from './registry.ts';
import type { Session } from './session.ts';
import type { Uploads } from './uploads.ts';

/** The least speed that a stream is given time for, in bytes a millisecond (50 kB/s). */
const SLOWEST = 50;

/** Milliseconds that a blob may take on top of the usual ones. */
export function allowanceFor({ size }: BlobDescriptor): number {
  return Number.isSafeInteger(size) ? Math.ceil(size / SLOWEST) : 0;
}

/** Mounts a blob, or streams it from one repository to the other; never more than a few pieces of it are in memory. */
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
    const location =
      from.registry === to.registry
        ? await uploads.mount(operation, to, from, digest)
        : await uploads.open(operation, to);
    if (location === undefined) return true;
    const source = { ...blobRequest(session, from, digest), streaming: true };
    return session.attempt(operation, source, async (response) => {
      if (response.status !== 200) throw await session.refusal(response, source);
      const body = Readable.from(verified(response, descriptor, source.what), { objectMode: false });
      const headers = { 'content-length': `${descriptor.size}` };
      await uploads.put(operation, to, location, digest, body, { headers, streaming: true, nested: true });
      return false;
    });
  });
  uploads.notePresent(to, digest);
  return { mounted };
}

/** The bytes as they come; the last of them only if all together are what the descriptor says. */
async function* verified(
  response: HttpResponse,
  { digest, size }: BlobDescriptor,
  what: string,
): AsyncGenerator<Buffer> {
  const algorithm = digestAlgorithm(digest);
  const hash = createHash(algorithm);
  let held: Buffer | undefined;
  let length = 0;
  for await (const chunk of response.stream(size)) {
    if (held !== undefined) yield held;
    hash.update(chunk);
    length += chunk.length;
    held = chunk;
  }
  if (length !== size) throw wrongSize(what, size, length);
  const found = `${algorithm}:${hash.digest('hex')}` as Digest;
  if (found !== digest) throw mismatch(what, digest, found);
  if (held !== undefined) yield held;
}
