import { Readable } from 'node:stream';
import { type BlobDescriptor, checkDescriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm, digestOf } from '../digest.ts';
import { repositoryName } from '../reference.ts';
import { onSide } from '../side.ts';
import { streamBlob, verified } from './blobs.ts';
import { digestHeader, mismatch, uploadLocation } from './headers.ts';
import type { HttpResponse } from './http-response.ts';
import type { Repository } from './registry.ts';
import type { Call, Request } from './session.ts';

/** Larger blobs are not sent along with a POST that the registry may not be able to use. Bytes. */
const SINGLE_POST_LIMIT = 64 * 1024;
/** As many blobs are remembered. */
const MAX_PRESENT = 10_000;

const OCTETS = { 'content-type': 'application/octet-stream' };

/** Uploads blobs, and remembers which are there and which registries take one in a single POST. */
export class Uploads {
  readonly #present = new Set<string>();
  readonly #singlePost = new Map<string, boolean>();
  readonly #everySinglePost: boolean | undefined;

  /** With whether registries take a blob in a single POST; undefined where that is to be found out of each. */
  constructor(singlePost: boolean | undefined) {
    this.#everySinglePost = singlePost;
  }

  isPresent(repository: Repository, digest: Digest): boolean {
    return this.#present.has(`${repositoryName(repository)}@${digest}`);
  }

