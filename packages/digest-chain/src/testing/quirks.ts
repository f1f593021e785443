import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { pipeline } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { close, listen, respond, type TestResponse } from '../../../testing/src/http-server.ts';
import { cutAnswer, cutRequest } from './cuts.ts';

export type { TestResponse } from '../../../testing/src/http-server.ts';

/** What a quirk is asked about: a request before it reaches the registry. */
export interface QuirkRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Of a manifest that is pushed; empty for everything else, which passes through as a stream. */
  readonly body: Buffer;
  /** `127.0.0.1:<port>` of the proxy. */
  readonly host: string;
}

/** What the registry behind answered, before it is passed on. */
export interface QuirkAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** One way in which a registry that people use differs from the specification's. */
export interface Quirk {
  /** An answer in the registry's place; undefined leaves it to the registry. */
  readonly instead?: (request: QuirkRequest) => TestResponse | undefined;
  /** Another head for the registry's own answer; undefined leaves it as it is. `body` replaces the body. */
  readonly after?: (request: QuirkRequest, answer: QuirkAnswer) => TestResponse | undefined;
}

export interface QuirkProxy {
  /** `127.0.0.1:<port>`: a registry to its clients. */
  readonly host: string;
  /** `METHOD path -> status` of every request, in order; clear it with `length = 0`. */
  readonly log: string[];
  /** What happens from now on, the first answer that any of them gives; without one it is a registry like any other. */
  quirks: readonly Quirk[];
  /** Whether the next exchange is cut, at a byte of its request or of its answer that is drawn; never by default. */
  cuts: () => boolean;
  stop(): Promise<void>;
}

/** Stands before a real registry and makes it answer as others do. Credentials that clients send end here. */
export async function startQuirkProxy(registry: string, ...quirks: readonly Quirk[]): Promise<QuirkProxy> {
  const [hostname, port] = registry.split(':');
  const log: string[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const { method = 'GET', url: path = '/', headers } = incoming;
    outgoing.once('finish', () => log.push(`${method} ${path} -> ${outgoing.statusCode}`));
    try {
      const cut = proxy.cuts();
      if (cut && Math.random() < 0.5) return cutRequest(incoming, `${hostname}:${port}`);
      const body = method === 'PUT' && path.includes('/manifests/') ? await buffer(incoming) : Buffer.alloc(0);
      const asked: QuirkRequest = { method, path, headers, body, host: proxy.host };
      const instead = firstOf(proxy.quirks, (quirk) => quirk.instead?.(asked));
      if (instead !== undefined) {
        if (body.length === 0) incoming.resume();
        return cut ? void outgoing.destroy() : respond(outgoing, instead);
      }
      const answer = await forward(incoming, body);
      const seen = { status: answer.statusCode ?? 502, headers: answer.headers };
      const after = firstOf(proxy.quirks, (quirk) => quirk.after?.(asked, seen));
      const head = { ...seen.headers, ...(after?.headers as IncomingHttpHeaders) };
      if (cut)
        return cutAnswer(outgoing, { status: after?.status ?? seen.status, headers: head }, await buffer(answer));
      if (after?.body !== undefined) {
        answer.resume();
        return respond(outgoing, after);
      }
      outgoing.writeHead(after?.status ?? seen.status, head);
      // What the registry breaks off is broken off here, too, and the other way round.
      pipeline(answer, outgoing, () => {});
    } catch {
      outgoing.destroy();
    }
  });
  // A connection that a client keeps is there when it comes back, however slow the machine is.
  server.keepAliveTimeout = 0;
  const proxy: QuirkProxy = {
    host: await listen(server),
    log,
    quirks,
    cuts: () => false,
    stop: () => close(server),
  };
  return proxy;

  function forward(incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    // The Host header stays the proxy's, so that the registry's Location headers lead back here.
    const { authorization: _, ...headers } = incoming.headers;
    return new Promise((resolve, reject) => {
      const { method, url: path } = incoming;
      const upstream = request({ hostname, port, method, path, headers }, resolve).once('error', reject);
      if (body.length > 0) upstream.end(body);
      else incoming.pipe(upstream);
      // Whoever leaves in the middle of a body leaves the registry with a part of it, too.
      incoming.once('close', () => incoming.complete || upstream.destroy());
    });
  }
}

function firstOf<T>(quirks: readonly Quirk[], ask: (quirk: Quirk) => T | undefined): T | undefined {
  for (const quirk of quirks) {
    const answer = ask(quirk);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';

/** An error as a registry words it (distribution-spec, "Error Codes"). */
export function errorAnswer(status: number, code: string, headers: TestResponse['headers'] = {}): TestResponse {
  const body = JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] });
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}

/** How registries without a usable referrers API answer those who ask it. Each is from a public report. */
export const NO_REFERRERS_API: Readonly<
  Record<
    | '400'
    | '401'
    | '403'
    | '404'
    | '405'
    | '406'
    | '501'
    | 'a page of HTML'
    | 'JSON without a list'
    | 'a list that is null',
    TestResponse
  >
