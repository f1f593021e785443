import type { Readable } from 'node:stream';
import { Limiter } from '../../../kit/src/limiter.ts';
import { type Clock, parseRetryAfter, retry, systemClock, Transient } from '../../../kit/src/retry.ts';
import { DigestChainError } from '../errors.ts';
import { repositoryName } from '../reference.ts';
import { Authorizer } from './authorizer.ts';
import { credentialSource } from './credentials/files.ts';
import { quote, refusal } from './failure.ts';
import { isRedirect, redirectTarget } from './headers.ts';
import type { HttpResponse } from './http-response.ts';
import { type Operation, orAborted, runOperation } from './operation.ts';
import { DEFAULTS, type Environment, type RegistryOptions } from './options.ts';
import { baseOf, isNamedPlain, redacted, urlOf } from './reach.ts';
import type { CallOptions, Repository } from './registry.ts';
import { comeBackHint, Throttle } from './throttle.ts';
import { type Need, Secrets } from './token.ts';
import { type HttpRequest, type NamedBy, Transport } from './transport.ts';
import { Warnings } from './warnings.ts';

/** A request to a registry, apart from what it takes to be let in. */
export interface Request extends Pick<Need, 'repository' | 'from'> {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly url: URL;
  /** For messages: `manifest 1.0`, `blob sha256:…`. */
  readonly what: string;
  /** Those of an answer that can be used; others are thrown as what they say. 200 alone by default. */
  readonly statuses?: readonly number[];
  /** Whether another try may do after a refusal that does not say so by its status. */
  readonly mayPass?: (refusal: DigestChainError) => boolean | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array | Readable | undefined;
  /** A body of any size goes one way or the other: not its whole time is limited, but each of its pauses. */
  readonly streaming?: boolean | undefined;
  /** It is sent while another one that has its turn waits for it. */
  readonly nested?: boolean | undefined;
}

/** Reads an answer of one of the statuses that can be used; what it leaves of the body is discarded. */
type Consume<T> = (response: HttpResponse) => Promise<T> | T;

const TRANSIENT_STATUS: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

/** What registries say of what they took: the specification has 201 alone. Of another one whether it is there is looked up. */
export const CREATED: readonly number[] = [200, 201, 202, 204];

/** By these a registry says no to one thing: tried again, it would say the same. */
export const REFUSALS: readonly number[] = [
  ...Array.from({ length: 100 }, (_, index) => 400 + index).filter((status) => status !== 408 && status !== 429),
  501,
];

/** What to throw where a registry says, by another number than 201, that it took what it then does not have. */
export function unconfirmed(
  { method, url, what }: Request,
  status: number,
  expected: string,
  found = 'nothing',
): Error {
  const failure = new DigestChainError('REGISTRY_ERROR', `${url.host} did not take ${what}`, {
    expected: `HTTP 201, or ${expected} to be there afterwards`,
    found: `HTTP ${status}, and then ${found}`,
    http: { method, url: redacted(url), status, codes: [] },
  });
  // What was accepted may take a moment.
  return status === 202 ? new Transient(failure) : failure;
}

/**
 * What the calls of a client have in common: connections, how many requests run at the same time, and who is let in where.
 * One serves all registries; what it learns of each is kept apart.
 */
export class Session {
  readonly options: RegistryOptions;
  readonly clock: Clock;
  readonly limiter: Limiter;
  readonly throttle: Throttle;
  readonly #warnings: Warnings;
  readonly #environment: Environment;
  readonly #transport: Transport;
  readonly #secrets = new Secrets();
  readonly #authorizers = new Map<string, Authorizer>();
  readonly #userAgent: string;
  readonly #readable = new Set<string>();

