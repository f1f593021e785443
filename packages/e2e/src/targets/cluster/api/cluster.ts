import { ClusterError, instead } from './cluster-error.ts';
import { ClusterSession } from './cluster-session.ts';
import type { KubeClient, KubeRequest } from './kube-client.ts';
import { readPulls } from './pulls.ts';
import { field, type Kind, list, type Resource, text } from './resource.ts';
import type { WatchEnd } from './watch.ts';

const FIELD_MANAGER = 'multi-image-e2e';
/** Objects in one answer to a list. */
const PAGE = 250;
/** Events that are looked at, at most: they are a help, not a need. */
const PULLS = 2000;

/** A list as it was at one version, from which it can be watched. */
export interface Listed {
  items: Resource[];
  version: string;
}

/**
 * A Kubernetes API server as this package needs it: with a time limit on every request, retries of what is transient
 * (429 with its Retry-After, 5xx, a dropped connection), a login that is read again when it expired, and errors with this
 * package's codes. No Secret's data is ever fetched but that of {@link Cluster.publicKey}.
 */
export class Cluster extends ClusterSession {
  /** The plural of a kind that the API server has; undefined where it has none. Asked once. */
  async serves(kind: Kind): Promise<string | undefined> {
    const resource = await this.request((client) => client.resource(kind)).catch(instead('KIND_MISSING', undefined));
    return resource?.name;
  }

  /** An object, or undefined where there is none. */
  read(kind: Kind, name: string, namespace: string): Promise<Resource | undefined> {
    return this.#object('GET', kind, { name, namespace }).catch(instead('KIND_MISSING', undefined));
  }

  /**
   * All objects of a kind that a label selector matches, and the version to watch from.
   *
   * @param patience Until when it is tried again, whatever is transient; a few times where there is none.
   */
  async list(kind: Kind, namespace: string, labelSelector?: string, patience?: AbortSignal): Promise<Listed> {
    // A list whose pages took so long that its version is gone (410) begins anew, the last time in one piece.
    for (const limit of [PAGE, PAGE, undefined]) {
      const listed = await this.#pages(kind, namespace, { labelSelector, limit }, patience);
      if (listed !== undefined) return listed;
    }
    throw new ClusterError('CLUSTER_ERROR', `${this.server}: LIST ${kind.kind} found no end`, { found: '410 Expired' });
  }

