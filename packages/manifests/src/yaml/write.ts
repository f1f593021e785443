import { Document, type Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';

/** What a rendered document is made of. A key whose value is undefined is left out; keys keep their order. */
export type Yaml = string | number | boolean | readonly Yaml[] | YamlMap | Noted;
export interface YamlMap {
  readonly [key: string]: Yaml | undefined;
}

/** A value with a comment above it. */
class Noted {
  readonly note: string;
  readonly value: Exclude<Yaml, Noted>;

  constructor(note: string, value: Exclude<Yaml, Noted>) {
    this.note = note;
    this.value = value;
  }
}

/** Puts a comment (one or more lines; none where it is undefined) above a map's entry or a list's item. */
export function noted(note: string | undefined, value: Exclude<Yaml, Noted>): Yaml {
  return note === undefined ? value : new Noted(note, value);
}

/**
 * Writes YAML documents, each with its start marked, that YAML 1.1 and YAML 1.2 parsers read as the same values:
 * Kubernetes reads 1.1 (where `no` is false and `1:20` is 80), editors and bots read 1.2 (where `0o17` is 15).
 */
export function writeYaml(documents: readonly YamlMap[]): string {
  const texts = documents.map((content) => {
    const document = new Document(undefined, { compat: 'yaml-1.1' });
    document.contents = nodeOf(content) as typeof document.contents;
    return document.toString({ directives: false, lineWidth: 0, doubleQuotedMinMultiLineLength: Infinity });
  });
  return texts.map((text) => `---\n${text.replace(UNPRINTABLE, escaped)}`).join('');
}

/** What the library lets through, and a YAML 1.1 parser takes for a line break, or for nothing that a text may have. */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;
/** What the library writes without quotes, and PyYAML does not read as that text: `=` is a type of its own there. */
const QUOTED = /^=$|[\t\u2028\u2029\ufeff\ufffe\uffff]/;
/** Lines without blanks at their ends: only these become a block, since nothing in them can get lost. */
const BLOCK = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\n(?:\n|[\x20-\x7e]*[\x21-\x7e]\n)*$/;

function nodeOf(value: Yaml): Node {
  if (value instanceof Noted) {
    const node = nodeOf(value.value);
    node.commentBefore = comment(value.note);
    return node;
  }
  if (typeof value !== 'object') return scalarOf(value);
  if (isList(value)) {
    const list = new YAMLSeq();
    list.items = value.map(nodeOf);
    return list;
  }
  const map = new YAMLMap();
  for (const [name, entry] of Object.entries(value)) {
    if (entry === undefined) continue;
    const key = scalarOf(name);
    // Above the key: a comment of the value itself would stand below it.
    if (entry instanceof Noted) key.commentBefore = comment(entry.note);
    map.items.push(new Pair(key, nodeOf(entry instanceof Noted ? entry.value : entry)));
  }
  return map;
}

function scalarOf(value: string | number | boolean): Scalar {
  const scalar = new Scalar(value);
  if (typeof value !== 'string') return scalar;
  if (QUOTED.test(value) || (value.includes('\n') && !BLOCK.test(value))) scalar.type = Scalar.QUOTE_DOUBLE;
  return scalar;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function comment(note: string): string {
  return note.replaceAll(/^(?=.)/gm, ' ');
}

function isList(value: Yaml): value is readonly Yaml[] {
  return Array.isArray(value);
}
