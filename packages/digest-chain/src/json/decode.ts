import { scanJson } from './scan.ts';

/**
 * The values of a JSON document from outside, after the strict scan (`JSON_INVALID`, `JSON_DUPLICATE_KEY`): what is
 * read here is what every other reader reads. Use {@link member} and its neighbours, which never see a prototype.
 */
export function decodeJson(bytes: Uint8Array): unknown {
  scanJson(bytes);
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
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