  notePresent(repository: Repository, digest: Digest): void {
    if (this.#present.size >= MAX_PRESENT) this.#present.clear();
    this.#present.add(`${repositoryName(repository)}@${digest}`);
  }

  forget(): void {
    this.#present.clear();
  }

  /** Whether the registry is known to take a blob in a single POST; undefined where that is open. */
  takesSinglePost({ registry }: Repository): boolean | undefined {
    const known = this.#everySinglePost ?? this.#singlePost.get(registry);
    return known ?? (registry === 'quay.io' ? true : undefined);
  }

  /** Opens an upload (distribution-spec, "POST then PUT"); answers with where the bytes go. */
  open(call: Call, repository: Repository): Promise<URL> {
    return call.request({ ...post(call, repository, 'an upload'), statuses: [202] }, uploadLocation);
  }

  /** Gives an upload up (distribution-spec has no promise that a registry cares). */
  cancel(call: Call, repository: Repository, location: URL): Promise<void> {
    const request: Request = { repository, url: location, what: 'an upload', method: 'DELETE', statuses: [204] };
    return call.attempt(request, () => undefined);
  }

  /**
   * Uploads a blob under its SHA-256, or under the `digest` that names it elsewhere: to `opened`, else in a single POST
   * where the registry takes one, else with POST and PUT. When the PUT meets a transient failure, the whole is done again.
   */
  async upload(
    call: Call,
    repository: Repository,
    bytes: Uint8Array,
    { opened, digest: named }: { readonly opened?: Promise<URL> | undefined; readonly digest?: Digest | undefined },
  ): Promise<BlobDescriptor> {
    const digest = digestOf(bytes, named === undefined ? 'sha256' : digestAlgorithm(named));
    if (named !== undefined && digest !== named) throw mismatch('the blob', named, digest);
    if (!this.isPresent(repository, digest)) {
      await call.retry(async (tries) => {
        const first = tries === 0 ? await opened : undefined;
        const location = first ?? (await this.#begin(call, repository, digest, bytes));
        if (location !== undefined) await put(call, repository, location, digest, { body: bytes });
      });
      this.notePresent(repository, digest);
    }
    return { digest, size: bytes.length };
  }

  /** Uploads a stream, opened anew for each try; never more than a few pieces of it are in memory. */
  async push(
    call: Call,
    repository: Repository,
    descriptor: BlobDescriptor,
    open: () => AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const { digest } = checkDescriptor(descriptor);
    if (this.isPresent(repository, digest)) return;
    await call.retry(async () => {
      const location = await this.open(call, repository);
      // What the caller's own stream dies of is nothing that another try could mend, nor the registry's fault.
      let fault: { readonly error: unknown } | undefined;
      const content = noting(verified(open(), descriptor, `what is uploaded as blob ${digest}`), (error) => {
        fault = { error };
      });
      await putStream(call, repository, location, descriptor, content).catch((error) => {
        throw fault === undefined ? error : fault.error;
      });
    });
    this.notePresent(repository, digest);
  }

  /** Mounts a blob, or streams it from one repository to the other. */
  async copy(
    call: Call,
    descriptor: BlobDescriptor,
    from: Repository,
    to: Repository,
  ): Promise<{ readonly mounted: boolean }> {
    const { digest } = checkDescriptor(descriptor);
    if (this.isPresent(to, digest)) return { mounted: true };
    const mounted = await call.retry(async () => {
      const location = await onSide('copy', 'destination', () =>
        from.registry === to.registry ? mount(call, to, from, digest) : this.open(call, to),
      );
      if (location === undefined) return true;
      await onSide('copy', 'source', () =>
        streamBlob(call, from, descriptor, (content) => {
          const sent = putStream(call, to, location, descriptor, onSourceSide(content), { nested: true });
          return onSide('copy', 'destination', () => sent);
        }),
      );
      return false;
    });
    this.notePresent(to, digest);
    return { mounted };
  }

  /** POSTs with the bytes where that may do; answers with where to send them otherwise. */
  #begin(call: Call, repository: Repository, digest: Digest, bytes: Uint8Array): Promise<URL | undefined> {
    const request = post(call, repository, `blob ${digest}`);
    const single = this.takesSinglePost(repository) ?? bytes.length <= SINGLE_POST_LIMIT;
    if (!single) return call.attempt({ ...request, statuses: [202] }, uploadLocation);
    request.url.search = `?digest=${encodeURIComponent(digest)}`;
    return call.attempt({ ...request, headers: OCTETS, body: bytes }, (response) => {
      this.#singlePost.set(repository.registry, response.status === 201);
      return placeFor(response, request, digest);
    });
  }
}

function post(call: Call, repository: Repository, what: string): Request {
  const url = call.url(repository, 'blobs/uploads/');
  return { repository, url, what, method: 'POST', statuses: [201, 202] };
}

/** Asks to mount a blob from another repository (distribution-spec, "Mounting a blob"); answers with where to send it otherwise. */
function mount(call: Call, repository: Repository, from: Repository, digest: Digest): Promise<URL | undefined> {
  const request: Request = { ...post(call, repository, `blob ${digest}`), from };
  request.url.search = `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from.repository)}`;
  return call.attempt(request, (response) => placeFor(response, request, digest));
}

/** As {@link put}, of a stream of which the length is known. */
function putStream(
  call: Call,
  repository: Repository,
  location: URL,
  { digest, size }: BlobDescriptor,
  content: AsyncIterable<Uint8Array>,
  extra: Pick<Request, 'nested'> = {},
): Promise<void> {
  const body = Readable.from(content, { objectMode: false });
  const headers = { 'content-length': `${size}` };
  return put(call, repository, location, digest, { ...extra, body, headers, streaming: true });
}

/** Sends the bytes of an upload. */
function put(
  call: Call,
  repository: Repository,
  location: URL,
  digest: Digest,
  content: Pick<Request, 'body' | 'headers' | 'streaming' | 'nested'>,
): Promise<void> {
  const url = new URL(location);
  // The rest of the query is the registry's own and stays as it is.
  url.search = `${url.search}${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`;
  const request: Request = {
    ...content,
    repository,
    url,
    what: `blob ${digest}`,
    method: 'PUT',
    statuses: [201],
    headers: { ...OCTETS, ...content.headers },
    // The registry has forgotten the upload: what it answers when it had all the bytes but its answer was lost.
    mayPass: ({ http }) => http?.status === 404,
  };
  return call.attempt(request, (response) => checkCreated(response, request, digest));
}

/** Where a blob goes that a POST did not bring about. */
function placeFor(response: HttpResponse, request: Request, digest: Digest): URL | undefined {
  if (response.status === 202) return uploadLocation(response);
  checkCreated(response, request, digest);
  return undefined;
}

function checkCreated(response: HttpResponse, { what }: Request, digest: Digest): void {
  const said = digestHeader(response);
  // A registry may name what it keeps by another algorithm than it was asked for.
  if (said === undefined || said === digest || digestAlgorithm(said) !== digestAlgorithm(digest)) return;
  throw mismatch(`the registry's ${what}`, digest, said);
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
