import type { ServerResponse } from 'node:http';
import type { KubeAnswer } from './answer.ts';
import { selectorOf, type Target } from './api.ts';
import { ApiError, statusObject } from './status.ts';
import type { KubeStore, StoredEvent } from './store.ts';

/** Watches: what happened since a version, and what happens from now on. */
export class KubeWatches {
  readonly #store: KubeStore;
  readonly #open = new Set<ServerResponse>();
  /** Milliseconds. */
  bookmarkEvery = 200;
  /** How much faster than real a benchmark's time goes. */
  pace = 1;

  constructor(store: KubeStore) {
    this.#store = store;
  }

  get size(): number {
    return this.#open.size;
  }

  /** As a load balancer does that restarts. */
  drop(): void {
    for (const response of this.#open) response.destroy();
  }

  answer(answer: KubeAnswer, target: Target, query: URLSearchParams): void {
    const { apiVersion, kind, namespace } = target;
    const given = query.get('resourceVersion') ?? '';
    if (!/^\d*$/.test(given)) throw new ApiError(400, `invalid resource version "${given}"`);
    const from = Number(given);
    const matches = selectorOf(query);
    const response = answer.stream();
    // Between its end and its close there is nobody to write to.
    const write = (type: string, object: unknown): void => {
      if (!response.writableEnded) response.write(`${JSON.stringify({ type, object })}\n`);
    };
    if (from > 0 && from < this.#store.compactedUpTo) {
      write('ERROR', statusObject(410, `too old resource version: ${from} (${this.#store.compactedUpTo})`));
      response.end();
      return;
    }
    const send = ({ type, object, before, version }: StoredEvent): void => {
      if (object.kind !== kind || (namespace !== undefined && object.metadata.namespace !== namespace)) return;
      const did = before !== undefined && matches(before);
      const does = type !== 'DELETED' && matches(object);
      if (does) write(did ? 'MODIFIED' : 'ADDED', object);
      // Gone, or no longer selected: as it last was, with the version of what happened.
      else if (did) write('DELETED', { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } });
    };
    if (from === 0) {
      for (const object of this.#store.all(kind)) send({ type: 'ADDED', object, before: undefined, version: 0 });
    } else for (const event of this.#store.events) if (event.version > from) send(event);
    const stop = this.#store.onEvent(send);
    const bookmarks = setInterval(() => {
      if (query.get('allowWatchBookmarks') !== 'true') return;
      const metadata = { creationTimestamp: null, resourceVersion: String(this.#store.version) };
      write('BOOKMARK', { kind, apiVersion, metadata });
    }, this.bookmarkEvery);
    const seconds = Number(query.get('timeoutSeconds') ?? 0) || 1800;
    const limit = setTimeout(() => response.end(), (seconds * 1000) / this.pace);
    this.#open.add(response);
    response.once('close', () => {
      stop();
      clearInterval(bookmarks);
      clearTimeout(limit);
      this.#open.delete(response);
    });
  }
}
