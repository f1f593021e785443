import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { KubeAnswer } from './answer.ts';
import { fullName, isNamespaced, isWatch, type Target, targetOf, verbOf } from './api.ts';
import { discover } from './discovery.ts';
import { KubeLists } from './lists.ts';
import { ApiError, invalid } from './status.ts';
import { KubeStore, NAMESPACE } from './store.ts';
import { KubeWatches } from './watches.ts';
import { KubeWrites, notFound } from './writes.ts';

export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  time: number;
  accept: string;
  /** The Authorization header. */
  login: string;
}

/** What a test makes of a request instead of the answer it would get; `wait` alone only delays it. */
export interface Fault {
  status?: number;
  headers?: Record<string, string>;
  message?: string;
  drop?: boolean;
  /** Milliseconds. */
  wait?: number;
  /** Resets the connection after as many bytes of the answer's body. */
  cut?: number;
}

/** PEM: to speak TLS, and whose client certificates are a login. */
export interface Tls {
  key: string;
  cert: string;
  ca: string;
}

/** An API server over HTTP that behaves as Kubernetes does for what this package uses. */
export class KubeServer {
  readonly store: KubeStore = new KubeStore();
  readonly calls: Call[] = [];
  /** Tokens that are accepted. */
  readonly tokens: Set<string> = new Set(['test-token']);
  /** `user:password` that are accepted. */
  readonly passwords: Set<string> = new Set();
  /** `verb resource` that nobody may. */
  readonly denied: Set<string> = new Set();
  /** API groups with versions that are not there, and kinds. */
  readonly absent: Set<string> = new Set();
  /** Logs by `pod/container`. */
  readonly logs: Map<string, string> = new Map();
  /** Data of Secrets by `namespace/name`; the objects in the store have none. */
  readonly secretData: Map<string, Record<string, string>> = new Map();
  fault: (call: Call) => Fault | undefined = () => undefined;
  readonly #lists = new KubeLists(this.store);
  readonly #watches = new KubeWatches(this.store);
  readonly #writes = new KubeWrites(this.store);
  #server: ReturnType<typeof createServer> | undefined;

  constructor() {
    for (const name of ['default', NAMESPACE, 'tekton-pipelines', 'openshift-pipelines']) this.addNamespace(name);
  }

  addNamespace(name: string): void {
    const metadata = { name, labels: { 'kubernetes.io/metadata.name': name } };
    this.store.put({ apiVersion: 'v1', kind: 'Namespace', metadata, status: { phase: 'Active' } }, 'kube-apiserver');
  }

  async start(tls?: Tls): Promise<string> {
    const listener = (request: IncomingMessage, response: ServerResponse): void => void this.#serve(request, response);
    const asked = { requestCert: true, rejectUnauthorized: false };
    const server = tls === undefined ? createServer(listener) : createTlsServer({ ...tls, ...asked }, listener);
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    server?.closeAllConnections();
    await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  }

  get watching(): number {
    return this.#watches.size;
  }

  /** Milliseconds. */
  set bookmarkEvery(milliseconds: number) {
    this.#watches.bookmarkEvery = milliseconds;
  }

  /** How much faster than real time goes for watches. */
  set pace(factor: number) {
    this.#watches.pace = factor;
  }

  /** As a load balancer does that restarts. */
  dropWatches(): void {
    this.#watches.drop();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server');
    const { accept = '', authorization: login = '' } = request.headers;
    const method = request.method ?? 'GET';
    const call: Call = { method, path: pathname, query: searchParams, time: Date.now(), accept, login };
    this.calls.push(call);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const fault = this.fault(call);
    if (fault?.wait) await sleep(fault.wait);
    if (fault?.drop) return request.socket.destroy();
    const answer = new KubeAnswer(response, accept, fault?.cut);
    try {
      if (fault?.status) return answer.status(fault.status, fault.message ?? 'a fault of the test', fault.headers);
      if (!this.#knows(request)) throw new ApiError(401, 'Unauthorized');
      const { 'content-type': contentType = '', 'user-agent': userAgent = '' } = request.headers;
      return this.#handle(answer, call, { contentType, userAgent, body: Buffer.concat(chunks).toString() });
    } catch (error) {
      return answer.refuse(error);
    }
  }

  #knows(request: IncomingMessage): boolean {
    const socket = request.socket as Partial<TLSSocket>;
    if (socket.authorized === true) return true;
    const [, scheme, value = ''] = /^(Bearer|Basic) (.*)$/.exec(request.headers.authorization ?? '') ?? [];
    return scheme === 'Bearer'
      ? this.tokens.has(value)
      : scheme === 'Basic' && this.passwords.has(Buffer.from(value, 'base64').toString());
  }

