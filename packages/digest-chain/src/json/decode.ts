import { type JsonValue, rawText, scanJson } from './scan.ts';

/**
 * The values of a JSON document from outside, after the strict scan (`JSON_INVALID`, `JSON_DUPLICATE_KEY`): what is
 * read here is what every other reader reads. Use {@link member} and its neighbours, which never see a prototype.
 */
export function decodeJson(bytes: Uint8Array): unknown {
  return decodeValue(bytes, scanJson(bytes));
}

/**
 * One value of a document that was scanned. Built from the scan, because JSON.parse can't be trusted with keys: V8 13.6 (Node 24) takes an escaped key for `\\`
 * where it has seen an object with that key before, which would let one document hide members of the next.
 */
export function decodeValue(bytes: Uint8Array, value: JsonValue): unknown {
  if (value.type === 'array') return value.items.map((item) => decodeValue(bytes, item));
  if (value.type !== 'object') return JSON.parse(rawText(bytes, value));
  // fromEntries defines members, so a key __proto__ is one like any other.
  return Object.fromEntries(value.members.map((entry) => [entry.key, decodeValue(bytes, entry.value)]));
}

/** A member of an object; undefined for everything else. */
export function member(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
    return undefined;
  return (value as Record<string, unknown>)[key];
}

/** The member at the end of a path of keys. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce(member, value);
}

/** The items of an array; none for everything else. */
export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The members of an object; none for everything else. */
export function members(value: unknown): readonly (readonly [key: string, value: unknown])[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
