import { ManifestsError } from '../errors.ts';

/** Where a field's value stands in a config's source. */
interface Range {
  readonly start: number;
  readonly end: number;
}

const OPENING = '{[(';
const CLOSING = '}])';

/**
 * Sets text fields in the source of a config, and leaves every other character alone: comments, order, helpers.
 *
 * @param fields Dotted path to text: `{'git.url': 'https://…'}`.
 * @throws ManifestsError CONFIG_INVALID where a field is not a plain text, so that only a person can change it
 */
export function editConfig(source: string, fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields).reduce((text, [path, value]) => setField(text, path, value), source);
}

function setField(source: string, path: string, value: string): string {
  // JSON's escapes are JavaScript's; only the quotes change sides.
  const escaped = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  const literal = `'${escaped}'`;
  const parts = path.split('.');
  const key = parts.pop() ?? '';
  let object = findRoot(source);
  for (const part of parts) {
    const inner = findProperties(source, object.start).get(part);
    if (inner === undefined || source[inner.start] !== '{') throw notEditable(path, 'no object there');
    object = inner;
  }
  const range = findProperties(source, object.start).get(key);
  if (range === undefined) {
    const indent = /\n([ \t]*)\S/.exec(source.slice(object.start))?.[1] ?? '  ';
    const gap = source.slice(object.start, object.end).includes('\n') ? `\n${indent}` : ' ';
    return `${source.slice(0, object.start + 1)}${gap}${key}: ${literal},${source.slice(object.start + 1)}`;
  }
  const present = source.slice(range.start, range.end);
  if (!/^(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")$/.test(present)) throw notEditable(path, present);
  return source.slice(0, range.start) + literal + source.slice(range.end);
}

function findRoot(source: string): Range {
  const match = /^export\s+default\s+(?:defineConfig\s*\(\s*)?(?=\{)/m.exec(source);
  if (match === null) throw notEditable('the config', 'no `export default defineConfig({`');
  const start = match.index + match[0].length;
  return { start, end: skipValue(source, start) };
}

/** The properties of the object that starts at `start`, by name; computed and shorthand ones are passed over. */
function findProperties(source: string, start: number): Map<string, Range> {
  const properties = new Map<string, Range>();
  let at = skipBlank(source, start + 1);
  while (at < source.length && source[at] !== '}') {
    const match = /(?:([A-Za-z_$][\w$]*)|'([^'\\\n]*)'|"([^"\\\n]*)")\s*:/y;
    match.lastIndex = at;
    const found = match.exec(source);
    const valueStart = skipBlank(source, found === null ? at : match.lastIndex);
    const end = skipValue(source, valueStart);
    const name = found?.[1] ?? found?.[2] ?? found?.[3];
    if (name !== undefined) properties.set(name, { start: valueStart, end });
    at = skipBlank(source, end);
    if (source[at] === ',') at = skipBlank(source, at + 1);
    else if (end === valueStart) break;
  }
  return properties;
}

/** The end of the expression at `start`: the comma or bracket that ends it, without blanks and comments before. */
function skipValue(source: string, start: number): number {
  let depth = 0;
  let end = start;
  for (let at = start; at < source.length; ) {
    const blank = skipBlank(source, at);
    if (blank !== at) {
      at = blank;
      continue;
    }
    const character = source[at] ?? '';
    if (depth === 0 && (character === ',' || CLOSING.includes(character))) return end;
    if (OPENING.includes(character)) depth += 1;
    if (CLOSING.includes(character)) depth -= 1;
    at = `'"\``.includes(character) ? skipText(source, at) : at + 1;
    end = at;
    if (depth === 0 && character === '}' && source[start] === '{') return end;
  }
  return end;
}

function skipText(source: string, start: number): number {
  for (let at = start + 1; at < source.length; at += 1) {
    if (source[at] === '\\') at += 1;
    else if (source[at] === source[start]) return at + 1;
  }
  return source.length;
}

function skipBlank(source: string, start: number): number {
  const blank = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
  blank.lastIndex = start;
  blank.exec(source);
  return blank.lastIndex;
}

function notEditable(path: string, found: string): ManifestsError {
  return new ManifestsError('CONFIG_INVALID', `${path} can't be set by a command`, {
    expected: 'a plain text in konflux.config.ts',
    found: found.length > 80 ? `${found.slice(0, 80)}…` : found,
    hint: 'edit konflux.config.ts by hand',
  });
}
