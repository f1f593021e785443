import { DigestChainError } from '../errors.ts';
import { fold, type JsonValue, MAX_VALUES, rawText, scanJson } from './scan.ts';

/**
 * The values of a JSON document from outside, after the strict scan (`JSON_INVALID`, `JSON_DUPLICATE_KEY`), of which at
 * most `maxValues` are taken: what is read here is what every other reader reads. Use {@link member} and its neighbours,
 * which never see a prototype.
 */
export function decodeJson(bytes: Uint8Array, maxValues: number = MAX_VALUES): unknown {
  return decodeValue(bytes, scanJson(bytes, maxValues));
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

/**
 * As {@link at}, for members that a format names: throws `JSON_DUPLICATE_KEY` where an object on the way has another key
 * that differs from one of them only by case. Go's readers, of which the ones that sign and the ones that judge by policy
 * are made, may take that one, so that the document says one thing to us and another to them. Not for maps, whose keys
 * are anybody's.
 */
export function known(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((object, key) => {
    for (const [other] of members(object)) {
      if (other !== key && other.length === key.length && fold(other) === fold(key)) throw twin(key, other);
    }
    return member(object, key);
  }, value);
}

function twin(key: string, found: string): DigestChainError {
  return new DigestChainError('JSON_DUPLICATE_KEY', `a key differs from "${key}" only by case`, {
    expected: `"${key}"`,
    found: JSON.stringify(found),
    hint: 'readers disagree about such a key',
  });
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