> = {
  '400': errorAnswer(400, 'MANIFEST_INVALID'),
  // Harbor: regclient issue 389.
  '401': errorAnswer(401, 'UNAUTHORIZED'),
  '403': errorAnswer(403, 'DENIED'),
  '404': { status: 404, body: '404 page not found' },
  '405': errorAnswer(405, 'UNSUPPORTED'),
  // Artifactory: go-containerregistry issues 1962 and 2026.
  '406': { status: 406 },
  '501': errorAnswer(501, 'UNSUPPORTED'),
  // sigstore-js issue 1187.
  'a page of HTML': { headers: { 'content-type': 'text/html' }, body: '<!doctype html><p>Welcome' },
  'JSON without a list': { headers: { 'content-type': OCI_INDEX }, body: '{"schemaVersion":2}' },
  // What Go makes of a slice that is nil.
  'a list that is null': {
    headers: { 'content-type': OCI_INDEX },
    body: `{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":null}`,
  },
};

/** Answers like this wherever the referrers API is asked. */
export function referrersAnswer(answer: TestResponse): Quirk {
  return { instead: ({ path }) => (path.includes('/referrers/') ? answer : undefined) };
}

/** Says that it indexed a subject (`OCI-Subject`), whether or not it has a list of them. */
export const claimsSubject: Quirk = {
  after({ method, body }, { status }) {
    const subject = /"subject":\{[^}]*"digest":"([^"]+)"/.exec(body.toString())?.[1];
    if (method !== 'PUT' || status !== 201 || subject === undefined) return undefined;
    return { status, headers: { 'oci-subject': subject } };
  },
};

/** Has another status than 404 for manifests that are not there (Artifactory's restricted tokens: cosign issue 2973). */
export function absentManifest(status: number, which: RegExp = /\/manifests\//): Quirk {
  return {
    after({ path }, answer) {
      return answer.status === 404 && which.test(path) ? errorAnswer(status, 'UNAUTHORIZED') : undefined;
    },
  };
}

/** Answers so to whoever asks for a mount (Harbor across projects: harbor issue 17097, oras issue 1892). */
export function mountAnswer(answer: TestResponse): Quirk {
  return { instead: ({ path }) => (/[?&]mount=/.test(path) ? answer : undefined) };
}

/** Has another number where the specification has 201. */
export function createdAs(status: number): Quirk {
  return { after: (_, answer) => (answer.status === 201 ? { status } : undefined) };
}

/** Says that it took what it then doesn't have: nothing that is put reaches the registry. */
export function takesNothing(status: number, which: RegExp): Quirk {
  return { instead: ({ method, path }) => (method === 'PUT' && which.test(path) ? { status } : undefined) };
}

/** Takes no manifest with a `subject` (Quay before 3.11: PROJQUAY-6673; Docker Hub in 2023 with 404). */
export function refusesSubject(status: number): Quirk {
  return {
    instead({ method, body }) {
      const attached = method === 'PUT' && body.includes('"subject"');
      return attached ? errorAnswer(status, 'MANIFEST_INVALID') : undefined;
    },
  };
}

/** Has tags that can be written once, or not at all where `which` names them. */
export function immutableTags(which: RegExp): Quirk {
  return {
    instead({ method, path }) {
      const tag = tagOf(path);
      if (method !== 'PUT' || tag === undefined || !which.test(tag)) return undefined;
      return errorAnswer(409, 'TAG_IMMUTABLE');
    },
  };
}

/** Lets in by a token of its own service, whose scope is too small for writing, which wants Basic (Harbor issue 18856). */
export function basicAfterBearer(credentials: string): Quirk {
  const wanted = `Basic ${Buffer.from(credentials).toString('base64')}`;
  return {
    instead({ method, path, headers, host }) {
      if (path.startsWith('/token')) return { body: JSON.stringify({ token: 'a-token-for-reading' }) };
      if (headers.authorization === wanted) return undefined;
      if (headers.authorization === undefined) {
        const challenge = `Bearer realm="http://${host}/token",service="registry"`;
        return { status: 401, headers: { 'www-authenticate': challenge } };
      }
      if (method === 'GET' || method === 'HEAD') return undefined;
      return { status: 401, headers: { 'www-authenticate': 'Basic realm="registry"' } };
    },
  };
}

/** Tells everyone something (distribution-spec, "Warnings"). */
export function warns(header: string): Quirk {
  return { after: (_, { status }) => ({ status, headers: { warning: header } }) };
}

