import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { reasonOf } from '@multi-image/kit/errors';
import { type Document, isNode, LineCounter, parseAllDocuments } from 'yaml';
import { type Problem, TektonLocalError } from '../errors.ts';
import { ALWAYS_KNOWN } from '../pac/variables.ts';
import { Field, isMap } from './field.ts';

/** No Tekton resource is larger: a cluster's own limit is 1.5 MiB. */
const MAX_BYTES = 1_500_000;

/** What means nothing in YAML, wherever it stands. */
const PLAIN_WORD = /^[A-Za-z0-9][\w./@+-]*$|^https?:\/\/[\w./@+-]*$/;

/** Where files are read: a folder, and nothing outside it; or texts by their paths. */
export type Checkout = string | ReadonlyMap<string, string>;

/** What `{{ name }}` stands for; undefined where the text stays as it is. */
export type VariableLookup = (name: string) => string | undefined;

/** The paths of the YAML files below a folder of the checkout, sorted. */
export function yamlFilesBelow(checkout: Checkout, folder: string): string[] {
  const isYaml = (file: string): boolean => /\.ya?ml$/.test(file);
  if (typeof checkout !== 'string') {
    return [...checkout.keys()].filter((file) => file.startsWith(`${folder}/`) && isYaml(file)).sort();
  }
  const base = join(checkout, folder);
  const files = existsSync(base) ? readdirSync(base, { recursive: true, encoding: 'utf8' }) : [];
  return files
    .filter(isYaml)
    .sort()
    .map((file) => join(folder, file));
}

/**
 * Reads all documents of a YAML file of the checkout. Symbolic links that lead outside it are refused. With `lookup`,
 * `{{ … }}` is replaced before the text is YAML, as Pipelines as Code does; but for values that are more than a word,
 * which are put in their place afterwards, so that a value stays a value whatever characters it has.
 */
export function loadDocuments(checkout: Checkout, file: string, problems: Problem[], lookup?: VariableLookup): Field[] {
  const text = typeof checkout === 'string' ? readConfined(checkout, file) : checkout.get(file);
  if (text === undefined) throw new TektonLocalError('FILE_NOT_READABLE', `there is no file ${file}`);
  const values: string[] = [];
  const mark = `tekton-local-variable-${Math.random().toString(36).slice(2)}-`;
  const marked = text.replace(/\{\{([^}]{2,})\}\}/g, (whole, inner: string, at: number) => {
    const name = inner.trim();
    const value = lookup?.(name);
    if (value !== undefined) return PLAIN_WORD.test(value) ? value : `${mark}${values.push(value) - 1}-`;
    if (lookup !== undefined && ALWAYS_KNOWN.has(name)) {
      const line = text.slice(0, at).split('\n').length;
      problems.push({ code: 'VARIABLE_UNKNOWN', file, path: '', line, message: `{{ ${name} }} has no value` });
    }
    return whole;
  });
  const pattern = new RegExp(`${mark}(\\d+)-`, 'g');
  const replacement = (_mark: string, index: string): string => values[Number(index)] ?? '';
  const lines = new LineCounter();
  // No merge keys and no custom tags: Kubernetes' own reader has neither. Few aliases: no bombs.
  const documents = parseAllDocuments(marked, { lineCounter: lines, uniqueKeys: true, merge: false, schema: 'core' });
  return [...documents].flatMap((document: Document) => {
    const broken = document.errors[0] ?? document.warnings[0];
    if (broken !== undefined) {
      throw new TektonLocalError('YAML_INVALID', `${file}: ${broken.message}`, { cause: broken });
    }
    const value = mapStrings(toPlain(document, file), (item) => item.replace(pattern, replacement));
    if (value === null || value === undefined) return [];
    return [new Field(value, { file, problems, lineOf: (keys) => lineOf(document, lines, keys) })];
  });
}

function readConfined(root: string, file: string): string {
  if (isAbsolute(file)) {
    throw new TektonLocalError('FILE_NOT_READABLE', `${file} is absolute`, { expected: `a path relative to ${root}` });
  }
  let bytes: Buffer;
  try {
    const base = realpathSync(root);
    const path = realpathSync(resolve(base, file));
    if (!isInside(base, path)) throw new TektonLocalError('FILE_NOT_READABLE', `${file} is outside ${root}`);
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof TektonLocalError) throw error;
    throw new TektonLocalError('FILE_NOT_READABLE', `cannot read ${file}`, { found: reasonOf(error), cause: error });
  }
  if (bytes.length > MAX_BYTES) {
    throw new TektonLocalError('YAML_INVALID', `${file} is too large`, {
      expected: `at most ${MAX_BYTES} bytes`,
      found: `${bytes.length} bytes`,
    });
  }
  return bytes.toString('utf8');
}

/** Whether a path is that folder or in it; both without links. */
export function isInside(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}

function toPlain(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new TektonLocalError('YAML_INVALID', `${file}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The line of a node, or of its nearest ancestor that is there. */
function lineOf(document: Document, lines: LineCounter, keys: readonly (string | number)[]): number | undefined {
  for (let length = keys.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(keys.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}

function mapStrings(value: unknown, replace: (text: string) => string): unknown {
  if (typeof value === 'string') return replace(value);
  if (Array.isArray(value)) return value.map((item: unknown) => mapStrings(item, replace));
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [replace(key), mapStrings(item, replace)]));
}