  #handle(answer: KubeAnswer, call: Call, sent: { contentType: string; userAgent: string; body: string }): unknown {
    const { method, path, query } = call;
    const found = method === 'GET' ? discover(path, this.absent) : undefined;
    if (found !== undefined) return answer.json(200, found);
    const target = targetOf(path, this.absent);
    // The real one reads it for its own kinds.
    if (sent.contentType === 'application/vnd.kubernetes.protobuf') throw new ApiError(415, 'no protobuf here');
    if (target.kind === 'SelfSubjectAccessReview') return this.#review(answer, sent.body);
    this.#authorize(call, target);
    const request = { query, ...sent };
    if (target.subresource !== undefined) return this.#log(answer, target, query);
    if (method === 'POST' && target.name === undefined) return this.#writes.create(answer, target, request);
    if (method === 'GET' && target.name === undefined) {
      return isWatch(query) ? this.#watches.answer(answer, target, query) : this.#lists.answer(answer, target, query);
    }
    if (target.name === undefined || !['GET', 'PATCH', 'DELETE'].includes(method)) {
      throw new ApiError(405, 'the server does not allow this method on the requested resource');
    }
    if (method === 'PATCH') return this.#writes.patch(answer, target, request);
    if (method === 'DELETE') return this.#writes.delete(answer, target, request);
    return this.#get(answer, target, target.name);
  }

  #authorize({ method, query }: Call, target: Target): void {
    const { name, plural, subresource, namespace } = target;
    const verb = verbOf(method, name, query);
    const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
    // An apply of what is not there is a creation, too.
    if (!this.denied.has(`${verb} ${resource}`)) return;
    const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
    throw new ApiError(
      403,
      `${fullName(target)}${name === undefined ? '' : ` "${name}"`} is forbidden: User "somebody" cannot ${verb} resource "${resource}" in API group "${target.group}" ${where}`,
      { details: { name, group: target.group, kind: plural } },
    );
  }

  #get(answer: KubeAnswer, target: Target, name: string): void {
    const { apiVersion, kind, namespace = '' } = target;
    const data = kind === 'Secret' ? this.secretData.get(`${namespace}/${name}`) : undefined;
    const known = this.store.get(kind, name, isNamespaced(kind) ? namespace : undefined);
    const bare = { apiVersion, kind, metadata: { name, namespace } };
    const object = data === undefined ? known : { ...(known ?? bare), data };
    if (object === undefined) throw notFound(target, name);
    answer.object(200, object);
  }

  #log(answer: KubeAnswer, { name = '', subresource }: Target, query: URLSearchParams): void {
    if (subresource !== 'log') throw new ApiError(404, 'the server could not find the requested resource');
    const container = query.get('container');
    const log = this.logs.get(`${name}/${container}`);
    if (log === undefined) {
      const isPod = [...this.logs.keys()].some((key) => key.startsWith(`${name}/`));
      if (isPod) throw new ApiError(400, `container ${container} is not valid for pod ${name}`);
      throw notFound({ plural: 'pods', group: '' }, name);
    }
    const tail = Number(query.get('tailLines') ?? 0);
    const lines = log.split(/(?<=\n)/);
    const end = tail > 0 ? lines.slice(-tail).join('') : log;
    answer.text(200, end.slice(0, Number(query.get('limitBytes') ?? 0) || undefined));
  }

  #review(answer: KubeAnswer, body: string): void {
    const review = JSON.parse(body);
    const { resourceAttributes, nonResourceAttributes } = review.spec ?? {};
    if (resourceAttributes === undefined && nonResourceAttributes === undefined) {
      const message = 'Invalid value: exactly one of nonResourceAttributes or resourceAttributes must be specified';
      throw invalid('SelfSubjectAccessReview.authorization.k8s.io', '', 'spec.resourceAttributes', message);
    }
    const { verb, resource, subresource } = resourceAttributes ?? {};
    const allowed = !this.denied.has(`${verb} ${resource}${subresource ? `/${subresource}` : ''}`);
    answer.json(201, { ...review, status: { allowed } });
  }
}
