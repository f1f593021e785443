import type { KubeConfig } from '@kubernetes/client-node';
import { type Dispatcher, fetch, type Response } from 'undici';
import { E2eError } from '../../../errors.ts';
import { ClusterError, foreignAnswer, refusal, retryAfterOf, unreachable } from './cluster-error.ts';
import { logIn } from './kubeconfig.ts';
import { field, type Kind, list, type Resource, text } from './resource.ts';
import { readWatch, type WatchEnd } from './watch.ts';

export interface KubeClientOptions {
  /** Ends everything that is under way. */
  signal?: AbortSignal | undefined;
  /** Milliseconds for one request and its answer; 30 s by default. */
  timeout?: number | undefined;
  /** Hears of everything that is logged in with, each time it is. */
  onSecret: (secret: string) => void;
}

export interface KubeRequest {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  query?: Readonly<Record<string, string | number | boolean | undefined>>;
  body?: object | undefined;
  /** Of the body; JSON by default. */
  type?: string;
}

const JSON_TYPE = 'application/json';
/** Without the data. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

/**
 * Kubernetes' REST interface: one request each, with one login, a time limit and errors that say what happened. Of
 * Secrets only their metadata leaves the server, that they are there is all that matters; but for `public-key`.
 * Throws {@link ClusterError}.
 */
export class KubeClient {
  /** The server's address, without credentials. */
  readonly server: string;
  readonly #base: string;
  readonly #config: KubeConfig;
  readonly #options: KubeClientOptions;
  readonly #resources = new Map<string, readonly unknown[]>();
  /** One pool of connections: every request's own would be a TLS handshake each. */
  #dispatcher: Dispatcher | undefined;

  constructor(config: KubeConfig, options: KubeClientOptions) {
    this.#config = config;
    this.#options = options;
    this.#base = (config.getCurrentCluster()?.server ?? '').replace(/\/+$/, '');
    const url = URL.parse(this.#base);
    this.server = url === null ? '' : `${url.protocol}//${url.host}`;
  }

  /** The plural of a kind, and whether its objects are in namespaces; undefined where it is not served. Asked once. */
  async resource({ apiVersion, kind }: Kind): Promise<{ name: string; namespaced: boolean } | undefined> {
    // Subresources have a kind, too.
    const isIt = (entry: unknown): boolean => text(entry, 'kind') === kind && !text(entry, 'name')?.includes('/');
    if (!this.#resources.get(apiVersion)?.some(isIt)) {
      const answer = await this.json(`GET ${apiVersion}`, rootOf(apiVersion));
      this.#resources.set(apiVersion, list(answer, 'resources'));
    }
    const found = this.#resources.get(apiVersion)?.find(isIt);
    const name = text(found, 'name');
    return name === undefined ? undefined : { name, namespaced: field(found, 'namespaced') === true };
  }

  /** The path of an object, or of all of a kind. Throws `KIND_MISSING`. */
  async path(kind: Kind, namespace: string, name?: string): Promise<string> {
    const resource = await this.resource(kind);
    if (resource === undefined) throw new ClusterError('KIND_MISSING', `the cluster has no ${kind.kind}`);
    const where = resource.namespaced ? ['namespaces', encodeURIComponent(namespace || 'default')] : [];
    const own = name === undefined ? [] : [encodeURIComponent(name)];
    return [rootOf(kind.apiVersion), ...where, resource.name, ...own].join('/');
  }

  /** @param what As messages name the request. */
  async json(what: string, path: string, request: KubeRequest = {}): Promise<Resource> {
    const body = await this.text(what, path, request);
    const asked = { what, server: this.server };
    let answer: Resource;
    try {
      answer = JSON.parse(body);
    } catch {
      throw foreignAnswer('an answer that is not JSON, or not all of it', asked, { isTransient: true });
    }
    if (text(answer, 'kind') === undefined) throw foreignAnswer('JSON of another kind', asked);
    return answer;
  }

  async text(what: string, path: string, request: KubeRequest = {}): Promise<string> {
    const { signal, timeout = 30_000 } = this.#options;
    const limit = AbortSignal.timeout(timeout);
    const asked = { what, server: this.server };
    try {
      const response = await this.#send(path, request, signal === undefined ? limit : AbortSignal.any([signal, limit]));
      const { status, headers } = response;
      const body = await response.text();
      if (!response.ok) throw refusal({ status, retryAfter: retryAfterOf(headers), body }, asked);
      const type = headers.get('content-type') ?? JSON_TYPE;
      // Logs are text.
      if (!/json|^text\/plain/.test(type)) throw foreignAnswer(`${status} with ${type}`, asked, { status });
      return body;
    } catch (cause) {
      throw cause instanceof E2eError ? cause : unreachable(cause, asked);
    }
  }

  /** Opens one watch, and resolves when it ended. */
  watch(
    path: string,
    query: { labelSelector: string | undefined; resourceVersion: string },
    onEvent: (type: string, object: Resource) => void,
    signal: AbortSignal,
  ): Promise<WatchEnd> {
    const request = { query: { ...query, watch: true, allowWatchBookmarks: true, timeoutSeconds: 290 } };
    return readWatch((until) => this.#send(path, request, until), onEvent, signal);
  }

  async #send(path: string, request: KubeRequest, signal: AbortSignal): Promise<Response> {
    const { method = 'GET', query = {}, body, type = JSON_TYPE } = request;
    const url = new URL(this.#base + path);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const { headers, dispatcher } = await logIn(this.#config, this.#options.onSecret);
    this.#dispatcher ??= dispatcher;
    const isSecret = /\/secrets(?:\/(?!public-key$)|$)/.test(path);
    return fetch(url, {
      method,
      headers: {
        ...headers,
        accept: isSecret ? METADATA_ONLY : `${JSON_TYPE}, */*;q=0.8`,
        'user-agent': 'multi-image-e2e',
        ...(body === undefined ? {} : { 'content-type': type }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      dispatcher: this.#dispatcher,
      signal,
    });
  }
}

function rootOf(apiVersion: string): string {
  return `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}`;
}
