import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { reasonOf } from '@multi-image/kit/errors';
import { type Problem, TektonLocalError } from '../errors.ts';
import { ALWAYS_KNOWN, replaceVariables } from '../pac/variables.ts';
import { Field } from './yaml/field.ts';
import { readYaml, type YamlDocument, YamlError } from './yaml/kubernetes-yaml.ts';

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
  return existsSync(base)
    ? filesBelow(realpathSync(checkout), base)
        .filter(isYaml)
        .sort()
        .map((file) => join(folder, file))
    : [];
}

/** The files below a folder; by a link, where that leads to a folder in `root` that was not looked at yet. */
export function filesBelow(root: string, folder: string): string[] {
  const seen = new Set<string>();
  const look = (path: string): string[] => {
    const real = realpathSync(join(folder, path));
    if (seen.has(real) || !isInside(root, real)) return [];
    seen.add(real);
    return readdirSync(real, { withFileTypes: true }).flatMap((entry) => {
      const below = join(path, entry.name);
      const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && leadsToFolder(join(real, entry.name)));
      return isFolder ? look(below) : [below];
    });
  };
  return look('.');
}

function leadsToFolder(link: string): boolean {
  try {
    return statSync(link).isDirectory();
  } catch {
    // It leads nowhere, or to itself.
    return false;
  }
}

/**
 * Reads all documents of a YAML file of the checkout. Symbolic links that lead outside it are refused. With `lookup`,
 * `{{ … }}` is replaced before the text is YAML, as Pipelines as Code does: a value may escape the quotes around it, or
 * have escapes in it, and the file then says what it says in a cluster.
 *
 * @param notes Gets what is odd and no problem.
 */
export function loadDocuments(
  checkout: Checkout,
  file: string,
  problems: Problem[],
  lookup?: VariableLookup,
  notes: string[] = [],
): Field[] {
  const text = loadText(checkout, file);
  const values: string[] = [];
  const mark = `tekton-local-variable-${Math.random().toString(36).slice(2)}-`;
  const lineOf = lineCounter(text);
  let isUnknown = false;
  const replace = (read: (value: string) => string): string =>
    replaceVariables(text, (whole, inner, at) => {
      const name = inner.trim();
      const value = lookup?.(name);
      if (value !== undefined) return PLAIN_WORD.test(value) ? value : read(value);
      if (lookup === undefined || !ALWAYS_KNOWN.has(name)) return whole;
      if (!isUnknown) {
        problems.push({
          code: 'VARIABLE_UNKNOWN',
          file,
          path: '',
          ...lineOf(at),
          message: `{{ ${name} }} has no value`,
        });
      }
      // So that the rest can be read, and what else is wrong is told with it.
      return read(whole);
    });
  const marked = replace((value) => `${mark}${values.push(value) - 1}-`);
  isUnknown = problems.some(({ code }) => code === 'VARIABLE_UNKNOWN');
  const pattern = new RegExp(`${mark}(\\d+)-`, 'g');
  const replacement = (_mark: string, index: string): string => values[Number(index)] ?? '';
  const whole = parseFile(file, marked, (item) => item.replace(pattern, replacement));
  const isPlain = values.length === 0 || isUnknown;
  const documents = isPlain
    ? whole
    : asReplaced(
        file,
        whole,
        replace((value) => value),
        notes,
      );
  return documents.map((document) => {
    for (const { key, place } of document.duplicates) {
      notes.push(`${file}:${place.line}:${place.column}: ${key} is there twice, and the last one counts`);
    }
    return new Field(document.value, { file, problems, placeOf: (keys) => document.placeOf(keys) });
  });
}

/** The documents of a text in which values were put, whatever they do to it. */
function asReplaced(file: string, whole: YamlDocument[], text: string, notes: string[]): YamlDocument[] {
  let replaced: YamlDocument[];
  try {
    replaced = parseFile(file, text, (item) => item);
  } catch (error) {
    if (!(error instanceof TektonLocalError)) throw error;
    throw new TektonLocalError('YAML_INVALID', `${error.message}, once {{ variables }} are replaced`, {
      hint: 'a value that may have quotes or lines of its own is safe in the environment of a step alone',
      cause: error,
    });
  }
  if (!haveSameShape(valuesOf(whole), valuesOf(replaced))) {
    notes.push(`${file}: the values of {{ variables }} change what is in it, as they would in a cluster`);
  }
  return replaced.map((document, index) => ({
    ...document,
    placeOf: (keys) => (whole[index] ?? document).placeOf(keys),
  }));
}

const valuesOf = (documents: readonly YamlDocument[]): unknown[] => documents.map(({ value }) => value);

/** Whether two values differ in their texts alone. */
function haveSameShape(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return typeof a === typeof b;
  const [of, to] = [Object.entries(a), Object.entries(b)];
  return (
    of.length === to.length &&
    of.every(([key, value], index) => to[index]?.[0] === key && haveSameShape(value, to[index][1]))
  );
}

/** Tells line and column of places of a text that are asked for in their order. */
function lineCounter(text: string): (at: number) => { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  return (at) => {
    for (let end = text.indexOf('\n', lineStart); end !== -1 && end < at; end = text.indexOf('\n', lineStart)) {
      line++;
      lineStart = end + 1;
    }
    return { line, column: at - lineStart + 1 };
  };
}

/** Whether the checkout has a file. */
export function isThere(checkout: Checkout, file: string): boolean {
  return typeof checkout === 'string' ? existsSync(join(checkout, file)) : checkout.has(file);
}

/** The text of a file of the checkout. Symbolic links that lead outside it are refused. */
export function loadText(checkout: Checkout, file: string): string {
  const text = typeof checkout === 'string' ? readConfined(checkout, file) : checkout.get(file);
  if (text === undefined) throw new TektonLocalError('FILE_NOT_READABLE', `there is no file ${file}`);
  return text;
}

function parseFile(file: string, text: string, read: (text: string) => string): YamlDocument[] {
  try {
    return readYaml(text, read);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const { line, column } = error.place ?? { line: 1, column: 1 };
    throw new TektonLocalError('YAML_INVALID', `${file}:${line}:${column}: ${error.message}`, { cause: error });
  }
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
    const stat = statSync(path);
    // To open a pipe is to wait for whoever writes to it.
    if (!stat.isFile()) throw new TektonLocalError('FILE_NOT_READABLE', `${file} is no file`);
    if (stat.size > MAX_BYTES) throw tooLarge(file, stat.size);
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof TektonLocalError) throw error;
    throw new TektonLocalError('FILE_NOT_READABLE', `cannot read ${file}`, { found: reasonOf(error), cause: error });
  }
  return bytes.toString('utf8');
}

function tooLarge(file: string, size: number): TektonLocalError {
  return new TektonLocalError('YAML_INVALID', `${file} is too large`, {
    expected: `at most ${MAX_BYTES} bytes`,
    found: `${size} bytes`,
  });
}

/** Whether a path is that folder or in it; both without links. */
export function isInside(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}