/** Has the list of referrers that the registry behind has not; says so by `OCI-Subject`, or not. */
export function referrersApi({ says }: { readonly says: boolean }): Quirk {
  const lists = new Map<string, Map<string, object>>();
  const listOf = (path: string, subject: string): Map<string, object> => {
    const key = `${/^\/v2\/(.+)\/(?:manifests|referrers)\//.exec(path)?.[1]}@${subject}`;
    const list = lists.get(key) ?? new Map<string, object>();
    lists.set(key, list);
    return list;
  };
  return {
    instead({ method, path }) {
      const subject = /\/referrers\/([^?]+)/.exec(path)?.[1];
      if (method !== 'GET' || subject === undefined) return undefined;
      const manifests = [...listOf(path, subject).values()];
      const body = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
      return { headers: { 'content-type': OCI_INDEX }, body };
    },
    after({ method, path, headers, body }, { status }) {
      if (method !== 'PUT' || status !== 201 || !path.includes('/manifests/')) return undefined;
      const { subject, artifactType, config, annotations } = JSON.parse(body.toString());
      if (typeof subject?.digest !== 'string') return undefined;
      const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
      const mediaType = headers['content-type'];
      const type = artifactType ?? config?.mediaType;
      const descriptor = { mediaType, digest, size: body.length, artifactType: type, annotations };
      listOf(path, subject.digest).set(digest, descriptor);
      return says ? { status, headers: { 'oci-subject': subject.digest } } : undefined;
    },
  };
}

/** Has tags that can be written once; writing what they name again is refused as well. */
export function writeOnceTags(refusal: TestResponse, which: RegExp = /./): Quirk {
  const written = new Set<string>();
  return {
    instead({ method, path }) {
      return method === 'PUT' && written.has(path) && which.test(tagOf(path) ?? '') ? refusal : undefined;
    },
    after({ method, path }, { status }) {
      if (method === 'PUT' && status === 201 && tagOf(path) !== undefined) written.add(path);
      return undefined;
    },
  };
}

function tagOf(path: string): string | undefined {
  return /\/manifests\/([^:/]+)$/.exec(path)?.[1];
}

/**
 * Lets in by tokens of its own service alone: everyone to read where `anonymousPull` is true, and who shows `credentials`
 * (`user:password`) to write as well. Where `requests` is given, a token ends after as many of them, but, as one that ends
 * with the time, not before the request that it was fetched for: others may use it up meanwhile.
 */
export function bearer(
  credentials: string,
  {
    anonymousPull,
    requests = Number.POSITIVE_INFINITY,
  }: { readonly anonymousPull: boolean; readonly requests?: number },
): Quirk {
  const user = `Basic ${Buffer.from(credentials).toString('base64')}`;
  const left = new Map<string, number>();
  /** With which token a request was refused. */
  const refused = new Map<string, string>();
  const tokenOf = (who: 'the-user' | 'nobody'): string => {
    const token = `token-${left.size}-of-${who}`;
    left.set(token, requests);
    return token;
  };
  return {
    instead({ method, path, headers, host }) {
      if (path.startsWith('/token')) {
        const shown = headers.authorization;
        if (shown !== undefined && shown !== user) return errorAnswer(401, 'UNAUTHORIZED');
        return { body: JSON.stringify({ token: tokenOf(shown === user ? 'the-user' : 'nobody'), expires_in: 300 }) };
      }
      const writes = method !== 'GET' && method !== 'HEAD';
      const token = headers.authorization?.slice('Bearer '.length) ?? '';
      const allowed = left.get(token) ?? 0;
      left.set(token, allowed - 1);
      // An upload of the same blob is another one at the next try.
      const asked = `${method} ${/[?&]digest=([^&]+)/.exec(path)?.[1] ?? path}`;
      const isFetchedForIt = (refused.get(asked) ?? token) !== token;
      refused.delete(asked);
      if ((allowed > 0 || isFetchedForIt) && (token.endsWith('-of-the-user') || (anonymousPull && !writes))) {
        return undefined;
      }
      refused.set(asked, token);
      const repository = /^\/v2\/(.+?)\/(?:manifests|blobs|referrers|tags)\//.exec(path)?.[1];
      const scope = `repository:${repository}:${writes ? 'pull,push' : 'pull'}`;
      const challenge = `Bearer realm="http://${host}/token",service="registry",scope="${scope}"`;
      return errorAnswer(401, 'UNAUTHORIZED', { 'www-authenticate': challenge });
    },
  };
}

/** Lets in whoever shows `credentials` (`user:password`) with every request. */
export function basicAlone(credentials: string): Quirk {
  const user = `Basic ${Buffer.from(credentials).toString('base64')}`;
  const refusal = errorAnswer(401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="registry"' });
  return { instead: ({ headers }) => (headers.authorization === user ? undefined : refusal) };
}

/** Takes every so manieth request for one too many. */
export function limitsEvery(number: number): Quirk {
  let requests = 0;
  const refusal = errorAnswer(429, 'TOOMANYREQUESTS', { 'retry-after': '0' });
  return { instead: () => (++requests % number === 0 ? refusal : undefined) };
}
