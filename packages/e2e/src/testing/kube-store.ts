import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Resource } from '../cluster/resource.ts';

export interface StoredEvent {
  version: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: Resource;
}

/** A field that somebody owns, as a JSON path; an element of a list by its name. */
type Owned = Map<string, unknown>;

export class ApplyConflict extends Error {}

/** What an API server keeps of objects: versions, their history, and who owns which field. */
export class KubeStore {
  version = 1000;
  /** Watches from before this are answered with 410 Gone. */
  compactedUpTo = 0;
  readonly events: StoredEvent[] = [];
  readonly #objects = new Map<string, Resource>();
  readonly #owners = new Map<string, Map<string, Owned>>();
  readonly #listeners = new Set<(event: StoredEvent) => void>();

  onEvent(listener: (event: StoredEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get(kind: string, name: string): Resource | undefined {
    return this.#objects.get(`${kind}/${name}`);
  }

  all(kind: string): Resource[] {
    return [...this.#objects].filter(([key]) => key.startsWith(`${kind}/`)).map(([, object]) => object);
  }

  /** Writes a whole object, as a controller does. */
  put(object: Resource, manager = 'controller'): Resource {
    const owned = this.#ownersOf(object);
    owned.set(manager, leaves(object));
    return this.#write(object);
  }

  /** Changes an object in place, as a controller does. */
  change(kind: string, name: string, edit: (object: Writable) => void): Resource {
    const object = structuredClone(this.get(kind, name)) as unknown as Writable | undefined;
    if (object === undefined) throw new Error(`no ${kind} ${name}`);
    edit(object);
    return this.#write(object as unknown as Resource);
  }

  delete(kind: string, name: string): Resource | undefined {
    const object = this.get(kind, name);
    if (object === undefined) return undefined;
    this.#objects.delete(`${kind}/${name}`);
    this.#owners.delete(`${kind}/${name}`);
    this.#record('DELETED', object);
    return object;
  }

  /** Drops the history: everybody has to list again. */
  compact(): void {
    this.compactedUpTo = this.version;
    this.events.length = 0;
  }

  /** Server-side apply: merges, takes away what this manager no longer names, refuses what others own. */
  apply(config: Resource, manager: string, dryRun: boolean, force = false): { object: Resource; created: boolean } {
    const current = this.get(config.kind, config.metadata.name);
    const owners = current === undefined ? new Map<string, Owned>() : structuredClone(this.#ownersOf(current));
    const wanted = leaves(config);
    const conflicts = [...owners].flatMap(([other, fields]) =>
      other === manager
        ? []
        : [...wanted].flatMap(([path, value]) =>
            fields.has(path) && !isDeepStrictEqual(valueAt(current, path), value)
              ? [`conflict with "${other}": .${path}`]
              : [],
          ),
    );
    if (conflicts.length > 0 && !force) {
      throw new ApplyConflict(`Apply failed with ${conflicts.length} conflict: ${conflicts.join(', ')}`);
    }
    const object = structuredClone(
      current ?? { apiVersion: config.apiVersion, kind: config.kind, metadata: { name: config.metadata.name } },
    );
    for (const path of owners.get(manager)?.keys() ?? []) {
      const shared = [...owners].some(([other, fields]) => other !== manager && fields.has(path));
      if (!wanted.has(path) && !shared) removeAt(object, path);
    }
    for (const [path, value] of wanted) setAt(object, path, value);
    owners.set(manager, wanted);
    if (!dryRun) {
      this.#owners.set(`${config.kind}/${config.metadata.name}`, owners);
      if (!isDeepStrictEqual(object, current)) return { object: this.#write(object), created: current === undefined };
    }
    return {
      object: current !== undefined && isDeepStrictEqual(object, current) ? current : object,
      created: current === undefined,
    };
  }

  /** JSON merge patch (RFC 7396); what it sets is owned by its manager then. */
  merge(kind: string, name: string, patch: unknown): Resource {
    const current = this.get(kind, name);
    if (current === undefined) throw new Error(`no ${kind} ${name}`);
    return this.#write(mergePatch(structuredClone(current), patch) as Resource);
  }

  #ownersOf({ kind, metadata }: Resource): Map<string, Owned> {
    const key = `${kind}/${metadata.name}`;
    const owners = this.#owners.get(key) ?? new Map<string, Owned>();
    this.#owners.set(key, owners);
    return owners;
  }

  #write(given: Resource): Resource {
    const key = `${given.kind}/${given.metadata.name}`;
    const before = this.#objects.get(key);
    this.version += 1;
    const object: Resource = {
      ...given,
      metadata: {
        creationTimestamp: new Date().toISOString(),
        uid: randomUUID(),
        namespace: 'my-tenant',
        ...given.metadata,
        resourceVersion: String(this.version),
      },
    };
    this.#objects.set(key, object);
    this.#record(before === undefined ? 'ADDED' : 'MODIFIED', object);
    return object;
  }

  #record(type: StoredEvent['type'], object: Resource): void {
    if (type === 'DELETED') this.version += 1;
    const event = { version: this.version, type, object };
    this.events.push(event);
    for (const listener of this.#listeners) listener(event);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a test edits objects of any kind
export type Writable = Record<string, any> & { metadata: any };

/** Every field below metadata's labels and annotations, and everything else, but for who the object is. */
function leaves(value: unknown, path = ''): Owned {
  const found: Owned = new Map();
  const walk = (at: unknown, prefix: string): void => {
    if (
      [
        'apiVersion',
        'kind',
        'metadata.name',
        'metadata.namespace',
        'metadata.uid',
        'metadata.resourceVersion',
        'metadata.creationTimestamp',
      ].includes(prefix)
    )
      return;
    if (Array.isArray(at) && at.length > 0 && at.every((entry) => typeof entry?.name === 'string')) {
      for (const entry of at) found.set(`${prefix}[${entry.name}]`, entry);
    } else if (typeof at === 'object' && at !== null && !Array.isArray(at) && Object.keys(at).length > 0) {
      for (const [key, entry] of Object.entries(at))
        walk(entry, prefix === '' ? key : `${prefix}.${key.replaceAll('.', '\u0001')}`);
    } else if (prefix !== '') {
      found.set(prefix, at);
    }
  };
  walk(value, path);
  return found;
}

function steps(path: string): string[] {
  return path.split('.').map((step) => step.replaceAll('\u0001', '.'));
}

function parse(path: string): { steps: string[]; element: string | undefined } {
  const match = /^(.*)\[([^\]]+)\]$/.exec(path);
  return match ? { steps: steps(match[1] ?? ''), element: match[2] } : { steps: steps(path), element: undefined };
}

function valueAt(object: unknown, path: string): unknown {
  const { steps: names, element } = parse(path);
  let at = object as Writable | undefined;
  for (const name of names) at = at?.[name];
  return element === undefined
    ? at
    : (at as unknown as { name: string }[] | undefined)?.find(({ name }) => name === element);
}

function setAt(object: unknown, path: string, value: unknown): void {
  const { steps: names, element } = parse(path);
  let at = object as Writable;
  const last = names.at(-1) ?? '';
  for (const name of names.slice(0, -1)) at = at[name] ??= {};
  if (element === undefined) at[last] = value;
  else {
    const entries: { name: string }[] = [...(at[last] ?? [])];
    const index = entries.findIndex(({ name }) => name === element);
    entries.splice(index < 0 ? entries.length : index, index < 0 ? 0 : 1, value as { name: string });
    at[last] = entries;
  }
}

function removeAt(object: unknown, path: string): void {
  const { steps: names, element } = parse(path);
  let at = object as Writable | undefined;
  for (const name of names.slice(0, -1)) at = at?.[name];
  const last = names.at(-1) ?? '';
  if (at === undefined) return;
  if (element === undefined) delete at[last];
  else at[last] = (at[last] ?? []).filter(({ name }: { name: string }) => name !== element);
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Writable = typeof target === 'object' && target !== null ? (target as Writable) : ({} as Writable);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}
