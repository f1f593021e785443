import { dirname, relative, resolve } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { reasonOf } from '@multi-image/kit/errors';
import { TektonLocalError } from '../errors.ts';
import type { ParamValue } from '../plan/model.ts';
import { isInside } from '../plan/yaml-file.ts';
import type { PlanOptions } from '../plan-run.ts';

/** What every command takes. */
export const COMMON = { help: { type: 'boolean', short: 'h' } } as const;

/** What an event of Pipelines as Code is, and which checkout it is of. */
export const EVENT = {
  root: { type: 'string' },
  event: { type: 'string' },
  header: { type: 'string', multiple: true },
  changed: { type: 'string', multiple: true },
  comment: { type: 'string' },
  'target-branch': { type: 'string' },
  repository: { type: 'string' },
  variable: { type: 'string', multiple: true },
  secret: { type: 'string', multiple: true },
} as const;

/** What is put in the place of what the files name. */
export const GIVEN = {
  name: { type: 'string' },
  param: { type: 'string', multiple: true, short: 'p' },
  image: { type: 'string', multiple: true },
  workspace: { type: 'string', multiple: true, short: 'w' },
  task: { type: 'string', multiple: true },
  resolve: { type: 'string', multiple: true },
  configmap: { type: 'string', multiple: true },
  claim: { type: 'string', multiple: true },
  skip: { type: 'string', multiple: true },
  result: { type: 'string', multiple: true },
} as const;

/** How a run runs, and what it leaves. */
export const RUNNING = {
  registry: { type: 'string' },
  network: { type: 'string' },
  logs: { type: 'string' },
  status: { type: 'string' },
  junit: { type: 'string' },
  json: { type: 'boolean' },
  output: { type: 'string', short: 'o' },
  parallel: { type: 'string' },
  only: { type: 'string' },
  from: { type: 'string' },
  'rerun-failed': { type: 'boolean' },
  sign: { type: 'boolean' },
  'signing-key': { type: 'string' },
  'public-key': { type: 'string' },
  keep: { type: 'boolean' },
  plain: { type: 'boolean' },
  quiet: { type: 'boolean' },
} as const;

type Options = NonNullable<ParseArgsConfig['options']>;
export type Values<Table extends Options> = ReturnType<typeof parseArgs<{ options: Table }>>['values'];

/** The options and the rest of a command's arguments. Throws `USAGE`. */
export function parseOptions<Table extends Options>(
  args: readonly string[],
  options: Table,
): { values: Values<Table>; positionals: string[] } {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options }) as {
      values: Values<Table>;
      positionals: string[];
    };
  } catch (error) {
    throw new TektonLocalError('USAGE', reasonOf(error), { hint: 'tekton-local --help' });
  }
}

/**
 * The checkout folder, and files as paths in it. By default it is the folder above `.tekton`, or the one in which all of
 * the files are.
 */
export function inCheckout(root: string | undefined, paths: readonly string[]): { root: string; files: string[] } {
  const all = paths.map((path) => resolve(path));
  const [folder] = all.flatMap((path) => /^(.*)\/\.tekton(?:\/|$)/.exec(path)?.[1] ?? []);
  const found = resolve(root ?? folder ?? commonFolder(all.map((path) => dirname(path))));
  return { root: found, files: all.map((path) => relative(found, path)) };
}

/** The folder that all of them are in, or one of them itself; the first where that is no less than the whole machine. */
function commonFolder([first = '/', ...others]: readonly string[]): string {
  let folder = first;
  while (others.some((other) => !isInside(folder, other))) folder = dirname(folder);
  return folder === dirname(folder) ? first : folder;
}

/** The names and the values of `NAME=VALUE`. */
export function pairs(option: string, items: readonly string[] = []): [string, string][] {
  return items.map((item) => {
    const at = item.indexOf('=');
    if (at > 0) return [item.slice(0, at), item.slice(at + 1)];
    throw new TektonLocalError('USAGE', `${option} needs NAME=VALUE`, { found: item });
  });
}

/** What `NAME=VALUE` gives, by the names. */
export function named<Value>(
  option: string,
  items: readonly string[] | undefined,
  read: (text: string, name: string) => Value,
): Record<string, Value> {
  return Object.fromEntries(pairs(option, items).map(([name, text]) => [name, read(text, name)]));
}

/** A param's value: text, or JSON of texts. */
function paramValue(text: string, name: string): ParamValue {
  if (!/^[[{]/.test(text)) return text;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const items: unknown[] = typeof value === 'object' && value !== null ? Object.values(value) : [undefined];
  if (items.every((item) => typeof item === 'string')) return value as ParamValue;
  throw new TektonLocalError('USAGE', `--param ${name} is neither text nor JSON of strings`, { found: text });
}

/** Whether the output is to be JSON: `-o json`. */
export function isJson(output: string | undefined): boolean {
  if (output !== undefined && output !== 'json') {
    throw new TektonLocalError('USAGE', '--output needs json', { found: output });
  }
  return output === 'json';
}

/** A whole number from 1. */
export function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new TektonLocalError('USAGE', `${option} needs a number from 1`, { found: text });
}

/** What the options put in the place of what the files name. */
export function givenOptions(
  values: Values<typeof GIVEN> & { secret?: string[] | undefined },
): Omit<PlanOptions, 'root' | 'file'> {
  return {
    params: named('--param', values.param, paramValue),
    workspaces: named('--workspace', values.workspace, String),
    tasks: named('--task', values.task, (path) => ({ task: resolve(path) })),
    replacements: named('--resolve', values.resolve, (path) => resolve(path)),
    secrets: named('--secret', values.secret, (path) => resolve(path)),
    configMaps: named('--configmap', values.configmap, (path) => resolve(path)),
    claims: named('--claim', values.claim, (path) => resolve(path)),
    skip: skipped(values.skip, values.result),
  };
}

function skipped(
  tasks: readonly string[] = [],
  results: readonly string[] = [],
): Record<string, Record<string, ParamValue>> {
  const skip: Record<string, Record<string, ParamValue>> = Object.fromEntries(tasks.map((task) => [task, {}]));
  for (const [name, value] of Object.entries(named('--result', results, paramValue))) {
    const [, task = '', result = ''] = /^(.+?)\.(.+)$/.exec(name) ?? [];
    const of = Object.hasOwn(skip, task) ? skip[task] : undefined;
    if (of === undefined) {
      throw new TektonLocalError('USAGE', `--result needs TASK.RESULT=VALUE of a task that --skip names`, {
        found: name,
        expected: tasks.join(', ') || '--skip TASK',
      });
    }
    of[result] = value;
  }
  return skip;
}
