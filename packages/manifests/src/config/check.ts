import { z } from 'zod';
import { findRelations } from './relations.ts';
import { type ChainConfig, configSchema } from './schema.ts';

/** One thing that is wrong with a config. */
export interface ConfigIssue {
  /** Where: `images[1].repository`; empty for the config as a whole. */
  path: string;
  /** What would be right. */
  expected: string;
  /** What is there. */
  found: string;
}

export type CheckedConfig = { config: ChainConfig; issues: [] } | { config?: undefined; issues: ConfigIssue[] };

/** Checks a config and names everything that is wrong with it at once. Never throws. */
export function checkConfig(input: unknown): CheckedConfig {
  const parsed = configSchema.safeParse(input);
  const issues = [...(parsed.error?.issues.flatMap((issue) => describe(issue, input)) ?? []), ...findRelations(input)];
  if (parsed.data !== undefined && issues.length === 0) return { config: parsed.data, issues: [] };
  return { issues: issues.sort((a, b) => comparePaths(a.path, b.path)) };
}

/** The config as JSON Schema (draft 2020-12), for editors and other tools. */
export function configJsonSchema(): Record<string, unknown> {
  return { title: 'konflux.config', ...z.toJSONSchema(configSchema) };
}

/** `['images', 1, 'repository']` as `images[1].repository`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      const name = String(part);
      if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name)) return `[${JSON.stringify(name)}]`;
      return index === 0 ? name : `.${name}`;
    })
    .join('');
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

function describe(issue: z.core.$ZodIssue, input: unknown): ConfigIssue[] {
  const value = issue.path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined),
    input,
  );
  const path = formatPath(issue.path);
  const found = formatValue(value);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: formatPath([...issue.path, key]),
        expected: 'no such field',
        found: formatValue((value as Record<string, unknown>)[key]),
      }));
    case 'invalid_type':
      return [{ path, expected: TYPES[issue.expected] ?? `${issue.expected}`, found }];
    case 'invalid_value':
      return [{ path, expected: `one of ${issue.values.map(String).join(', ')}`, found }];
    case 'invalid_key':
      return [{ path, expected: issue.issues[0]?.message ?? issue.message, found: formatValue(issue.path.at(-1)) }];
    default:
      return [{ path, expected: issue.message, found }];
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  boolean: 'true or false',
};

function comparePaths(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