  constructor(options: RegistryOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.limiter = new Limiter(options.concurrency ?? DEFAULTS.concurrency);
    this.throttle = new Throttle(this.clock);
    this.#warnings = new Warnings(options.onWarning);
    this.#environment = options.environment ?? process.env;
    const caFile = options.caFile ?? (this.#environment.SSL_CERT_FILE || undefined);
    this.#transport = new Transport({ environment: this.#environment, caFile });
    const own = `digest-chain (node ${process.version})`;
    this.#userAgent = options.userAgent === undefined ? own : `${options.userAgent} ${own}`;
  }

  /** Runs one call of the client, until its own signal, the client's or the deadline (and `extra` milliseconds) ends it. */
  run<T>(options: CallOptions | undefined, work: (call: Call) => Promise<T>, extra: number = 0): Promise<T> {
    const deadline = (this.options.deadline ?? DEFAULTS.deadline) + extra;
    const { signal, namedBy } = options ?? {};
    return runOperation(deadline, [this.options.signal, signal], this.clock, (operation) => {
      return work(new Call(this, { ...operation, namedBy }));
    });
  }

  /** Who is let in at a registry, as far as it has asked. */
  authorizer(registry: string): Authorizer {
    const known = this.#authorizers.get(registry);
    if (known !== undefined) return known;
    const { plainHttp, authFile, credentials } = this.options;
    const source = credentialSource({ environment: this.#environment, authFile, credentials });
    const signal = this.options.signal ?? new AbortController().signal;
    const base = baseOf(registry, plainHttp);
    const authorizer = new Authorizer({
      base,
      plainHttp: isNamedPlain(registry, plainHttp),
      credentials: (repository, anew) => source(repository, signal, anew),
      send: (request) => this.#sendToRealm(base, request),
      secrets: this.#secrets,
      clock: this.clock,
    });
    this.#authorizers.set(registry, authorizer);
    return authorizer;
  }

  send(request: Omit<HttpRequest, 'timeout'>): Promise<HttpResponse> {
    const { body } = request;
    const length: Record<string, string> = body instanceof Uint8Array ? { 'content-length': `${body.length}` } : {};
    const headers = { 'user-agent': this.#userAgent, 'accept-encoding': 'identity', ...length, ...request.headers };
    return this.#transport.send({ ...request, headers, timeout: this.options.timeout ?? DEFAULTS.timeout });
  }

  namedBy(registry: URL, code: NamedBy['code']): NamedBy {
    return { reach: this.#transport.reachOf(registry), code };
  }

  /** An answer that is not the one hoped for, as an error. */
  refusal(response: HttpResponse, what: string, hint?: string): Promise<DigestChainError> {
    return refusal(response, what, this.#secrets.redact, { hint });
  }

  noteWarnings(registry: string, response: HttpResponse): void {
    this.#warnings.note(registry, response.header('warning'), (text) => quote(this.#secrets.redact(text)));
  }

  /** Remembers that a repository has let this client in. */
  noteReadable(repository: Repository): void {
    this.#readable.add(repositoryName(repository));
  }

  isReadable(repository: Repository): boolean {
    return this.#readable.has(repositoryName(repository));
  }

  close(): void {
    this.#transport.close();
  }

  /** To a token service: many may wait for what it says, so that only the client's own signal ends it. */
  async #sendToRealm(
    registry: URL,
    request: Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body'>,
  ): Promise<HttpResponse> {
    const signal = this.options.signal ?? new AbortController().signal;
    const own = request.url.origin === registry.origin;
    const namedBy = own ? undefined : this.namedBy(registry, 'REALM_REFUSED');
    const response = await this.send({ ...request, signal, namedBy });
    if (!TRANSIENT_STATUS.has(response.status)) return response;
    throw transient(response, await this.refusal(response, 'a token'));
  }
}

/** One call of the client that is under way, and what it does around its requests: turns, retries, redirects, authorization. */
export class Call {
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly #operation: Operation;

  constructor(session: Session, operation: Operation) {
    this.session = session;
    this.signal = operation.signal;
    this.#operation = operation;
  }

  /** As {@link urlOf}. */
  url(repository: Repository, path: string): URL {
    return urlOf(repository, path, this.session.options.plainHttp);
  }

  /** Sends a request, again and again while what goes wrong may pass, and answers with what `consume` made of the answer. */
  request<T>(request: Request, consume: Consume<T>): Promise<T> {
    return this.retry(() => this.attempt(request, consume));
  }

  retry<T>(attempt: (tries: number) => Promise<T>): Promise<T> {
    const { retries = DEFAULTS.retries, retryPause: pause = DEFAULTS.retryPause } = this.session.options;
    return retry(attempt, { retries, pause, clock: this.session.clock, ...this.#operation });
  }

  /** As {@link request}, once; throws {@link Transient} where another try may do. */
  attempt<T>(request: Request, consume: Consume<T>): Promise<T> {
    if (request.nested) return this.#attempt(request, consume);
    return this.session.limiter.run(() => this.#attempt(request, consume), this.signal);
  }

  async #attempt<T>(request: Request, consume: Consume<T>): Promise<T> {
    const { session, signal } = this;
    const { url, repository, from, body, statuses = [200] } = request;
    const need: Need = { repository, from, access: isRead(request) ? 'pull' : 'push' };
    const { registry } = repository;
    const authorizer = session.authorizer(registry);
    await session.throttle.pass(registry, this.#operation);
    // Who gets no token may not need one here: what needs one says so, and then it is told.
    let authorization = await orAborted(authorizer.authorization(need), signal).catch((error) => {
      if (error instanceof DigestChainError && error.code === 'UNAUTHORIZED') return undefined;
      throw error;
    });
    for (let answers = 0; ; answers++) {
      const response = await this.#follow(request, authorization);
      if (response.url.origin === url.origin) session.noteWarnings(registry, response);
      try {
        // Only the registry itself may ask who is there; a place it sends its client to gets no answer.
        if (response.status === 401 && answers < 2 && response.url.origin === url.origin) {
          const answer = await orAborted(authorizer.answer(need, response, authorization), signal);
          if (answer !== undefined) {
            authorization = answer;
            // A stream was spent on the request that was refused.
            if (body !== undefined && !(body instanceof Uint8Array)) {
              throw new Transient(await this.#refusal(response, request, need));
            }
            await response.discard();
            continue;
          }
        }
        if (!statuses.includes(response.status)) {
          const failure = await this.#refusal(response, request, need);
          const passing = TRANSIENT_STATUS.has(response.status) || request.mayPass?.(failure);
          if (!passing) throw failure;
          const again = transient(response, failure);
          if (response.status === 429 && !session.throttle.limited(registry, again.retryAfter ?? 0)) throw failure;
          throw again;
        }
        session.throttle.taken(registry);
        const result = await consume(response);
        await response.discard();
        return result;
      } finally {
        response.close();
      }
    }
  }

  /** Sends, and follows redirects by hand: off the registry's own origin without credentials, and never back to them. */
  async #follow(request: Request, authorization: string | undefined): Promise<HttpResponse> {
    const { session, signal } = this;
    const named = this.#operation.namedBy;
    const namer = named === undefined ? request.url : baseOf(named, session.options.plainHttp);
    let url = request.url;
    let own = true;
    for (let hops = 0; ; hops++) {
      const headers = { ...request.headers, ...(own && authorization !== undefined ? { authorization } : {}) };
      // Whoever is sent on by a host that was named itself is still no further in than the one that named it.
      const code = own ? 'LINK_REFUSED' : 'REDIRECT_REFUSED';
      const namedBy = url.origin === namer.origin ? undefined : session.namedBy(namer, code);
      const response = await session.send({ ...request, url, headers, signal, namedBy });
      // What is sent to a registry goes nowhere else: the caller sees the redirect as the failure that it is.
      if (!isRedirect(response) || !isRead(request)) return response;
      try {
        url = redirectTarget(response, hops);
        own &&= url.origin === request.url.origin;
        await response.discard();
      } finally {
        response.close();
      }
    }
  }

  #refusal(response: HttpResponse, request: Request, { access, repository }: Need): Promise<DigestChainError> {
    const { url } = request;
    // A command asks several repositories.
    const what = `${request.what} in ${repository.repository}`;
    const denied = response.status === 401 || response.status === 403;
    // It gets no credentials: what lets in there is the registry's to give.
    if (denied && response.url.origin !== url.origin) {
      return this.session.refusal(response, what, `${url.host} sends its clients there: ask its owner`);
    }
    const hint = `log in to ${repository.registry} as someone who may ${access} ${repositoryName(repository)}`;
    return this.session.refusal(response, what, denied ? hint : this.#comeBack(response));
  }

  /** What to do about a Retry-After that a call has no time for. */
  #comeBack(response: HttpResponse): string | undefined {
    const wait = parseRetryAfter(response.header('retry-after'));
    const left = this.#operation.endsAt - this.session.clock.now();
    if (wait === undefined || wait < left) return undefined;
    return comeBackHint(wait);
  }
}

function isRead({ method }: Request): boolean {
  return method === 'GET' || method === 'HEAD';
}

function transient(response: HttpResponse, failure: DigestChainError): Transient {
  return new Transient(failure, { retryAfter: parseRetryAfter(response.header('retry-after')) });
}
