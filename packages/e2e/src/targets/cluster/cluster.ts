import { type ApiException, type KubernetesObject, PatchStrategy, type V1APIResource } from '@kubernetes/client-node';
import { E2eError } from '../../errors.ts';
import { ClusterSession } from './cluster-session.ts';
import { openWatch, type WatchEnd } from './open-watch.ts';
import { type Kind, list, type Resource, text } from './resource.ts';

const FIELD_MANAGER = 'multi-image-e2e';
/** Objects in one answer to a list. */
const PAGE = 250;

/**
 * A Kubernetes API server as this package needs it: the maintained client, with a time limit on every request, retries of
 * what passes (429 with its Retry-After, 5xx, a dropped connection), a login that is read again when it expired, and
 * errors with this package's codes. No Secret's data is ever fetched but that of {@link Cluster.publicKey}.
 */
export class Cluster extends ClusterSession {
  /** Whether the API server has this kind; asked once. */
  async serves({ apiVersion, kind }: Kind): Promise<V1APIResource | undefined> {
    try {
      return await this.request(`GET ${apiVersion}`, () => this.clients.objects.find(apiVersion, kind));
    } catch (error) {
      if (error instanceof E2eError && error.code === 'KIND_MISSING') return undefined;
      throw error;
    }
  }

  /** An object, or undefined where there is none. */
  async read(kind: Kind, name: string, namespace: string): Promise<Resource | undefined> {
    const spec = { apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name, namespace } };
    try {
      return plain(await this.request(`GET ${kind.kind} ${name}`, () => this.clients.objects.read(spec)));
    } catch (error) {
      if (error instanceof E2eError && error.code === 'KIND_MISSING') return undefined;
      throw error;
    }
  }

  /**
   * All objects of a kind that a label selector matches, and the version to watch from.
   *
   * @param patience Until when it is tried again, whatever passes; a few times where there is none.
   */
  async list(
    kind: Kind,
    namespace: string,
    selector?: string,
    patience?: AbortSignal,
  ): Promise<{ items: Resource[]; version: string }> {
    // A list whose pages took so long that its version is gone (410) begins anew, the last time in one piece.
    for (const limit of [PAGE, PAGE, undefined]) {
      const listed = await this.#pages(kind, { namespace, selector, limit, patience });
      if (listed !== undefined) return listed;
    }
    throw new E2eError('CLUSTER_ERROR', `${this.server}: LIST ${kind.kind} found no end`, { found: '410 Expired' });
  }

  async #pages(
    kind: Kind,
    query: PageQuery & { patience: AbortSignal | undefined },
  ): Promise<{ items: Resource[]; version: string } | undefined> {
    const items: Resource[] = [];
    let next: string | undefined;
    let version = '';
    do {
      const page = await this.request(
        `LIST ${kind.kind}`,
        () => this.#page(kind, { ...query, next }).catch(ifExpired),
        query.patience,
      );
      if (page === undefined) return undefined;
      for (const item of list(page, 'items')) items.push({ ...(item as Resource), ...kind });
      next = text(page, 'metadata', '_continue') ?? text(page, 'metadata', 'continue');
      version = text(page, 'metadata', 'resourceVersion') ?? '';
    } while (next !== undefined);
    return { items, version };
  }

  async #page(
    kind: Kind,
    { namespace, selector, limit, next }: PageQuery & { next?: string | undefined },
  ): Promise<unknown> {
    const [group, groupVersion] = kind.apiVersion.split('/');
    if (group === undefined || groupVersion === undefined) {
      const none = undefined;
      return plain(
        await this.clients.objects.list(
          kind.apiVersion,
          kind.kind,
          namespace,
          none,
          none,
          none,
          none,
          selector,
          limit,
          next,
        ),
      );
    }
    // Of kinds that it does not know, the object API reads a list's metadata as an object's: `continue` would be lost.
    const plural = (await this.clients.objects.find(kind.apiVersion, kind.kind))?.name;
    if (plural === undefined) throw new E2eError('KIND_MISSING', `the cluster has no ${kind.kind}`);
    return this.clients.custom.listNamespacedCustomObject({
      group,
      version: groupVersion,
      namespace,
      plural,
      ...(limit === undefined ? {} : { limit }),
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
      await this.request(what, () =>
        this.clients.objects.patch(
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

  /**
   * Makes an object; with `dryRun` the server only says whether it would (admission included). An object of this name that
   * is there already is a `CLUSTER_CONFLICT`.
   */
  async create(object: Resource, { dryRun = false } = {}): Promise<Resource> {
    const what = `CREATE ${object.kind} ${object.metadata.name}`;
    const body = (): KubernetesObject => structuredClone(object) as KubernetesObject;
    return plain(
      await this.request(what, () =>
        this.clients.objects.create(body(), undefined, dryRun ? 'All' : undefined, FIELD_MANAGER),
      ),
    );
  }

  /** Sets annotations, and nothing else. */
  async annotate(kind: Kind, name: string, namespace: string, annotations: Record<string, string>): Promise<void> {
    const body = { apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name, namespace, annotations } };
    const manager = `${FIELD_MANAGER}-trigger`;
    await this.request(`PATCH ${kind.kind} ${name}`, () =>
      this.clients.objects.patch(body, undefined, undefined, manager, undefined, PatchStrategy.MergePatch),
    );
  }

  /** Deletes exactly this object: one of the same name that was made since is left alone. */
  async delete({ apiVersion, kind, metadata }: Resource): Promise<void> {
    const { name, namespace, uid } = metadata;
    const spec = { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
    const body = uid === undefined ? undefined : { preconditions: { uid } };
    await this.request(`DELETE ${kind} ${name}`, () =>
      this.clients.objects.delete(spec, undefined, undefined, undefined, undefined, undefined, body),
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
      await this.request(`REVIEW ${what}`, () => this.clients.objects.create(structuredClone(review))),
    );
    return (answer.status as { allowed?: boolean } | undefined)?.allowed === true;
  }

  /** The end of a container's log; undefined where it is gone. */
  async log(pod: string, container: string, namespace: string): Promise<string | undefined> {
    const request = { name: pod, namespace, container, tailLines: 30, limitBytes: 32_768 };
    try {
      return await this.request(`LOG ${pod}`, () => this.clients.core.readNamespacedPodLog(request));
    } catch (error) {
      // A log is a help, not a need: pods are pruned, and not everybody may read them.
      if (error instanceof E2eError && error.code !== 'INTERRUPTED') return undefined;
      throw error;
    }
  }

  /** Chains' public key: the only Secret whose data is read, and public by its name. */
  async publicKey(namespace: string): Promise<string | undefined> {
    const secret = await this.request('GET the public key', async () => {
      try {
        return await this.clients.core.readNamespacedSecret({ name: 'public-key', namespace });
      } catch (error) {
        if ([403, 404].includes((error as ApiException<unknown>).code)) return undefined;
        throw error;
      }
    });
    const data = secret?.data?.['cosign.pub'];
    return data === undefined ? undefined : Buffer.from(data, 'base64').toString();
  }

  /** Opens one watch, and resolves when it ended. */
  async watch(
    kind: Kind,
    namespace: string,
    query: { selector?: string | undefined; version: string },
    onEvent: (type: string, object: Resource) => void,
    signal: AbortSignal,
  ): Promise<WatchEnd> {
    const resource = await this.serves(kind);
    if (resource === undefined) throw new E2eError('KIND_MISSING', `the cluster has no ${kind.kind}`);
    const path = `/${kind.apiVersion.includes('/') ? 'apis' : 'api'}/${kind.apiVersion}/namespaces/${encodeURIComponent(namespace)}/${resource.name}`;
    return openWatch(this.config, path, query, onEvent, signal);
  }
}

interface PageQuery {
  namespace: string;
  selector: string | undefined;
  /** Objects in one answer. */
  limit: number | undefined;
}

function ifExpired(error: unknown): undefined {
  if ((error as ApiException<unknown>).code !== 410) throw error;
}

/** The object as its JSON is: the client makes dates and class instances of some fields. */
function plain(object: unknown): Resource {
  return JSON.parse(JSON.stringify(object));
}
