import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { GROUPS, selected, verbOf } from './kube-api.ts';
import { ApplyConflict, KubeStore, type StoredEvent } from './kube-store.ts';

export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  time: number;
  accept: string;
}

/** What a test makes of a request instead of the answer it would get; `wait` alone only delays it. */
export interface Fault {
  status?: number;
  headers?: Record<string, string>;
  message?: string;
  drop?: boolean;
  /** Milliseconds. */
  wait?: number;
}

/** An API server over HTTP that behaves as Kubernetes does for what this package uses. */
export class KubeServer {
  readonly store: KubeStore = new KubeStore();
  readonly calls: Call[] = [];
  /** Tokens that are accepted. */
  readonly tokens: Set<string> = new Set(['test-token']);
  /** `verb resource` that nobody may. */
  readonly denied: Set<string> = new Set();
  /** API groups with versions that are not there. */
  readonly absent: Set<string> = new Set();
  /** Logs by `pod/container`. */
  readonly logs: Map<string, string> = new Map();
  /** Data of Secrets by `namespace/name`; the objects in the store have none. */
  readonly secretData: Map<string, Record<string, string>> = new Map();
  fault: (call: Call) => Fault | undefined = () => undefined;
  /** Milliseconds. */
  bookmarkEvery = 200;
  readonly #server = createServer((request, response) => {
    this.#handle(request, response).catch((error) => {
      if (!response.headersSent) this.#status(response, 500, String(error));
      else response.destroy();
    });
  });
  readonly #watches = new Set<ServerResponse>();

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get watching(): number {
    return this.#watches.size;
  }

  /** As a load balancer does that restarts. */
  dropWatches(): void {
    for (const response of this.#watches) response.destroy();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const url = new URL(request.url ?? '/', 'http://server');
    const method = request.method ?? 'GET';
    const call: Call = {
      method,
      path: url.pathname,
      query: url.searchParams,
      time: Date.now(),
      accept: request.headers.accept ?? '',
    };
    this.calls.push(call);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const fault = this.fault(call);
    if (fault?.wait) await sleep(fault.wait);
    if (fault?.drop) return void request.socket.destroy();
    if (fault?.status)
      return this.#status(response, fault.status, fault.message ?? 'a fault of the test', fault.headers);
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined || !this.tokens.has(token)) return this.#status(response, 401, 'Unauthorized');

    const match = /^\/(?:api|apis)\/((?:[a-z0-9.-]+\/)?v\d\w*)(?:\/(.*))?$/.exec(url.pathname);
    const resources = match?.[1] === undefined || this.absent.has(match[1]) ? undefined : GROUPS[match[1]];
    if (match?.[1] === undefined || resources === undefined)
      return this.#status(response, 404, 'the server could not find the requested resource');
    const apiVersion = match[1];
    if (!match[2]) return this.#discovery(response, apiVersion, resources);
    if (match[2] === 'selfsubjectaccessreviews') return this.#review(response, body);
    const [, namespace = '', plural = '', name, subresource] = match[2].split('/');
    const kind = Object.keys(resources).find((key) => resources[key] === plural);
    if (kind === undefined) return this.#status(response, 404, 'the server could not find the requested resource');
    if (this.denied.has(`${verbOf(method, name, call.query)} ${plural}${subresource ? `/${subresource}` : ''}`)) {
      return this.#status(
        response,
        403,
        `${plural} is forbidden: User "somebody" cannot ${verbOf(method, name, call.query)} resource "${plural}" in the namespace "${namespace}"`,
      );
    }
    if (subresource === 'log') {
      const log = this.logs.get(`${name}/${call.query.get('container')}`);
      if (log === undefined) return this.#status(response, 404, `pods "${name}" not found`);
      response.writeHead(200, { 'content-type': 'text/plain' }).end(log);
      return;
    }
    if (method === 'GET' && name === undefined) {
      return call.query.get('watch') === 'true'
        ? this.#watch(response, kind, call.query)
        : this.#list(response, apiVersion, kind, call.query);
    }
    this.#object(
      response,
      call,
      { apiVersion, kind, namespace, name: name ?? '' },
      request.headers['content-type'] ?? '',
      body,
    );
  }

  #object(
    response: ServerResponse,
    { method, query, accept }: Call,
    { apiVersion, kind, namespace, name }: { apiVersion: string; kind: string; namespace: string; name: string },
    contentType: string,
    body: string,
  ): unknown {
    const plural = GROUPS[apiVersion]?.[kind] ?? '';
    const found = this.store.get(kind, name);
    const data = kind === 'Secret' ? this.secretData.get(`${namespace}/${name}`) : undefined;
    const missing = (): void => this.#status(response, 404, `${plural} "${name}" not found`);
    if (method === 'GET') {
      if (data !== undefined && !accept.includes('PartialObjectMetadata')) {
        return this.#json(response, 200, { apiVersion, kind, metadata: { name, namespace }, data });
      }
      return found === undefined || (found.metadata.namespace ?? namespace) !== namespace
        ? missing()
        : this.#json(response, 200, found);
    }
    if (method === 'DELETE') {
      const uid = body === '' ? undefined : JSON.parse(body).preconditions?.uid;
      if (found === undefined) return missing();
      if (uid !== undefined && uid !== found.metadata.uid)
        return this.#status(response, 409, 'the UID in the precondition differs');
      this.store.delete(kind, name);
      return this.#json(response, 200, { apiVersion: 'v1', kind: 'Status', status: 'Success' });
    }
    const patch = JSON.parse(body);
    const dryRun = query.get('dryRun') === 'All';
    if (contentType.startsWith('application/apply-patch')) {
      try {
        const { object, created } = this.store.apply(
          patch,
          query.get('fieldManager') ?? '',
          dryRun,
          query.get('force') === 'true',
        );
        return this.#json(response, created ? 201 : 200, object);
      } catch (error) {
        if (error instanceof ApplyConflict) return this.#status(response, 409, error.message);
        throw error;
      }
    }
    if (found === undefined) return missing();
    this.#json(response, 200, this.store.merge(kind, name, patch));
  }

  #list(response: ServerResponse, apiVersion: string, kind: string, query: URLSearchParams): void {
    const all = this.store.all(kind).filter((object) => selected(object, query.get('labelSelector')));
    const from = Number(query.get('continue') ?? 0);
    const limit = Number(query.get('limit') ?? 0) || all.length || 1;
    const rest = from + limit < all.length ? { continue: String(from + limit) } : {};
    // As the real one: the items of a list say neither apiVersion nor kind.
    const items = all.slice(from, from + limit).map(({ apiVersion: _, kind: __, ...item }) => item);
    this.#json(response, 200, {
      apiVersion,
      kind: `${kind}List`,
      metadata: { resourceVersion: String(this.store.version), ...rest },
      items,
    });
  }

  #watch(response: ServerResponse, kind: string, query: URLSearchParams): void {
    const from = Number(query.get('resourceVersion'));
    if (from < this.store.compactedUpTo) {
      response.writeHead(200, { 'content-type': 'application/json' });
      const object = {
        apiVersion: 'v1',
        kind: 'Status',
        status: 'Failure',
        reason: 'Expired',
        code: 410,
        message: 'too old resource version',
      };
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const send = ({ type, object, version }: StoredEvent): void => {
      if (version > from && object.kind === kind && selected(object, query.get('labelSelector'))) {
        response.write(`${JSON.stringify({ type, object })}\n`);
      }
    };
    for (const event of this.store.events) send(event);
    const stop = this.store.onEvent(send);
    const bookmarks = setInterval(() => {
      const object = { kind, metadata: { resourceVersion: String(this.store.version) } };
      response.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
    }, this.bookmarkEvery);
    this.#watches.add(response);
    response.once('close', () => {
      stop();
      clearInterval(bookmarks);
      this.#watches.delete(response);
    });
  }

  #review(response: ServerResponse, body: string): void {
    const review = JSON.parse(body);
    const { verb, resource, subresource } = review.spec.resourceAttributes;
    const allowed = !this.denied.has(`${verb} ${resource}${subresource ? `/${subresource}` : ''}`);
    this.#json(response, 201, { ...review, status: { allowed } });
  }

  #discovery(response: ServerResponse, groupVersion: string, kinds: Record<string, string>): void {
    const resources = Object.entries(kinds).map(([kind, name]) => ({
      kind,
      name,
      singularName: kind.toLowerCase(),
      namespaced: kind !== 'SelfSubjectAccessReview',
      verbs: ['get'],
    }));
    this.#json(response, 200, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources });
  }

  #json(response: ServerResponse, status: number, value: unknown): void {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  }

  #status(response: ServerResponse, code: number, message: string, headers: Record<string, string> = {}): void {
    const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code };
    response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(status));
  }
}
