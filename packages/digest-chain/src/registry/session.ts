import type { Readable } from 'node:stream';
import { type Clock, parseRetryAfter, retry, systemClock, Transient } from '../../../kit/src/retry.ts';
import type { DigestChainError } from '../errors.ts';
import { isSameRepository, repositoryName } from '../reference.ts';
import { Authorizer } from './authorizer.ts';
import { credentialSource } from './credentials/files.ts';
import { refusal } from './failure.ts';
import type { HttpResponse } from './http-response.ts';
import { Limiter, type Operation, orAborted, runOperation } from './operation.ts';
import { DEFAULTS, type Environment, type RegistryOptions } from './options.ts';
import { baseOf } from './reach.ts';
import { isRedirect, redirectTarget } from './redirect.ts';
import type { CallOptions, Repository } from './registry.ts';
import { type Need, Secrets } from './token.ts';
import { type HttpRequest, type NamedBy, Transport } from './transport.ts';

/** A request to a registry, apart from what it takes to be let in. */
export interface Request extends Need {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly url: URL;
  /** For messages: `manifest 1.0`, `blob sha256:…`. */
  readonly what: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array | Readable | undefined;
  /** A body of any size goes one way or the other: not its whole time is limited, but each of its pauses. */
  readonly streaming?: boolean | undefined;
  /** It is sent while another one that has its turn waits for it. */
  readonly nested?: boolean | undefined;
}

/** Reads an answer; throws {@link Session.refusal} for a status that it can't use. */
type Consume<T> = (response: HttpResponse) => Promise<T>;

const TRANSIENT_STATUS: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

/**
 * What a client does around its requests: deadlines, bounded concurrency, retries, redirects and authorization. One
 * serves all registries; what it learns of each is kept apart.
 */
export class Session {
  readonly options: RegistryOptions;
  readonly clock: Clock;
  readonly #environment: Environment;
  readonly #transport: Transport;
  readonly #limiter: Limiter;
  readonly #secrets = new Secrets();
  readonly #authorizers = new Map<string, Authorizer>();
  readonly #pushes: Repository[] = [];
  readonly #userAgent: string;