  async #pages(
    kind: Kind,
    namespace: string,
    query: { labelSelector: string | undefined; limit: number | undefined },
    patience: AbortSignal | undefined,
  ): Promise<Listed | undefined> {
    const items: Resource[] = [];
    let next: string | undefined;
    let version = '';
    do {
      const load = async (client: KubeClient): Promise<Resource> =>
        client.json(`LIST ${kind.kind}`, await client.path(kind, namespace), { query: { ...query, continue: next } });
      const page = await this.request(load, patience).catch((error) => {
        if (error instanceof ClusterError && error.status === 410) return undefined;
        throw error;
      });
      if (page === undefined) return undefined;
      for (const item of list(page, 'items')) items.push({ ...(item as Resource), ...kind });
      next = text(page, 'metadata', 'continue');
      version = text(page, 'metadata', 'resourceVersion') ?? '';
    } while (next !== undefined);
    return { items, version };
  }

  /** Server-side apply. Never by force: a field that somebody else owns is a `CLUSTER_CONFLICT`. */
  apply(object: Resource, { dryRun = false } = {}): Promise<Resource> {
    const query = { fieldManager: FIELD_MANAGER, force: false, dryRun: dryRun ? 'All' : undefined };
    const request: KubeRequest = { method: 'PATCH', type: 'application/apply-patch+yaml', query, body: object };
    return this.#object('APPLY', object, object.metadata, request);
  }

  /**
   * Makes an object; with `dryRun` the server only says whether it would (admission included). An object of this name that
   * is there already is a `CLUSTER_CONFLICT`.
   */
  create(object: Resource, { dryRun = false } = {}): Promise<Resource> {
    const query = { fieldManager: FIELD_MANAGER, dryRun: dryRun ? 'All' : undefined };
    return this.#object('CREATE', object, object.metadata, { method: 'POST', query, body: object });
  }

  /** Sets annotations, and nothing else. */
  async annotate(kind: Kind, name: string, namespace: string, annotations: Record<string, string>): Promise<void> {
    const query = { fieldManager: `${FIELD_MANAGER}-trigger` };
    const body = { metadata: { annotations } };
    const request: KubeRequest = { method: 'PATCH', type: 'application/merge-patch+json', query, body };
    await this.#object('PATCH', kind, { name, namespace }, request);
  }

  /** Deletes exactly this object: one of the same name that was made since is left alone. */
  async delete(object: Resource): Promise<void> {
    const { uid } = object.metadata;
    const body = uid === undefined ? undefined : { preconditions: { uid } };
    await this.#object('DELETE', object, object.metadata, { method: 'DELETE', body }).catch(
      instead('KIND_MISSING', undefined),
    );
  }

  #object(
    verb: string,
    kind: Kind,
    { name, namespace = '' }: { name: string; namespace?: string },
    request: KubeRequest = {},
  ): Promise<Resource> {
    return this.request(async (client) => {
      const path = await client.path(kind, namespace, request.method === 'POST' ? undefined : name);
      return client.json(`${verb} ${kind.kind} ${name}`, path, request);
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
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview' };
    const { status } = await this.request((client) =>
      client.json(
        `REVIEW ${attributes.verb} ${attributes.resource}`,
        `/apis/${review.apiVersion}/selfsubjectaccessreviews`,
        { method: 'POST', body: { ...review, spec: { resourceAttributes: attributes } } },
      ),
    );
    return field(status, 'allowed') === true;
  }

  /** The end of a container's log; undefined where it is gone. */
  log(pod: string, container: string, namespace: string): Promise<string | undefined> {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`;
    const query = { container, tailLines: 30, limitBytes: 32_768 };
    const reading = this.request((client) => client.text(`LOG ${pod}`, path, { query }));
    // A log is a help, not a need: pods are pruned, and not everybody may read them.
    return reading.catch((error) => {
      if (error instanceof ClusterError) return undefined;
      throw error;
    });
  }

  /** Milliseconds that each pod took to pull images, as events tell; undefined where this login may not read them. */
  async pulls(namespace: string): Promise<ReadonlyMap<string, number> | undefined> {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
    const query = { fieldSelector: 'reason=Pulled', limit: PULLS };
    const events = await this.request((client) => client.json('LIST Event', path, { query })).catch((error) => {
      if (error instanceof ClusterError) return undefined;
      throw error;
    });
    return events && readPulls(list(events, 'items'));
  }

  /** Chains' public key: the only Secret whose data is read, and public by its name. */
  async publicKey(namespace: string): Promise<string | undefined> {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/public-key`;
    const secret = await this.request((client) => client.json('GET the public key', path)).catch((error) => {
      if (error instanceof ClusterError && (error.status === 403 || error.status === 404)) return undefined;
      throw error;
    });
    const data = text(secret, 'data', 'cosign.pub');
    return data === undefined ? undefined : Buffer.from(data, 'base64').toString();
  }

  /** Opens one watch, and resolves when it ended. Throws `KIND_MISSING`. */
  async watch(
    kind: Kind,
    namespace: string,
    query: { selector?: string | undefined; version: string },
    onEvent: (type: string, object: Resource) => void,
    signal: AbortSignal,
  ): Promise<WatchEnd> {
    const path = await this.request((client) => client.path(kind, namespace));
    const selected = { labelSelector: query.selector, resourceVersion: query.version };
    return this.client.watch(path, selected, onEvent, signal);
  }
}
