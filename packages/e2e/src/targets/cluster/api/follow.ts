import type { Progress } from '@multi-image/kit/progress';
import { E2eError } from '../../../errors.ts';
import type { Cluster } from './cluster.ts';
import type { Kind, Resource } from './resource.ts';

export interface FollowOptions {
  namespace: string;
  selector?: string | undefined;
  /** Each object as it is now; more than once, and again after every new listing. */
  onObject: (object: Resource) => void;
  /** Called after each listing, once its objects were told. */
  onListed?: () => void;
  /** Called with the uid of each object that is gone, after it was seen as it last was. */
  onGone?: (uid: string) => void;
  signal: AbortSignal;
}

/** Milliseconds of a watch that can be opened again at once: two kinds are followed, with two requests a second. */
const LIFE = 1500;

/**
 * Follows all objects of a kind until the signal ends it: lists, then watches from there. A watch that is dropped is
 * opened again where it was, one whose version is too old (410) begins with a new listing, one whose login expired waits
 * for a new login; a server that is away is waited for. Keeps no objects. Throws what can't pass by itself:
 * `CLUSTER_FORBIDDEN`, `CLUSTER_UNAUTHORIZED`, `KIND_MISSING`.
 */
export async function follow(cluster: Cluster, kind: Kind, options: FollowOptions): Promise<void> {
  const { namespace, selector, onObject, onListed, onGone, signal } = options;
  let there = new Set<string>();
  let version: string | undefined;
  let failures = 0;
  try {
    while (!signal.aborted) {
      if (version === undefined) {
        const listed = await cluster.list(kind, namespace, selector, signal);
        if (signal.aborted) return;
        version = listed.version;
        for (const object of listed.items) onObject(object);
        // What went while nobody looked shows only by its absence.
        const now = new Set(listed.items.map(({ metadata }) => metadata.uid ?? ''));
        for (const uid of there) if (!now.has(uid)) onGone?.(uid);
        there = now;
        onListed?.();
      }
      const began = cluster.clock.now();
      const onEvent = (type: string, object: Resource): void => {
        version = object.metadata.resourceVersion ?? version;
        // An object that is gone is as it last was: Konflux prunes runs soon after their end.
        if (type === 'BOOKMARK' || signal.aborted) return;
        onObject(object);
        const { uid = '' } = object.metadata;
        if (type !== 'DELETED') there.add(uid);
        else if (there.delete(uid)) onGone?.(uid);
      };
      const end = await cluster.watch(kind, namespace, { selector, version }, onEvent, signal);
      const { status, retryAfter, isClean } = end;
      if (signal.aborted) return;
      // A kind that is not there any more is told by the next listing.
      if (status === 410 || status === 404) version = undefined;
      if (status === 401) await cluster.renewLogin();
      if (status === 403) {
        throw new E2eError('CLUSTER_FORBIDDEN', `${kind.kind} may not be watched`, {
          hint: 'ask an admin of the namespace for this permission',
        });
      }
      // One that lived was ended as watches are, perhaps by a proxy with little patience: whoever paused would be blind.
      const lived = cluster.clock.now() - began >= LIFE;
      failures = lived || isClean ? 0 : failures + 1;
      if (lived && status === undefined) continue;
      // One that ends at once must not be opened again at once; only a server in trouble needs ever more time.
      await cluster.pause(isClean ? 1 : Math.max(failures - 1, 0), signal, retryAfter);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

export interface WaitOptions<T> extends Pick<FollowOptions, 'namespace' | 'selector' | 'signal'> {
  /** Milliseconds. */
  timeout: number;
  /** Answers with what was waited for, once it is there. */
  look: (object: Resource) => T | undefined;
  /** The object that is looked at, where it is a known one, and the answer where that is gone. */
  subject?: { name: string; gone: T };
}

/** Follows a kind until `look` finds what was waited for; undefined where the time is over. */
export async function waitFor<T>(cluster: Cluster, kind: Kind, options: WaitOptions<T>): Promise<T | undefined> {
  const { namespace, selector, timeout, look, subject } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, options.signal]);
  cluster.after(timeout, signal, () => stop.abort());
  let found: T | undefined;
  let uid: string | undefined;
  const end = (value: T | undefined): void => {
    if (found === undefined && value !== undefined) stop.abort();
    found ??= value;
  };
  try {
    await follow(cluster, kind, {
      namespace,
      selector,
      signal,
      onObject(object) {
        if (found !== undefined) return;
        if (object.metadata.name === subject?.name) uid = object.metadata.uid;
        end(look(object));
      },
      // Gone before anybody looked, or before its eyes.
      onListed: () => uid === undefined && end(subject?.gone),
      onGone: (gone) => gone === uid && end(subject?.gone),
    });
  } finally {
    stop.abort();
  }
  options.signal.throwIfAborted();
  return found;
}

/** Shows a wait while it goes on, and whether it ended well. */
export async function shown<T>(
  progress: Progress,
  what: string,
  wait: T | Promise<T>,
  isGood: (value: T) => boolean,
): Promise<T> {
  progress.started(what);
  const value = await wait;
  progress.ended(what, isGood(value) ? 'passed' : 'failed', value === undefined ? 'not in time' : '');
  return value;
}
