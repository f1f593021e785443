/** One thing that is wrong with a config. */
export interface ConfigIssue {
  /** Where: `images[1].repository`; empty for the config as a whole. */
  path: string;
  /** What would be right. */
  expected: string;
  /** What is there. */
  found: string;
}

/** A value of unknown type, short, on one line and without control characters. */
export function formatValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  const text = (typeof value === 'string' ? JSON.stringify(value) : String(value)).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
