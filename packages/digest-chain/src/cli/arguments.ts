import type { parseArgs as ParseArgs, ParseArgsConfig } from 'node:util';
import { parseDuration } from '../../../kit/src/durations.ts';
import { reasonOf } from '../../../kit/src/errors.ts';
import { printable, printableJson } from '../../../kit/src/terminal.ts';
import { DigestChainError } from '../errors.ts';
import { isRole } from '../label-names.ts';
import type { LinkedImage } from '../linked-image.ts';
import { parseDigestReference, parseReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import type { Registry, Repository } from '../registry/registry.ts';
import { isRunName } from '../statement/chain.ts';

// An import would load all that node:util exports, threads among it, which takes longer than all that is done here.
const { parseArgs } = process.getBuiltinModule('node:util');
const fs = process.getBuiltinModule('node:fs');
const { dirname } = process.getBuiltinModule('node:path');

/** The options of every verb; `--help` is answered before a verb is loaded. */
export const COMMON = {
  json: { type: 'boolean' },
  prefix: { type: 'string' },
  'plain-http': { type: 'boolean' },
  'plain-http-at': { type: 'string', multiple: true },
  'ca-file': { type: 'string' },
  'auth-file': { type: 'string' },
} as const;

/** The options of verbs that answer with an image: files for its url and digest. */
export const RESULTS = {
  'result-url': { type: 'string' },
  'result-digest': { type: 'string' },
} as const;

type Options = NonNullable<ParseArgsConfig['options']>;
/** What the options of a verb were given. */
export type Values<T extends Options> = Partial<Parsed<T>['values']>;
type Parsed<T extends Options> = ReturnType<typeof ParseArgs<{ options: T; allowPositionals: true; strict: true }>>;

/**
 * Parses the arguments of a verb; throws `USAGE` for what is not known, is empty, or has no value, and `FILE_UNWRITABLE` for
 * a result that can't be written: nobody would be told of what was published.
 */
export function parseArguments<const T extends Options>(args: readonly string[], options: T): Parsed<T> {
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    for (const [name, value] of Object.entries(parsed.values)) {
      if ([value].flat().includes('')) throw usage(`--${name} has no value`);
      if (name.startsWith('result-') && typeof value === 'string') demandWritable(value);
    }
    return parsed;
  } catch (error) {
    if (error instanceof DigestChainError || !(error instanceof Error)) throw error;
    throw usage(error.message.split('\n')[0] ?? '');
  }
}

/** The one positional argument, an image. */
export function oneImage(positionals: readonly string[]): string {
  const [first] = positionals;
  if (first !== undefined && positionals.length === 1) return first;
  throw usage(positionals.length === 0 ? 'no image given' : 'more than one image given');
}

/** The arguments are wrong; the verb's help is what shows how they would be right. */
export function usage(reason: string): DigestChainError {
  return new DigestChainError('USAGE', reason);
}

/** Milliseconds of a duration such as `90s`, `30m` or `1h30m`. */
export function durationOf(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) throw usage(`not a duration: ${text} (write 90s, 30m or 2h)`);
  return milliseconds;
}

/** A repository alone: what it holds is named by other arguments. */
export function parseRepository(option: string, text: string): Repository {
  const { registry, repository, tag, digest } = parseReference(text);
  if (tag === undefined && digest === undefined) return { registry, repository };
  throw usage(`${option} is not a repository without tag and digest: ${text}`);
}

/** Writes a Tekton result, or any other file: exactly these bytes, no newline at the end. */
export async function writeOutput(path: string | undefined, content: string | Uint8Array): Promise<void> {
  if (path === undefined) return;
  try {
    await fs.promises.writeFile(path, content);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** Only looks: an empty file would be a result. */
function demandWritable(path: string): void {
  try {
    const there = fs.statSync(path, { throwIfNoEntry: false });
    // As writing to it would fail.
    if (there?.isDirectory()) fs.readFileSync(path);
    fs.accessSync(there === undefined ? `${dirname(path)}/.` : path, fs.constants.W_OK);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

function unwritable(path: string, cause: unknown): DigestChainError {
  const found = reasonOf(cause);
  return new DigestChainError('FILE_UNWRITABLE', `a file could not be written: ${path}`, { found, cause });
}

/** The registry client that the options of a verb ask for. */
export function connect(values: Values<typeof COMMON>): Registry {
  const { 'plain-http': all, 'plain-http-at': some, 'ca-file': caFile, 'auth-file': authFile } = values;
  const onWarning = (registry: string, text: string): void => {
    process.stderr.write(`warning: ${registry} says: ${printable(text)}\n`);
  };
  return createRegistry({ plainHttp: all ?? some, caFile, authFile, onWarning });
}

/** Reads `<role>=<image>`. */
function parseLinked(text: string): LinkedImage {
  const { role, named } = parseRole('not <role>=<image>', text);
  return { role, image: parseDigestReference(named) };
}

/** The same of several, each role once. */
export function parseAllLinked(texts: readonly string[]): readonly LinkedImage[] {
  const all = texts.map((text) => parseLinked(text));
  const twice = all.find(({ role }, at) => all.findIndex((other) => other.role === role) !== at);
  if (twice === undefined) return all;
  throw usage(`${twice.role} is given twice`);
}

/** The value of `--pipeline-run`, which the chain statement names; throws `USAGE` for what names no run. */
export function runName(text: string | undefined): string | undefined {
  if (text === undefined || isRunName(text)) return text;
  throw usage(`--pipeline-run is no name of a PipelineRun: ${text}`);
}

/** Reads `<role>=…`. */
export function parseRole(problem: string, text: string): { role: string; named: string } {
  const at = text.indexOf('=');
  const role = text.slice(0, Math.max(at, 0));
  if (!isRole(role)) throw usage(`${problem}: ${text}`);
  return { role, named: text.slice(at + 1) };
}

/** Writes the files that a pipeline asked for, and prints what a verb made, as these lines or as JSON. */
export async function printResult(
  values: Values<typeof RESULTS & typeof COMMON>,
  result: { readonly url: string; readonly digest: string },
  lines: readonly string[],
): Promise<number> {
  await writeOutput(values['result-url'], result.url);
  await writeOutput(values['result-digest'], result.digest);
  const text = values.json ? printableJson(result) : lines.map((line) => printable(line)).join('\n');
  process.stdout.write(`${text}\n`);
  return 0;
}
