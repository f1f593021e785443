import type { Resource } from '../../targets/cluster/api/resource.ts';
import type { KubeAnswer } from './answer.ts';
import { selectorOf, type Target } from './api.ts';
import { ApiError } from './status.ts';
import type { KubeStore } from './store.ts';

interface Token {
  version: number;
  start: string;
}

/** Lists, page by page: every page of a list is of the same version, for as long as that is not compacted. */
export class KubeLists {
  readonly #store: KubeStore;
  /** What a list was when its first page was asked for, by its version. */
  readonly #snapshots = new Map<number, readonly Resource[]>();

  constructor(store: KubeStore) {
    this.#store = store;
  }

  answer(answer: KubeAnswer, { apiVersion, kind, namespace }: Target, query: URLSearchParams): void {
    const matches = selectorOf(query);
    const token = this.#tokenOf(query);
    const version = token?.version ?? this.#store.version;
    const stored = token === undefined ? this.#store.all(kind) : (this.#snapshots.get(version) ?? []);
    const sorted = stored.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    const all = sorted.filter(
      (object) =>
        object.kind === kind &&
        (namespace === undefined || object.metadata.namespace === namespace) &&
        (token === undefined || keyOf(object) >= token.start) &&
        matches(object),
    );
    const limit = Number(query.get('limit') ?? 0);
    const items = limit > 0 ? all.slice(0, limit) : all;
    const next = all[items.length];
    const isSelective = query.has('labelSelector') || query.has('fieldSelector');
    const metadata = { resourceVersion: String(version) };
    if (next === undefined) {
      answer.list(apiVersion, kind, metadata, items);
      return;
    }
    if (token === undefined) this.#remember(version, all);
    const remaining = isSelective ? {} : { remainingItemCount: all.length - items.length };
    answer.list(
      apiVersion,
      kind,
      { ...metadata, continue: print({ version, start: keyOf(next) }), ...remaining },
      items,
    );
  }

  #tokenOf(query: URLSearchParams): Token | undefined {
    const text = query.get('continue');
    if (text === null || text === '') return undefined;
    if (query.get('resourceVersion')) {
      throw new ApiError(400, 'specifying resource version is not allowed when using continue');
    }
    const token = parse(text);
    if (token === undefined) throw new ApiError(400, `continue key is not valid: ${text}`);
    // One that the server itself gave out with a refusal goes on with what is there now.
    if (token.version === -1) {
      this.#remember(this.#store.version, [...this.#store.everything()]);
      return { ...token, version: this.#store.version };
    }
    if (token.version >= this.#store.compactedUpTo && this.#snapshots.has(token.version)) return token;
    throw new ApiError(
      410,
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
      { metadata: { continue: print({ version: -1, start: token.start }) } },
    );
  }

  #remember(version: number, objects: readonly Resource[]): void {
    const known = this.#snapshots.get(version) ?? [];
    this.#snapshots.set(version, [...known, ...objects.filter((object) => !known.includes(object))]);
  }
}

function keyOf({ metadata }: Resource): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

function print({ version, start }: Token): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start })).toString('base64url');
}

function parse(text: string): Token | undefined {
  try {
    const { v, rv, start } = JSON.parse(Buffer.from(text, 'base64url').toString());
    return v === 'meta.k8s.io/v1' && typeof rv === 'number' && typeof start === 'string'
      ? { version: rv, start }
      : undefined;
  } catch {
    return undefined;
  }
}
