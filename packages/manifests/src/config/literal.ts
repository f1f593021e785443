/** A value as a config's source has it, on one line: text, lists, objects with names for keys, null. */
export function literalOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `[${value.map(literalOf).join(', ')}]`;
  if (typeof value === 'object') {
    const entries = Object.entries(value).map(([key, entry]) => `${key}: ${literalOf(entry)}`);
    return `{ ${entries.join(', ')} }`;
  }
  // JSON's escapes are JavaScript's; only the quotes change sides.
  return `'${JSON.stringify(String(value)).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
