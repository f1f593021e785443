import { quote } from './scalar.ts';

/** What a rendered document is made of. A key whose value is undefined is left out; keys keep their order. */
export type Yaml = string | number | boolean | readonly Yaml[] | YamlMap | Noted;
export interface YamlMap {
  readonly [key: string]: Yaml | undefined;
}

/** A value with a comment above it. */
export class Noted {
  readonly note: string;
  readonly value: Exclude<Yaml, Noted>;

  constructor(note: string, value: Exclude<Yaml, Noted>) {
    this.note = note;
    this.value = value;
  }
}

/** Puts a comment (one or more lines) above a map's entry or a list's item. */
export function noted(note: string, value: Exclude<Yaml, Noted>): Noted {
  return new Noted(note, value);
}

/** Writes YAML documents, each with its start marked. */
export function writeYaml(documents: readonly YamlMap[]): string {
  const lines: string[] = [];
  for (const document of documents) {
    lines.push('---');
    writeMap(document, '', lines);
  }
  return `${lines.join('\n')}\n`;
}

function writeMap(map: YamlMap, indent: string, lines: string[]): void {
  for (const [key, entry] of Object.entries(map)) {
    if (entry === undefined) continue;
    const value = withoutNote(entry, indent, lines);
    writeValue(`${indent}${quote(key)}:`, value, `${indent}  `, lines);
  }
}

function writeList(list: readonly Yaml[], indent: string, lines: string[]): void {
  for (const entry of list) {
    const value = withoutNote(entry, indent, lines);
    if (!isMap(value) || isEmpty(value)) {
      writeValue(`${indent}-`, value, `${indent}  `, lines);
      continue;
    }
    // A map in a list starts on the dash's own line.
    const nested: string[] = [];
    writeMap(value, `${indent}  `, nested);
    const first = nested.findIndex((line) => !line.trimStart().startsWith('#'));
    lines.push(...nested.slice(0, first).map((line) => line.slice(2)));
    lines.push(`${indent}- ${(nested[first] ?? '').slice(indent.length + 2)}`, ...nested.slice(first + 1));
  }
}

function writeValue(start: string, value: Exclude<Yaml, Noted>, indent: string, lines: string[]): void {
  if (Array.isArray(value)) {
    lines.push(value.length === 0 ? `${start} []` : start);
    writeList(value, indent, lines);
  } else if (isMap(value)) {
    lines.push(isEmpty(value) ? `${start} {}` : start);
    writeMap(value, indent, lines);
  } else if (typeof value === 'string' && isBlock(value)) {
    const text = value.slice(0, -1).split('\n');
    lines.push(`${start} |`, ...text.map((line) => (line === '' ? '' : indent + line)));
  } else {
    lines.push(`${start} ${typeof value === 'string' ? quote(value) : String(value)}`);
  }
}

function withoutNote(entry: Yaml, indent: string, lines: string[]): Exclude<Yaml, Noted> {
  if (!(entry instanceof Noted)) return entry;
  lines.push(...comment(entry.note, indent));
  return entry.value;
}

function comment(text: string, indent: string): string[] {
  return text.split('\n').map((line) => `${indent}# ${line}`.trimEnd());
}

function isMap(value: Yaml): value is YamlMap {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Noted);
}

function isEmpty(map: YamlMap): boolean {
  return Object.values(map).every((value) => value === undefined);
}

/** Whether a literal block gives the very string back: every line has its end, and nothing that YAML would eat. */
function isBlock(text: string): boolean {
  return (
    /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\n(?:\n|[\x20-\x7e]*[\x21-\x7e]\n)*$/.test(text) && !text.endsWith('\n\n')
  );
}