  constructor(options: RegistryOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.#environment = options.environment ?? process.env;
    const caFile = options.caFile ?? (this.#environment.SSL_CERT_FILE || undefined);
    this.#transport = new Transport({ environment: this.#environment, caFile });
    this.#limiter = new Limiter(options.concurrency ?? DEFAULTS.concurrency);
    const own = `digest-chain (node ${process.version})`;
    this.#userAgent = options.userAgent === undefined ? own : `${options.userAgent} ${own}`;
  }

  /** Runs one call of the client, until its own signal, the client's or the deadline (and `extra` milliseconds) ends it. */
  run<T>(options: CallOptions | undefined, work: (operation: Operation) => Promise<T>, extra: number = 0): Promise<T> {
    const deadline = (this.options.deadline ?? DEFAULTS.deadline) + extra;
    const { signal, namedBy } = options ?? {};
    return runOperation(deadline, [this.options.signal, signal], (operation) => work({ ...operation, namedBy }));
  }

  /** Sends a request, again and again while what goes wrong may pass, and answers with what `consume` made of the answer. */
  request<T>(operation: Operation, request: Request, consume: Consume<T>): Promise<T> {
    return this.retry(operation, () => this.attempt(operation, request, consume));
  }

  retry<T>(operation: Operation, attempt: (tries: number) => Promise<T>): Promise<T> {
    const { retries = DEFAULTS.retries, retryPause: pause = DEFAULTS.retryPause } = this.options;
    return retry(attempt, { retries, pause, clock: this.clock, ...operation });
  }

  /** As {@link request}, once; throws {@link Transient} where another try may do. */
  attempt<T>(operation: Operation, request: Request, consume: Consume<T>): Promise<T> {
    if (request.nested) return this.#attempt(operation, request, consume);
    return this.#limiter.run(() => this.#attempt(operation, request, consume), operation.signal);
  }

  /** An answer that is not the one hoped for, as an error. */
  refusal(response: HttpResponse, { what, access, repository }: Request): Promise<DigestChainError> {
    const denied = response.status === 401 || response.status === 403;
    const hint = denied
      ? `log in to ${repository.registry} as someone who may ${access} ${repositoryName(repository)}`
      : undefined;
    return refusal(response, what, this.#secrets.redact, { hint });
  }

  /** Says ahead that a repository will be written to, so that the first token is good for all that follows. */
  expectPush(repository: Repository): void {
    if (this.#pushes.some((other) => isSameRepository(other, repository))) return;
    this.#pushes.push(repository);
    this.#authorizers.get(repository.registry)?.expectPush(repository);
  }

  close(): void {
    this.#transport.close();
  }

  async #attempt<T>(operation: Operation, request: Request, consume: Consume<T>): Promise<T> {
    const { signal } = operation;
    const { url, access, repository, body } = request;
    if (access === 'push') this.expectPush(repository);
    const known = this.#authorizers.get(repository.registry);
    let authorization = await (known && orAborted(known.authorization(request), signal));
    for (let answers = 0; ; answers++) {
      const response = await this.#follow(operation, request, authorization);
      try {
        // Only the registry itself may ask who is there; a place it sends its client to gets no answer.
        if (response.status === 401 && answers < 2 && response.url.origin === url.origin) {
          const answering = this.#authorizer(repository.registry).answer(request, response, authorization);
          const answer = await orAborted(answering, signal);
          if (answer !== undefined) {
            authorization = answer;
            // A stream was spent on the request that was refused.
            if (body !== undefined && !(body instanceof Uint8Array)) {
              throw new Transient(await this.refusal(response, request));
            }
            await response.discard();
            continue;
          }
        }
        if (TRANSIENT_STATUS.has(response.status)) throw transient(response, await this.refusal(response, request));
        return await consume(response);
      } finally {
        response.close();
      }
    }
  }

  /** Sends, and follows redirects by hand: off the registry's own origin without credentials, and never back to them. */
  async #follow(
    { signal, namedBy: named }: Operation,
    request: Request,
    authorization: string | undefined,
  ): Promise<HttpResponse> {
    const namer = named === undefined ? request.url : baseOf(named, this.options.plainHttp);
    let url = request.url;
    let own = true;
    for (let hops = 0; ; hops++) {
      const headers = { ...request.headers, ...(own && authorization !== undefined ? { authorization } : {}) };
      // Whoever is sent on by a host that was named itself is still no further in than the one that named it.
      const code = own ? 'LINK_REFUSED' : 'REDIRECT_REFUSED';
      const namedBy = url.origin === namer.origin ? undefined : this.#namedBy(namer, code);
      const response = await this.#send({ ...request, url, headers, signal, namedBy });
      // What is sent to a registry goes nowhere else: the caller sees the redirect as the failure that it is.
      if (!isRedirect(response) || (request.method !== 'GET' && request.method !== 'HEAD')) return response;
      try {
        url = redirectTarget(response, hops);
        own &&= url.origin === request.url.origin;
        await response.discard();
      } finally {
        response.close();
      }
    }
  }

  #send(request: Omit<HttpRequest, 'timeout'>): Promise<HttpResponse> {
    const { body } = request;
    const length: Record<string, string> = body instanceof Uint8Array ? { 'content-length': `${body.length}` } : {};
    const headers = { 'user-agent': this.#userAgent, 'accept-encoding': 'identity', ...length, ...request.headers };
    return this.#transport.send({ ...request, headers, timeout: this.options.timeout ?? DEFAULTS.timeout });
  }

  /** To a token service: many may wait for what it says, so that only the client's own signal ends it. */
  async #sendToRealm(
    registry: URL,
    request: Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body'>,
  ): Promise<HttpResponse> {
    const signal = this.options.signal ?? new AbortController().signal;
    const own = request.url.origin === registry.origin;
    const namedBy = own ? undefined : this.#namedBy(registry, 'REALM_REFUSED');
    const response = await this.#send({ ...request, signal, namedBy });
    if (!TRANSIENT_STATUS.has(response.status)) return response;
    throw transient(response, await refusal(response, 'a token', this.#secrets.redact));
  }

  #namedBy(registry: URL, code: NamedBy['code']): NamedBy {
    return { reach: this.#transport.reachOf(registry), code };
  }

  /** Made for the first request that is asked who is there: most reads need none. */
  #authorizer(registry: string): Authorizer {
    const known = this.#authorizers.get(registry);
    if (known !== undefined) return known;
    const { plainHttp, authFile, credentials } = this.options;
    const source = credentialSource({ environment: this.#environment, authFile, credentials });
    const signal = this.options.signal ?? new AbortController().signal;
    const base = baseOf(registry, plainHttp);
    const authorizer = new Authorizer({
      base,
      plainHttp: plainHttp ?? false,
      credentials: (repository) => source(repository, signal),
      send: (request) => this.#sendToRealm(base, request),
      secrets: this.#secrets,
    });
    for (const repository of this.#pushes) {
      if (repository.registry === registry) authorizer.expectPush(repository);
    }
    this.#authorizers.set(registry, authorizer);
    return authorizer;
  }
}

function transient(response: HttpResponse, failure: DigestChainError): Transient {
  return new Transient(failure, { retryAfter: parseRetryAfter(response.header('retry-after')) });
}
