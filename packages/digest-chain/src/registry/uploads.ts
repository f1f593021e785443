import { failureOf } from '../../../kit/src/retry.ts';
import { type BlobDescriptor, checkDescriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm, digestOf } from '../digest.ts';
import { DigestChainError, isUnanswered } from '../errors.ts';
import { repositoryName } from '../reference.ts';
import { onSide } from '../side.ts';
import { headBlob, streamBlob, verified } from './blobs.ts';
import { digestHeader, mismatch, uploadLocation } from './headers.ts';
import type { HttpResponse } from './http-response.ts';
import type { Repository } from './registry.ts';
import { type Call, CREATED, type Request, unconfirmed } from './session.ts';

const { Readable } = process.getBuiltinModule('node:stream');

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
    return call.request(post(call, repository, 'an upload'), uploadLocation);
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
        if (location !== undefined)
          await put(call, repository, location, { digest, size: bytes.length }, { body: bytes });
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
        from.registry === to.registry ? this.#mount(call, to, from, descriptor) : this.open(call, to),
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

  /**
   * Asks to mount a blob from another repository (distribution-spec, "Mounting a blob"); answers with where to send it
   * otherwise. That spares a copy, and no more: a registry that refuses it may take an upload all the same.
   */
  async #mount(
    call: Call,
    to: Repository,
    from: Repository,
    { digest, size }: BlobDescriptor,
  ): Promise<URL | undefined> {
    const request: Request = { ...post(call, to, `blob ${digest}`), from, statuses: CREATED };
    request.url.search = `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from.repository)}`;
    const answer = await call
      .attempt(request, (response) => {
        if (response.status === 202) return uploadLocation(response);
        checkCreated(response, request, digest);
        return response.status;
      })
      .catch((error) => {
        if (isAnswer(error)) return undefined;
        throw error;
      });
    if (answer instanceof URL) return answer;
    if (answer === 201) return undefined;
    if (answer !== undefined && (await isThere(call, to, digest, size))) return undefined;
    return this.open(call, to);
  }

  /** POSTs with the bytes where that may do; answers with where to send them otherwise. */
  async #begin(call: Call, repository: Repository, digest: Digest, bytes: Uint8Array): Promise<URL | undefined> {
    const request = post(call, repository, `blob ${digest}`);
    const single = this.takesSinglePost(repository) ?? bytes.length <= SINGLE_POST_LIMIT;
    if (!single) return call.attempt(request, uploadLocation);
    request.url.search = `?digest=${encodeURIComponent(digest)}`;
    const answer = await call.attempt({ ...request, headers: OCTETS, body: bytes }, (response) => {
      // An upload that goes on says where, by whatever number.
      if (response.status === 202 || (response.status !== 201 && response.header('location') !== undefined)) {
        return uploadLocation(response);
      }
      checkCreated(response, request, digest);
      return response.status;
    });
    const taken =
      answer === 201 || (typeof answer === 'number' && (await isThere(call, repository, digest, bytes.length)));
    this.#singlePost.set(repository.registry, taken);
    if (taken) return undefined;
    return answer instanceof URL ? answer : this.#begin(call, repository, digest, bytes);
  }
}

function post(call: Call, repository: Repository, what: string): Request {
  const url = call.url(repository, 'blobs/uploads/');
  return { repository, url, what, method: 'POST', statuses: CREATED };
}

/** Whether a failure is a registry's answer to this request, whatever it says, and not that nobody answered. */
function isAnswer(error: unknown): boolean {
  const failure = failureOf(error);
  return failure instanceof DigestChainError && !isUnanswered(failure);
}

async function isThere(call: Call, repository: Repository, digest: Digest, size: number): Promise<boolean> {
  return (await headBlob(call, repository, digest))?.size === size;
}

/** As {@link put}, of a stream of which the length is known. */
function putStream(
  call: Call,
  repository: Repository,
  location: URL,
  descriptor: BlobDescriptor,
  content: AsyncIterable<Uint8Array>,
  extra: Pick<Request, 'nested'> = {},
): Promise<void> {
  const body = Readable.from(content, { objectMode: false });
  const headers = { 'content-length': `${descriptor.size}` };
  return put(call, repository, location, descriptor, { ...extra, body, headers, streaming: true });
}

/** Sends the bytes of an upload. */
async function put(
  call: Call,
  repository: Repository,
  location: URL,
  { digest, size }: BlobDescriptor,
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
    statuses: CREATED,
    headers: { ...OCTETS, ...content.headers },
    // The registry has forgotten the upload: what it answers when it had all the bytes but its answer was lost.
    mayPass: ({ http }) => http?.status === 404,
  };
  const status = await call.attempt(request, (response) => {
    checkCreated(response, request, digest);
    return response.status;
  });
  call.session.noteReadable(repository);
  if (status === 201) return;
  const there = await headBlob(call, repository, digest, { nested: content.nested });
  if (there?.size !== size) throw unconfirmed(request, status, `${size} bytes`, there && `${there.size} bytes`);
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

/**
 * The same, telling of the error that it ends with by itself: what it is written to throws its own errors into it, and
 * those are none of its faults.
 */
async function* noting<T>(content: AsyncIterable<T>, note: (error: unknown) => void): AsyncGenerator<T, void> {
  const pieces = content[Symbol.asyncIterator]();
  const next = (): Promise<IteratorResult<T>> =>
    pieces.next().catch((error) => {
      note(error);
      throw error;
    });
  try {
    for (let piece = await next(); !piece.done; piece = await next()) yield piece.value;
  } finally {
    await pieces.return?.();
  }
}
