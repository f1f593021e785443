import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ApiException,
  type KubeConfig,
  type KubernetesObject,
  PatchStrategy,
  type V1APIResource,
} from '@kubernetes/client-node';
import { E2eError } from '../errors.ts';
import { type ApiClients, createClients } from './api-clients.ts';
import { fromApi } from './cluster-error.ts';
import { type KubeConfigOptions, loadKubeConfig } from './kubeconfig.ts';
import { openWatch } from './open-watch.ts';
import { type Kind, list, type Resource, text } from './resource.ts';

export interface ClusterOptions extends KubeConfigOptions {
  /** Ends everything that is under way. */
  signal?: AbortSignal;
  /** Milliseconds for one request and its answer; 30 s by default. */
  timeout?: number;
  /** Milliseconds of the first pause after a passing failure, and of the longest; 1 s and 30 s by default. */
  pauses?: { first: number; longest: number };
  /** Called once where the login expired and a new one is waited for. */
  onExpired?: (hint: string) => void;
  /** Milliseconds to wait for a new login where the old one expired; 15 minutes by default. */
  loginPatience?: number;
}

const FIELD_MANAGER = 'multi-image-e2e';
const TRIES = 6;
/** Objects in one answer to a list. */
const PAGE = 250;

/**
 * A Kubernetes API server as this package needs it: the maintained client, with a time limit on every request, retries of
 * what passes (429 with its Retry-After, 5xx, a dropped connection), a login that is read again when it expired, and
 * errors with this package's codes. No Secret's data is ever fetched but that of {@link Cluster.publicKey}.
 */
export class Cluster {
  readonly #options: ClusterOptions;
  #config: KubeConfig;
  #clients: ApiClients;
  #expired = false;
  /** Whether the login was good once: only then a new one is waited for. */
  #worked = false;

  constructor(options: ClusterOptions = {}) {
    this.#options = options;
    this.#config = loadKubeConfig(options);
    this.#clients = createClients(this.#config, this.#options);
  }

