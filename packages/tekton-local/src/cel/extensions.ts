import type { Environment } from '@marcbachmann/cel-js';

/** The functions of cel-go's extensions of strings and lists that are known here. */
export const EXTENSIONS: ReadonlySet<string> = new Set(
  'charAt distinct flatten indexOf join lastIndexOf lowerAscii replace reverse slice sort split substring trim upperAscii'.split(
    ' ',
  ),
);

/** What takes the place of the evaluator's own, which change more than ASCII. */
export const ASCII_ALONE: Readonly<Record<string, string>> = { lowerAscii: 'toLowerAscii', upperAscii: 'toUpperAscii' };

/** Those that are not. */
export const NOT_HERE: ReadonlySet<string> = new Set(['first', 'format', 'last', 'quote', 'range', 'sortBy']);

/** Adds what the evaluator has not by itself. */
export function registerExtensions(environment: Environment): void {
  const register = (signature: string, call: (...args: never[]) => unknown): void => {
    environment.registerFunction(signature, call);
  };
  register('string.charAt(int): string', (text: string, at: bigint) => {
    const points = [...text];
    if (at < 0n || at > points.length) throw new Error(`index out of range: ${at}`);
    return points[Number(at)] ?? '';
  });
  register('string.replace(string, string): string', (text: string, from: string, to: string) =>
    text.split(from).join(to),
  );
  register('string.replace(string, string, int): string', (text: string, from: string, to: string, most: bigint) => {
    if (most < 0n) return text.split(from).join(to);
    const parts = text.split(from);
    const replaced = parts.slice(0, Number(most) + 1).join(to);
    return [replaced, ...parts.slice(Number(most) + 1)].join(from);
  });
  register('string.toLowerAscii(): string', (text: string) => text.replaceAll(/[A-Z]/g, (one) => one.toLowerCase()));
  register('string.toUpperAscii(): string', (text: string) => text.replaceAll(/[a-z]/g, (one) => one.toUpperCase()));
  register('string.reverse(): string', (text: string) => [...text].reverse().join(''));
  register('list.reverse(): list', (list: readonly unknown[]) => [...list].reverse());
  register('list.distinct(): list', (list: readonly unknown[]) => {
    const known = new Set<string>();
    return list.filter((item) => {
      const key = keyOf(item);
      return !known.has(key) && known.add(key);
    });
  });
  register('list.flatten(): list', (list: readonly unknown[]) => list.flat());
  register('list.flatten(int): list', (list: readonly unknown[], depth: bigint) => {
    if (depth < 0n) throw new Error('level must be non-negative');
    return list.flat(Number(depth));
  });
  register('list.slice(int, int): list', (list: readonly unknown[], start: bigint, end: bigint) => {
    if (start < 0n || end < start || end > list.length) throw new Error(`cannot slice(${start}, ${end})`);
    return list.slice(Number(start), Number(end));
  });
  register('list.sort(): list', (list: readonly unknown[]) => {
    const kinds = new Set(list.map((item) => typeof item));
    if (kinds.size > 1 || kinds.has('object')) throw new Error('list elements must have the same type');
    return [...list].sort((a, b) => (isLess(a, b) ? -1 : 1));
  });
}

function isLess(a: unknown, b: unknown): boolean {
  return typeof a === 'string' && typeof b === 'string'
    ? Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0
    : (a as number) < (b as number);
}

/** Numbers are the same whatever their type. */
function keyOf(value: unknown): string {
  const isNumber = typeof value === 'bigint' || typeof value === 'number';
  return isNumber
    ? `number ${value}`
    : JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? Number(item) : item));
}
