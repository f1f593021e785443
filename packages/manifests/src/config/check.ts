import { z } from 'zod';
import { type ConfigIssue, formatValue } from './issue.ts';
import { findRelations } from './relations.ts';
import { type ChainConfig, configSchema } from './schema.ts';
import { findMissingWays } from './ways.ts';

export type CheckedConfig = { config: ChainConfig; issues: [] } | { config?: undefined; issues: ConfigIssue[] };

/** Checks a config and names everything that is wrong with it at once. Never throws. */
export function checkConfig(input: unknown): CheckedConfig {
  const parsed = configSchema.safeParse(input);
  const issues = [...(parsed.error?.issues.flatMap((issue) => describe(issue, input)) ?? []), ...findRelations(input)];
  if (parsed.data !== undefined && issues.length === 0) issues.push(...findMissingWays(parsed.data));
  if (parsed.data !== undefined && issues.length === 0) return { config: parsed.data, issues: [] };
  return { issues: issues.sort((a, b) => comparePaths(a.path, b.path)) };
}

/** The config as JSON Schema (draft 2020-12), for editors and other tools. */
export function configJsonSchema(): Record<string, unknown> {
  return { title: 'konflux.config', ...z.toJSONSchema(configSchema) };
}

/** `['images', 1, 'repository']` as `images[1].repository`. */
function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      const name = String(part);
      if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name)) return `[${JSON.stringify(name)}]`;
      return index === 0 ? name : `.${name}`;
    })
    .join('');
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
