import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Resource } from '../../targets/cluster/api/resource.ts';
import { isNamespaced } from './api.ts';
import { type Fields, fieldsOf, mergePatch, removeAt, setAt, valueAt, type Writable } from './fields.ts';
import { addOwner, type Owner, type Owners, ownersAfter, printOwners } from './owners.ts';

export type { Writable } from './fields.ts';

export interface StoredEvent {
  version: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: Resource;
  /** As it was before: a watch tells by it what a selector no longer matches. */
  before: Resource | undefined;
}

export interface Conflict {
  manager: string;
  operation: string;
  path: string;
}

export class ApplyConflict extends Error {
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super('apply conflict');
    this.conflicts = conflicts;
  }
}

export const NAMESPACE = 'my-tenant';

/** What an API server keeps of objects: versions, their history, and who owns which field. */
export class KubeStore {
  version = 1000;
  /** Watches from before this are answered with 410 Gone. */
  compactedUpTo = 0;
  readonly events: StoredEvent[] = [];
  readonly #objects = new Map<string, Resource>();
  readonly #owners = new Map<string, Owners>();
  readonly #listeners = new Set<(event: StoredEvent) => void>();

  onEvent(listener: (event: StoredEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get(kind: string, name: string, namespace: string = NAMESPACE): Resource | undefined {
    return this.#objects.get(keyOf(kind, name, namespace));
  }

  /** Of all namespaces, in the order of their keys. */
  all(kind: string): Resource[] {
    const own = [...this.#objects].filter(([key]) => key.startsWith(`${kind}/`));
    return own.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  everything(): Iterable<Resource> {
    return this.#objects.values();
  }

  /** Writes a whole object, as a controller does. */
  put(object: Resource, manager = 'controller'): Resource {
    const { name, namespace } = object.metadata;
    const before = this.get(object.kind, name, namespace);
    return this.#write(object, before, { manager, operation: 'Update' });
  }

  /** Changes an object in place, as a controller does. */
  change(
    kind: string,
    name: string,
    edit: (object: Writable) => void,
    { namespace = NAMESPACE, manager = 'controller' }: { namespace?: string; manager?: string } = {},
  ): Resource {
    const before = this.get(kind, name, namespace);
    const object = structuredClone(before) as unknown as Writable | undefined;
    if (object === undefined) throw new Error(`no ${kind} ${name}`);
    object.metadata.labels ??= {};
    object.metadata.annotations ??= {};
    edit(object);
    return this.#write(object as unknown as Resource, before, { manager, operation: 'Update' });
  }

  /** Deletes; an object with finalizers only begins to go, and is gone when nobody holds it any more. */
  delete(kind: string, name: string, namespace: string = NAMESPACE): Resource | undefined {
    const object = this.get(kind, name, namespace);
    if (object === undefined) return undefined;
    const { finalizers = [], deletionTimestamp } = object.metadata as {
      finalizers?: string[];
      deletionTimestamp?: string;
    };
    if (finalizers.length > 0) {
      if (deletionTimestamp !== undefined) return object;
      const metadata = { ...object.metadata, deletionTimestamp: now(), deletionGracePeriodSeconds: 0 };
      return this.#write({ ...object, metadata }, object, undefined);
    }
    this.#remove(object);
    return object;
  }

  /** Drops the history but for its last events: whoever is not up to date has to list again. */
  compact(keep = 0): void {
    const dropped = this.events.splice(0, Math.max(0, this.events.length - keep));
    this.compactedUpTo = keep === 0 ? this.version : (dropped.at(-1)?.version ?? this.compactedUpTo);
  }

  /** Makes an object that is not there yet. */
  create(object: Resource, manager: string, dryRun: boolean): Resource {
    const owner: Owner = { manager, operation: 'Update' };
    return dryRun ? this.#complete(object, undefined, owner).object : this.#write(object, undefined, owner);
  }

  /** Server-side apply: merges, takes away what this manager no longer names, refuses what others own. */
  apply(config: Resource, manager: string, dryRun: boolean, force = false): { object: Resource; created: boolean } {
    const { name, namespace = NAMESPACE } = config.metadata;
    const current = this.get(config.kind, name, namespace);
    const owner: Owner = { manager, operation: 'Apply' };
    const owners = current === undefined ? [] : this.#ownersOf(current);
    const wanted = fieldsOf(config);
    const isOwn = (other: Owner): boolean => other.manager === manager && other.operation === 'Apply';
    const others = owners.filter((entry) => !isOwn(entry));
    const conflicts = others.flatMap((other) =>
      [...wanted].flatMap(([path, value]): Conflict[] =>
        other.fields.has(path) && !isDeepStrictEqual(valueAt(current, path), value)
          ? [{ manager: other.manager, operation: other.operation, path }]
          : [],
      ),
    );
    if (conflicts.length > 0 && !force) throw new ApplyConflict(conflicts);
    const object = structuredClone(
      current ?? { apiVersion: config.apiVersion, kind: config.kind, metadata: { name, namespace } },
    );
    for (const path of owners.find(isOwn)?.fields.keys() ?? []) {
      if (!wanted.has(path) && !others.some(({ fields }) => fields.has(path))) removeAt(object, path);
    }
    for (const [path, value] of wanted) setAt(object, path, value);
    const complete = this.#complete(object, current, owner, wanted);
    const isSame = current !== undefined && isDeepStrictEqual(withoutTimes(complete.object), withoutTimes(current));
    if (isSame) return { object: current, created: false };
    if (!dryRun) this.#keep(complete.object, current, complete.owners);
    return { object: complete.object, created: current === undefined };
  }

  /** JSON merge patch (RFC 7396); what it changes is owned by its manager then. */
  merge(object: Resource, patch: unknown, manager: string, dryRun: boolean): Resource {
    const owner: Owner = { manager, operation: 'Update' };
    const after = mergePatch(structuredClone(object), patch) as Resource;
    return dryRun ? this.#complete(after, object, owner).object : this.#write(after, object, owner);
  }

  #ownersOf({ kind, metadata }: Resource): Owners {
    return this.#owners.get(keyOf(kind, metadata.name, metadata.namespace)) ?? [];
  }

  #write(given: Resource, before: Resource | undefined, owner: Owner | undefined): Resource {
    const { object, owners } = this.#complete(given, before, owner);
    // A write that changes nothing is none.
    if (before !== undefined && isDeepStrictEqual(withoutTimes(object), withoutTimes(before))) return before;
    return this.#keep(object, before, owners);
  }

  /** The object as it would be stored: with what the server fills in. */
  #complete(
    given: Resource,
    before: Resource | undefined,
    owner: Owner | undefined,
    applied?: Fields,
  ): { object: Resource; owners: Owners } {
    const known = before === undefined ? [] : this.#ownersOf(before);
    const changed = (by: Owner): Owners =>
      applied === undefined ? ownersAfter(known, by, before, given) : addOwner(known, by, applied, given);
    const owners = owner === undefined ? known : changed(owner);
    const generation = ((before?.metadata as { generation?: number } | undefined)?.generation ?? 0) + 1;
    const isNew = before === undefined || !isDeepStrictEqual(desired(before), desired(given));
    const metadata: Record<string, unknown> = {
      ...(isNamespaced(given.kind) ? { namespace: NAMESPACE } : {}),
      ...given.metadata,
      uid: before?.metadata.uid ?? given.metadata.uid ?? randomUUID(),
      creationTimestamp: before?.metadata.creationTimestamp ?? given.metadata.creationTimestamp ?? now(),
      generation: isNew ? generation : generation - 1,
      managedFields: printOwners(owners, given.apiVersion),
    };
    for (const name of ['labels', 'annotations', 'finalizers']) {
      if (Object.keys(metadata[name] ?? {}).length === 0) delete metadata[name];
    }
    return { object: { ...given, metadata } as unknown as Resource, owners };
  }

  #keep(complete: Resource, before: Resource | undefined, owners: Owners): Resource {
    this.version += 1;
    const object = { ...complete, metadata: { ...complete.metadata, resourceVersion: String(this.version) } };
    const key = keyOf(object.kind, object.metadata.name, object.metadata.namespace);
    this.#objects.set(key, object);
    this.#owners.set(key, owners);
    const { deletionTimestamp, finalizers = [] } = object.metadata as {
      deletionTimestamp?: string;
      finalizers?: string[];
    };
    this.#record({ version: this.version, type: before === undefined ? 'ADDED' : 'MODIFIED', object, before });
    if (deletionTimestamp !== undefined && finalizers.length === 0) this.#remove(object);
    return object;
  }

  #remove(object: Resource): void {
    const key = keyOf(object.kind, object.metadata.name, object.metadata.namespace);
    this.#objects.delete(key);
    this.#owners.delete(key);
    this.version += 1;
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.version) } };
    this.#record({ version: this.version, type: 'DELETED', object: last, before: object });
  }

  #record(event: StoredEvent): void {
    this.events.push(event);
    for (const listener of this.#listeners) listener(event);
  }
}

function keyOf(kind: string, name: string, namespace: string = NAMESPACE): string {
  return `${kind}/${isNamespaced(kind) ? namespace : ''}/${name}`;
}

/** Kubernetes' times have no fractions of a second. */
function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

/** What a controller acts on: its change raises `generation`. */
function desired({ metadata: _, status: __, ...rest }: Resource): unknown {
  return rest;
}

function withoutTimes({ metadata, ...rest }: Resource): unknown {
  const { resourceVersion: _, managedFields, ...kept } = metadata as Record<string, unknown>;
  const entries = (managedFields ?? []) as Record<string, unknown>[];
  return { ...rest, metadata: kept, fields: entries.map(({ time: __, ...entry }) => entry) };
}