  /** The API server's address, without credentials. */
  get server(): string {
    const url = URL.parse(this.#config.getCurrentCluster()?.server ?? '');
    return url === null ? '' : `${url.protocol}//${url.host}`;
  }

  get context(): string {
    return this.#config.getCurrentContext();
  }

  /** Everything in the kubeconfig that must appear nowhere. */
  get secrets(): readonly string[] {
    const { token, password, keyData } = this.#config.getCurrentUser() ?? {};
    return [token, password, keyData].filter((text): text is string => typeof text === 'string' && text.length > 5);
  }

  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  /** Whether the API server has this kind; asked once. */
  async serves({ apiVersion, kind }: Kind): Promise<V1APIResource | undefined> {
    try {
      return await this.#request(`GET ${apiVersion}`, () => this.#clients.objects.find(apiVersion, kind));
    } catch (error) {
      if (error instanceof E2eError && error.code === 'KIND_MISSING') return undefined;
      throw error;
    }
  }

  /** An object, or undefined where there is none. */
  async read(kind: Kind, name: string, namespace: string): Promise<Resource | undefined> {
    const spec = { apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name, namespace } };
    try {
      return plain(await this.#request(`GET ${kind.kind} ${name}`, () => this.#clients.objects.read(spec)));
    } catch (error) {
      if (error instanceof E2eError && error.code === 'KIND_MISSING') return undefined;
      throw error;
    }
  }

  /** All objects of a kind that a label selector matches, and the version to watch from. */
  async list(kind: Kind, namespace: string, selector?: string): Promise<{ items: Resource[]; version: string }> {
    const items: Resource[] = [];
    let next: string | undefined;
    let version = '';
    do {
      const page = await this.#request(`LIST ${kind.kind}`, () => this.#page(kind, namespace, selector, next));
      for (const item of list(page, 'items')) items.push({ ...(item as Resource), ...kind });
      next = text(page, 'metadata', '_continue') ?? text(page, 'metadata', 'continue');
      version = text(page, 'metadata', 'resourceVersion') ?? '';
    } while (next !== undefined);
    return { items, version };
  }

  async #page(kind: Kind, namespace: string, selector?: string, next?: string): Promise<unknown> {
    const [group, groupVersion] = kind.apiVersion.split('/');
    if (group === undefined || groupVersion === undefined) {
      const none = undefined;
      return plain(
        await this.#clients.objects.list(
          kind.apiVersion,
          kind.kind,
          namespace,
          none,
          none,
          none,
          none,
          selector,
          PAGE,
          next,
        ),
      );
    }
    // Of kinds that it does not know, the object API reads a list's metadata as an object's: `continue` would be lost.
    const plural = (await this.#clients.objects.find(kind.apiVersion, kind.kind))?.name;
    if (plural === undefined) throw new E2eError('KIND_MISSING', `the cluster has no ${kind.kind}`);
    return this.#clients.custom.listNamespacedCustomObject({
      group,
      version: groupVersion,
      namespace,
      plural,
      limit: PAGE,
      ...(selector === undefined ? {} : { labelSelector: selector }),
      ...(next === undefined ? {} : { _continue: next }),
    });
  }

  /** Server-side apply. Never by force: a field that somebody else owns is a `CLUSTER_CONFLICT`. */
  async apply(object: Resource, { dryRun = false } = {}): Promise<Resource> {
    const what = `APPLY ${object.kind} ${object.metadata.name}`;
    // The client fills in what is missing, in place.
    const body = structuredClone(object) as KubernetesObject;
    return plain(
      await this.#request(what, () =>
        this.#clients.objects.patch(
          body,
          undefined,
          dryRun ? 'All' : undefined,
          FIELD_MANAGER,
          false,
          PatchStrategy.ServerSideApply,
        ),
      ),
    );
  }

  /** Sets annotations, and nothing else. */
  async annotate(kind: Kind, name: string, namespace: string, annotations: Record<string, string>): Promise<void> {
    const body = { apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name, namespace, annotations } };
    const manager = `${FIELD_MANAGER}-trigger`;
    await this.#request(`PATCH ${kind.kind} ${name}`, () =>
      this.#clients.objects.patch(body, undefined, undefined, manager, undefined, PatchStrategy.MergePatch),
    );
  }

  /** Deletes exactly this object: one of the same name that was made since is left alone. */
  async delete({ apiVersion, kind, metadata }: Resource): Promise<void> {
    const { name, namespace, uid } = metadata;
    const spec = { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
    const body = uid === undefined ? undefined : { preconditions: { uid } };
    await this.#request(`DELETE ${kind} ${name}`, () =>
      this.#clients.objects.delete(spec, undefined, undefined, undefined, undefined, undefined, body),
    ).catch((error) => {
      if (!(error instanceof E2eError && error.code === 'KIND_MISSING')) throw error;
    });
  }

  /** Whether this login may do that (SelfSubjectAccessReview). */
  async may(attributes: {
    verb: string;
    group: string;
    resource: string;
    subresource?: string;
    namespace: string;
  }): Promise<boolean> {
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: attributes },
    };
    const what = `${attributes.verb} ${attributes.resource}`;
    const answer = plain(
      await this.#request(`REVIEW ${what}`, () => this.#clients.objects.create(structuredClone(review))),
    );
    return (answer.status as { allowed?: boolean } | undefined)?.allowed === true;
  }

  /** The end of a container's log; undefined where it is gone. */
  async log(pod: string, container: string, namespace: string): Promise<string | undefined> {
    const request = { name: pod, namespace, container, tailLines: 30, limitBytes: 32_768 };
    try {
      return await this.#request(`LOG ${pod}`, () => this.#clients.core.readNamespacedPodLog(request));
    } catch (error) {
      // A log is a help, not a need: pods are pruned, and not everybody may read them.
      if (error instanceof E2eError && error.code !== 'INTERRUPTED') return undefined;
      throw error;
    }
  }

  /** Chains' public key: the only Secret whose data is read, and public by its name. */
  async publicKey(namespace: string): Promise<string | undefined> {
    const secret = await this.#request('GET the public key', async () => {
      try {
        return await this.#clients.core.readNamespacedSecret({ name: 'public-key', namespace });
      } catch (error) {
        if ([403, 404].includes((error as ApiException<unknown>).code)) return undefined;
        throw error;
      }
    });
    const data = secret?.data?.['cosign.pub'];
    return data === undefined ? undefined : Buffer.from(data, 'base64').toString();
  }

  /**
   * Opens one watch, and resolves when it ended: with the status the server ended it with (410: the version is too old),
   * or undefined where the connection did.
   */
  async watch(
    kind: Kind,
    namespace: string,
    query: { selector?: string | undefined; version: string },
    onEvent: (type: string, object: Resource) => void,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const resource = await this.serves(kind);
    if (resource === undefined) throw new E2eError('KIND_MISSING', `the cluster has no ${kind.kind}`);
    const path = `/${kind.apiVersion.includes('/') ? 'apis' : 'api'}/${kind.apiVersion}/namespaces/${encodeURIComponent(namespace)}/${resource.name}`;
    return openWatch(this.#config, path, query, onEvent, signal);
  }

  /**
   * Reads the kubeconfig again. Where the login stays refused, waits for a new one: `oc login` in another terminal is
   * enough. Throws `CLUSTER_UNAUTHORIZED` when patience ends.
   */
  async renewLogin(): Promise<void> {
    const hint = 'log in again (for example: oc login); what was begun is taken up with --resume';
    if (!this.#expired) this.#options.onExpired?.(hint);
    this.#expired = true;
    const deadline = Date.now() + (this.#options.loginPatience ?? 15 * 60_000);
    for (;;) {
      this.#config = loadKubeConfig(this.#options);
      this.#clients = createClients(this.#config, this.#options);
      const refused = await this.#clients.objects.find('v1', 'Pod').then(
        () => false,
        (error) => (error as { code?: number }).code === 401,
      );
      if (!refused) break;
      if (Date.now() > deadline) {
        throw new E2eError('CLUSTER_UNAUTHORIZED', `${this.server} no longer accepts the login`, {
          expected: 'a login that is valid for the whole run',
          found: '401 Unauthorized',
          hint,
        });
      }
      await sleep(this.#pause(2), undefined, { signal: this.#options.signal });
    }
    this.#expired = false;
  }

  /** Milliseconds before the next try: twice as long each time, with some chance in it, so that clients don't come in step. */
  #pause(attempt: number): number {
    const { first, longest } = this.#options.pauses ?? { first: 1000, longest: 30_000 };
    return Math.min(longest, first * 2 ** attempt) * (0.75 + Math.random() / 2);
  }

  pause(attempt: number, signal: AbortSignal): Promise<void> {
    return sleep(this.#pause(attempt), undefined, { signal });
  }

  async #request<T>(what: string, call: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      this.#options.signal?.throwIfAborted();
      try {
        const answer = await call();
        this.#worked = true;
        return answer;
      } catch (cause) {
        this.#options.signal?.throwIfAborted();
        const { error, passing, retryAfter } = fromApi(cause, what, this.server);
        if (error.code === 'CLUSTER_UNAUTHORIZED' && this.#worked && this.#options.onExpired !== undefined) {
          await this.renewLogin();
          continue;
        }
        if (!passing || attempt + 1 >= TRIES) throw error;
        await sleep(retryAfter ?? this.#pause(attempt), undefined, { signal: this.#options.signal });
      }
    }
  }
}

/** The object as its JSON is: the client makes dates and class instances of some fields. */
function plain(object: unknown): Resource {
  return JSON.parse(JSON.stringify(object));
}
