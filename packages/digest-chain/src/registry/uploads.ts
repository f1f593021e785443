import type { Readable } from 'node:stream';
import { Transient } from '../../../kit/src/retry.ts';
import type { BlobDescriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm, digestOf } from '../digest.ts';
import type { DigestChainError } from '../errors.ts';
import { digestHeader, mismatch } from './headers.ts';
import type { HttpResponse } from './http-response.ts';
import type { Operation } from './operation.ts';
import { urlOf } from './reach.ts';
import { uploadLocation } from './redirect.ts';
import type { Repository } from './registry.ts';
import type { Request, Session } from './session.ts';

/** Larger blobs are not sent along with a POST that the registry may not be able to use. Bytes. */
const SINGLE_POST_LIMIT = 64 * 1024;
/** As many blobs are remembered. */
const MAX_PRESENT = 10_000;

/** Uploads blobs, and remembers which are there and which registries take one in a single POST. */
export class Uploads {
  readonly #session: Session;
  readonly #present = new Set<string>();
  readonly #singlePost = new Map<string, boolean>();

  constructor(session: Session) {
    this.#session = session;
  }

  isPresent(repository: Repository, digest: Digest): boolean {
    return this.#present.has(`${repository.registry}/${repository.repository}@${digest}`);
  }

  notePresent(repository: Repository, digest: Digest): void {
    if (this.#present.size >= MAX_PRESENT) this.#present.clear();
    this.#present.add(`${repository.registry}/${repository.repository}@${digest}`);
  }

  forget(): void {
    this.#present.clear();
  }

  /** Whether the registry is known to take a blob in a single POST; undefined where that is open. */
  takesSinglePost(repository: Repository): boolean | undefined {
    const known = this.#session.options.singlePost ?? this.#singlePost.get(repository.registry);
    return known ?? (repository.registry === 'quay.io' ? true : undefined);
  }

  /** Opens an upload (distribution-spec, "POST then PUT"); answers with where the bytes go. */
  open(operation: Operation, repository: Repository): Promise<URL> {
    const request = this.#post(repository, 'an upload');
    return this.#session.request(operation, request, (response) => this.#location(response, request));
  }

  /**
   * Uploads a blob under its SHA-256, or under the `digest` that names it elsewhere: to `opened`, else in a single POST where the registry takes one, else with POST and PUT. When the
   * PUT meets a transient failure, or the registry has forgotten the upload (what it answers when it had all the bytes but its
   * answer was lost), the whole is done again.
   */
  async upload(
    operation: Operation,
    repository: Repository,
    bytes: Uint8Array,
    {
      opened,
      digest: named,
    }: { readonly opened?: Promise<URL> | undefined; readonly digest?: Digest | undefined } = {},
  ): Promise<BlobDescriptor> {
    const digest = digestOf(bytes, named === undefined ? 'sha256' : digestAlgorithm(named));
    if (named !== undefined && digest !== named) throw mismatch('the blob', named, digest);
    if (!this.isPresent(repository, digest)) {
      await this.#session.retry(operation, async (tries) => {
        const location =
          tries === 0 && opened !== undefined ? await opened : await this.#begin(operation, repository, digest, bytes);
        if (location !== undefined) await this.put(operation, repository, location, digest, bytes);
      });
      this.notePresent(repository, digest);
    }
    return { digest, size: bytes.length };
  }

  /** As {@link put}, of a stream of which the length is known. */
  putStream(
    operation: Operation,
    repository: Repository,
    location: URL,
    { digest, size }: BlobDescriptor,
    body: Readable,
    extra: Pick<Request, 'nested'> = {},
  ): Promise<void> {
    const headers = { 'content-length': `${size}` };
    return this.put(operation, repository, location, digest, body, { ...extra, headers, streaming: true });
  }

  /** Sends the bytes of an upload. */
  put(
    operation: Operation,
    repository: Repository,
    location: URL,
    digest: Digest,
    body: Request['body'] & {},
    extra: Pick<Request, 'headers' | 'streaming' | 'nested'> = {},
  ): Promise<void> {
    const url = new URL(location);
    // The rest of the query is the registry's own and stays as it is.
    url.search = `${url.search}${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`;
    const headers = { 'content-type': 'application/octet-stream', ...extra.headers };
    const request: Request = {
      ...extra,
      repository,
      url,
      headers,
      what: `blob ${digest}`,
      method: 'PUT',
      access: 'push',
      body,
    };
    return this.#session.attempt(operation, request, (response) => this.#created(response, request, digest));
  }

  /** Gives an upload up (distribution-spec has no promise that a registry cares). */
  async cancel(operation: Operation, repository: Repository, location: URL): Promise<void> {
    const request: Request = { repository, url: location, what: 'an upload', method: 'DELETE', access: 'push' };
    await this.#session.attempt(operation, request, (response) => response.discard());
  }

  /** Asks to mount a blob from another repository (distribution-spec, "Mounting a blob"); answers with where to send it otherwise. */
  mount(operation: Operation, repository: Repository, from: Repository, digest: Digest): Promise<URL | undefined> {
    const request: Request = { ...this.#post(repository, `blob ${digest}`), from };
    request.url.search = `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from.repository)}`;
    return this.#session.attempt(operation, request, async (response) => {
      if (response.status === 202) return this.#location(response, request);
      await this.#created(response, request, digest);
      return undefined;
    });
  }

  /** POSTs with the bytes where that may do; answers with where to send them otherwise. */
  #begin(operation: Operation, repository: Repository, digest: Digest, bytes: Uint8Array): Promise<URL | undefined> {
    const single = this.takesSinglePost(repository) ?? bytes.length <= SINGLE_POST_LIMIT;
    const request = this.#post(repository, `blob ${digest}`);
    if (!single) {
      return this.#session.attempt(operation, request, (response) => this.#location(response, request));
    }
    request.url.search = `?digest=${encodeURIComponent(digest)}`;
    const headers = { 'content-type': 'application/octet-stream' };
    return this.#session.attempt(operation, { ...request, headers, body: bytes }, async (response) => {
      const taken = response.status === 201;
      if (taken || response.status === 202) this.#singlePost.set(repository.registry, taken);
      if (!taken) return this.#location(response, request);
      await this.#created(response, request, digest);
      return undefined;
    });
  }

  #post(repository: Repository, what: string): Request {
    const url = urlOf(repository, 'blobs/uploads/', this.#session.options.plainHttp);
    return { repository, url, what, method: 'POST', access: 'push' };
  }

  async #location(response: HttpResponse, request: Request): Promise<URL> {
    if (response.status !== 202) throw await this.#session.refusal(response, request);
    const location = uploadLocation(response);
    await response.discard();
    return location;
  }

  async #created(response: HttpResponse, request: Request, digest: Digest): Promise<void> {
    if (response.status === 404 && request.method === 'PUT')
      throw new Transient(await this.#refused(response, request));
    if (response.status !== 201) throw await this.#refused(response, request);
    const said = digestHeader(response);
    // A registry may name what it keeps by another algorithm than it was asked for.
    if (said !== undefined && digestAlgorithm(said) === digestAlgorithm(digest) && said !== digest)
      throw mismatch(`the registry's ${request.what}`, digest, said);
    await response.discard();
  }

  #refused(response: HttpResponse, request: Request): Promise<DigestChainError> {
    return this.#session.refusal(response, request);
  }
}
