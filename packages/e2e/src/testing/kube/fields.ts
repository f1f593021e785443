import type { Resource } from '../../targets/cluster/api/resource.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test edits objects of any kind
export type Writable = Record<string, any> & { metadata: any };

/** Fields with their values: those of an object, or those that somebody owns. A key is a path as JSON. */
export type Fields = Map<string, unknown>;

/** A step into a list whose entries are told apart by their names; other lists are owned as a whole. */
interface Entry {
  readonly named: string;
}
type Step = string | Entry;

/** What the server itself keeps: nobody owns it. */
const SERVERS: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'generation',
  'managedFields',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
]);

/** Every field that somebody can own. */
export function fieldsOf(object: Resource | undefined): Fields {
  const found: Fields = new Map();
  const walk = (at: unknown, path: readonly Step[]): void => {
    const isMap = typeof at === 'object' && at !== null && !Array.isArray(at) && Object.keys(at).length > 0;
    if (isMap) {
      for (const [key, entry] of Object.entries(at)) {
        const isServers = path.length === 0 ? /^(?:apiVersion|kind)$/.test(key) : path[0] === 'metadata';
        if (isServers && (path.length === 0 || (path.length === 1 && SERVERS.has(key)))) continue;
        walk(entry, [...path, key]);
      }
    } else if (Array.isArray(at) && isByName(object, path)) {
      for (const entry of at) found.set(JSON.stringify([...path, { named: entry.name }]), entry);
    } else if (path.length > 0) {
      found.set(JSON.stringify(path), at);
    }
  };
  walk(object, []);
  return found;
}

/** The only such list that is used here: in a custom resource, a list is atomic unless its schema says otherwise. */
function isByName(object: Resource | undefined, path: readonly Step[]): boolean {
  return object?.kind === 'ServiceAccount' && path.length === 1 && path[0] === 'secrets';
}

const stepsOf = (path: string): Step[] => JSON.parse(path);

export function valueAt(object: unknown, path: string): unknown {
  let at = object as Writable | { name: string }[] | undefined;
  for (const step of stepsOf(path)) {
    if (at === undefined || at === null) return undefined;
    if (typeof step === 'string') at = (at as Writable)[step];
    else at = (at as { name: string }[]).find(({ name }) => name === step.named) as unknown as Writable;
  }
  return at;
}

export function setAt(object: unknown, path: string, value: unknown): void {
  const steps = stepsOf(path);
  const last = steps.at(-1);
  let at = object as Writable;
  steps.slice(0, -1).forEach((step, index) => {
    const next = steps[index + 1];
    if (typeof step === 'string') at = at[step] ??= typeof next === 'string' ? {} : [];
  });
  if (typeof last === 'string') at[last] = value;
  else if (last !== undefined) {
    const entries = at as unknown as { name: string }[];
    const index = entries.findIndex(({ name }) => name === last.named);
    entries.splice(index < 0 ? entries.length : index, index < 0 ? 0 : 1, value as { name: string });
  }
}

export function removeAt(object: unknown, path: string): void {
  const steps = stepsOf(path);
  const last = steps.at(-1);
  let at = object as Writable | undefined;
  for (const step of steps.slice(0, -1)) if (typeof step === 'string') at = at?.[step];
  if (at === undefined) return;
  if (typeof last === 'string') delete at[last];
  else if (last !== undefined) {
    const entries = at as unknown as { name: string }[];
    const index = entries.findIndex(({ name }) => name === last.named);
    if (index >= 0) entries.splice(index, 1);
  }
}

/** `.spec.displayName`, `.secrets[name="x"]`: as conflicts name a field. */
export function printPath(path: string): string {
  return stepsOf(path)
    .map((step) => (typeof step === 'string' ? `.${step}` : `[name="${step.named}"]`))
    .join('');
}

/** The set of fields as `metadata.managedFields` writes it (FieldsV1). */
export function fieldsV1(fields: Fields): object {
  const tree: Record<string, object> = {};
  for (const path of fields.keys()) {
    let at = tree;
    for (const step of stepsOf(path)) {
      const key = typeof step === 'string' ? `f:${step}` : `k:${JSON.stringify({ name: step.named })}`;
      at[key] ??= {};
      at = at[key] as Record<string, object>;
    }
  }
  return tree;
}

/** JSON merge patch (RFC 7396). */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result: Record<string, unknown> = isObject ? (target as Record<string, unknown>) : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}
