import type { Agent, AgentOptions } from 'node:http';
import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { reasonOf } from '../../../kit/src/errors.ts';
import { DigestChainError } from '../errors.ts';
import { networkFailure, timedOut } from './failure.ts';
import { HttpResponse } from './http-response.ts';
import type { Environment } from './options.ts';
import { proxyFor } from './proxy.ts';
import { mayLeadTo, type Reach, reachOfAddress, reachOfAddresses, reachOfHost, redacted } from './reach.ts';

// An import would evaluate every export of the module, and with them load Node's WebSocket: 30 ms of each start. Nor is TLS
// loaded where no registry has it.
const http = process.getBuiltinModule('node:http');
const { pipeline } = process.getBuiltinModule('node:stream');

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Readable | undefined;
  readonly signal: AbortSignal;
  /** Milliseconds until the whole answer must be there; of a streaming one, until the next piece is. */
  readonly timeout: number;
  /** Whether a body of any size goes one way or the other, so that only its pauses can be limited. */
  readonly streaming?: boolean | undefined;
  /** Whose word it is that this URL leads somewhere good; left out where it is the caller's. */
  readonly namedBy?: NamedBy | undefined;
}

/** A registry that sends its client on, and the code of the error if it has no business to name that address. */
export interface NamedBy {
  readonly reach: Reach;
  readonly code: 'REDIRECT_REFUSED' | 'REALM_REFUSED' | 'LINK_REFUSED';
}

/** Single HTTP exchanges over connections that are kept: no redirects, no decompression, no credentials of its own. */
export class Transport {
  readonly #environment: Environment;
  readonly #caFile: string | undefined;
  readonly #agents = new Map<string, Agent>();
  readonly #reaches = new Map<string, Reach>();

  constructor(options: { readonly environment: Environment; readonly caFile: string | undefined }) {
    this.#environment = options.environment;
    this.#caFile = options.caFile;
  }

  /** Sends a request and answers with the head of the response. Throws `namedBy.code` for an address further in. */
  async send(request: HttpRequest): Promise<HttpResponse> {
    const { url, namedBy } = request;
    const proxy = proxyFor(url, this.#environment);
    const literal = reachOfHost(url.hostname);
    if (namedBy !== undefined && literal !== undefined && !mayLeadTo(namedBy.reach, literal)) {
      throw leadsInward(url, namedBy, literal);
    }
    // Connections to hosts that a registry named are kept apart: those of the caller's own choice were not checked.
    const agent = this.#agent(url, proxy, namedBy?.reach ?? 'any');
    return exchange(request, agent, proxy ?? this.#lookup(url, namedBy));
  }

  /** From where a host can be reached, as far as is known: what is behind a proxy counts as public. */
  reachOf(url: URL): Reach {
    return reachOfHost(url.hostname) ?? this.#reaches.get(url.hostname) ?? 'public';
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #agent(url: URL, proxy: string | undefined, purpose: string): Agent {
    const key = `${url.protocol} ${purpose} ${proxy ?? ''}`;
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    const proxyEnv = proxy === undefined ? undefined : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
    // Idle connections of an agent don't keep the process alive.
    const options = { keepAlive: true, scheduling: 'lifo', proxyEnv } as const;
    const agent = url.protocol === 'https:' ? tlsAgent(options, this.#caFile) : new http.Agent(options);
    this.#agents.set(key, agent);
    return agent;
  }

  /** Resolves names and looks at what they resolve to: a public name may well have a private address. */
  #lookup(url: URL, namedBy: NamedBy | undefined): LookupFunction {
    return (hostname, options, callback) => {
      // Not loaded for a registry that is an address.
      process.getBuiltinModule('node:dns').lookup(hostname, { ...options, all: true }, (error, addresses) => {
        if (error !== null) return callback(error, []);
        const inward = addresses.map(({ address }) => reachOfAddress(address));
        const refused = inward.find((reach) => namedBy !== undefined && !mayLeadTo(namedBy.reach, reach));
        if (namedBy !== undefined && refused !== undefined) return callback(leadsInward(url, namedBy, refused), []);
        if (namedBy === undefined) this.#reaches.set(hostname, reachOfAddresses(addresses));
        if (options.all) return callback(null, addresses);
        callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
      });
    };
  }
}

function exchange(
  { method, url, headers, body, signal, timeout, streaming = false }: HttpRequest,
  agent: Agent,
  way: LookupFunction | string,
): Promise<HttpResponse> {
  // What a name resolves to is the proxy's to find out.
  const [lookup, proxy] = typeof way === 'string' ? [undefined, way] : [way, undefined];
  const { request } = url.protocol === 'https:' ? process.getBuiltinModule('node:https') : http;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const outgoing = request(url, { method, headers, agent, lookup });
    let stopped: unknown;
    const stop = (reason: unknown): void => {
      stopped ??= reason;
      outgoing.destroy();
    };
    const abort = (): void => stop(signal.reason);
    const timer = setTimeout(() => stop(timedOut(url, timeout)), timeout);
    const progress = (): void => {
      if (streaming) timer.refresh();
    };
    signal.addEventListener('abort', abort, { once: true });
    const release = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
    const explain = (error: unknown): unknown => stopped ?? networkFailure(error, url, { proxy });
    outgoing.once('response', (incoming) => {
      progress();
      resolve(new HttpResponse(incoming, url, { release, explain, progress, method }));
    });
    outgoing.on('error', (error) => {
      release();
      reject(stopped ?? networkFailure(error, url, { reused: outgoing.reusedSocket, proxy }));
    });
    if (body === undefined || body instanceof Uint8Array) outgoing.end(body);
    else {
      pipeline(body, outgoing, (error) => {
        if (error) stop(networkFailure(error, url, { proxy }));
      });
      body.on('data', progress);
    }
  });
}

function leadsInward(url: URL, { reach, code }: NamedBy, to: Reach): DigestChainError {
  return new DigestChainError(code, `the registry names an address that is not its to name: ${url.host}`, {
    expected: `an address that is as public as the registry (${reach})`,
    found: `${redacted(url)} (${to})`,
  });
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** With Node's own authorities and those of a file. Throws `CA_FILE_INVALID`. */
function tlsAgent(options: AgentOptions, file: string | undefined): Agent {
  const { Agent } = process.getBuiltinModule('node:https');
  if (file === undefined) return new Agent({ ...options, rejectUnauthorized: true });
  const { X509Certificate } = process.getBuiltinModule('node:crypto');
  const { getCACertificates, rootCertificates } = process.getBuiltinModule('node:tls');
  try {
    const certificates = process.getBuiltinModule('node:fs').readFileSync(file, 'utf8').match(CERTIFICATE) ?? [];
    if (certificates.length === 0) throw new Error('there is no certificate in it');
    // TLS itself passes over what it can't read, and then says that a registry is not to be trusted.
    for (const certificate of certificates) new X509Certificate(certificate);
    // Node 22 has had this since 22.15; before, NODE_EXTRA_CA_CERTS is left out once a file is named.
    const own = typeof getCACertificates === 'function' ? getCACertificates('default') : rootCertificates;
    return new Agent({ ...options, ca: [...own, ...certificates], rejectUnauthorized: true });
  } catch (cause) {
    throw new DigestChainError('CA_FILE_INVALID', 'the file of certificate authorities is of no use', {
      expected: 'a readable file of PEM certificates',
      found: `${file}: ${reasonOf(cause)}`,
      cause,
    });
  }
}
