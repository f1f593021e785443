/** What a YAML file says, before anything has a type. */
export type YamlNode = ScalarNode | ListNode | ObjectNode | AliasNode;

interface Placed {
  /** Where it starts in the text; negative where that is unknown. */
  offset: number;
}

export interface ScalarNode extends Placed {
  kind: 'scalar';
  text: string;
  /** Whether it has no quotes and is no block. */
  plain: boolean;
  tag?: string | undefined;
}

export interface ListNode extends Placed {
  kind: 'list';
  items: YamlNode[];
}

export interface ObjectNode extends Placed {
  kind: 'object';
  pairs: [key: YamlNode, value: YamlNode][];
}

export interface AliasNode extends Placed {
  kind: 'alias';
  /** What it stands for; undefined where nothing has that anchor. */
  target?: YamlNode | undefined;
}

/** What readers differ in, and what is rare: tabs, other ends of lines, what is no character, directives, ends of documents. */
const RARE = /[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]|^%|^\.\.\./mu;

/** What a scalar without quotes can't start with. */
const INDICATOR = /[-?:,[\]{}#&*!|>'"%@`]/;

/**
 * The documents of YAML as almost everybody writes it: a line at a time, in a small part of the time that the whole language
 * takes. Undefined for anything else, right or wrong.
 */
export function quickNodes(text: string): YamlNode[] | undefined {
  if (RARE.test(text) || !text.endsWith('\n')) return undefined;
  try {
    return new Lines(text).documents();
  } catch (error) {
    // Too deep is a matter of the other reader, too.
    if (error === UNUSUAL || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Thrown for what only the other reader knows. */
const UNUSUAL = Symbol('unusual YAML');

/** The lines of a text, one of which is being read. */
class Lines {
  readonly #text: string;
  /** Where the line starts and ends in the text; what it says, and at which column; less than 0 at the end of a document. */
  #start = 0;
  #end = 0;
  #line = '';
  #indent = -1;
  /** The column in the line up to which it was read. */
  #column = 0;

  constructor(text: string) {
    this.#text = text;
  }

  documents(): YamlNode[] {
    const documents: YamlNode[] = [];
    for (this.#next(0); this.#line !== ''; ) {
      if (this.#indent >= 0) documents.push(this.#node(this.#indent, -1));
      if (this.#indent >= 0) throw UNUSUAL;
      if (this.#line !== '') this.#nextAfter(3);
    }
    return documents;
  }

  /** Goes to the first line from an offset that says something; to an empty one at the end of the text. */
  #next(offset: number): void {
    const text = this.#text;
    for (let start = offset; start < text.length; ) {
      const end = text.indexOf('\n', start);
      const first = skipSpaces(text, start);
      if (first !== end && text[first] !== '#') {
        this.#start = start;
        this.#end = end;
        this.#line = text.slice(start, end);
        this.#indent = /^---(?: |$)/.test(this.#line) ? -1 : first - start;
        return;
      }
      start = end + 1;
    }
    this.#line = '';
    this.#indent = -1;
  }

  /** Goes on after a line that has nothing more from that column but a comment. */
  #nextAfter(column: number): void {
    if (!this.#isOver(column)) throw UNUSUAL;
    this.#next(this.#end + 1);
  }

  #isOver(column: number): boolean {
    const first = skipSpaces(this.#line, column);
    return first === this.#line.length || (this.#line[first] === '#' && first > column);
  }

  /** What starts at a column, inside of what is at a lesser one. */
  #node(column: number, parent: number): YamlNode {
    if (this.#isItem(column)) return this.#list(column);
    const colon = this.#colonAfter(column);
    return colon < 0 ? this.#inline(column, parent) : this.#object(column, colon);
  }

  #isItem(column: number): boolean {
    return this.#line[column] === '-' && (this.#line[column + 1] ?? ' ') === ' ';
  }

  #list(column: number): ListNode {
    const list: ListNode = { kind: 'list', items: [], offset: this.#start + column };
    do {
      const first = skipSpaces(this.#line, column + 1);
      if (!this.#isOver(column + 1)) list.items.push(this.#node(first, column));
      else {
        this.#next(this.#end + 1);
        // Where an item is that is nothing, only the other reader knows.
        if (this.#indent <= column) throw UNUSUAL;
        list.items.push(this.#node(this.#indent, column));
      }
      if (this.#indent > column) throw UNUSUAL;
    } while (this.#indent === column && this.#isItem(column));
    return list;
  }

  #object(column: number, firstColon: number): ObjectNode {
    const object: ObjectNode = { kind: 'object', pairs: [], offset: this.#start + column };
    for (let colon = firstColon; ; colon = this.#colonAfter(column)) {
      if (colon < 0) throw UNUSUAL;
      const key = this.#key(column, colon);
      const first = skipSpaces(this.#line, colon + 1);
      if (!this.#isOver(colon + 1)) object.pairs.push([key, this.#inline(first, column)]);
      else {
        this.#next(this.#end + 1);
        const isBelow = this.#indent > column || (this.#indent === column && this.#isItem(column));
        object.pairs.push([key, isBelow ? this.#node(this.#indent, column) : NOTHING]);
      }
      if (this.#indent < column) return object;
      if (this.#indent > column || this.#isItem(column)) throw UNUSUAL;
    }
  }

  /** Where the colon is of a key that starts at a column; less than 0 where there is no key. */
  #colonAfter(column: number): number {
    const line = this.#line;
    const start = line[column];
    if (start === '"' || start === "'") {
      const end = line.indexOf(start, column + 1) + 1;
      return end > 0 && line[end] === ':' && (line[end + 1] ?? ' ') === ' ' ? end : -1;
    }
    if (INDICATOR.test(start ?? '')) return -1;
    const within = line.indexOf(': ', column);
    const colon = within < 0 && line.endsWith(':') ? line.length - 1 : within;
    const comment = line.indexOf(' #', column);
    return comment < 0 || colon < comment ? colon : -1;
  }

  #key(column: number, colon: number): ScalarNode {
    const line = this.#line;
    const offset = this.#start + column;
    // Longer ones are no keys.
    if (line[colon - 1] === ' ' || colon - column > 1000) throw UNUSUAL;
    if (line[column] !== '"' && line[column] !== "'") return scalar(line.slice(column, colon), offset, true);
    const text = line.slice(column + 1, colon - 1);
    if (text.includes('\\')) throw UNUSUAL;
    return scalar(text, offset, false);
  }

  /** What has no lines of its own, or is a text of several. */
  #inline(column: number, parent: number): YamlNode {
    const start = this.#line[column];
    if (start === '|' || start === '>') return this.#block(column, parent);
    if (start !== '"' && start !== "'" && start !== '[' && start !== '{') return this.#plain(column, parent);
    this.#column = column;
    const node = this.#flow(parent);
    this.#nextAfter(this.#column);
    return node;
  }

  /** A text without quotes, in as many lines as are further in than what it is in. */
  #plain(column: number, parent: number): ScalarNode {
    const offset = this.#start + column;
    if (!isPlainStart(this.#line, column)) throw UNUSUAL;
    let text = this.#plainLine(column);
    while (this.#column === this.#line.length) {
      const fold = this.#fold();
      if (this.#indent <= parent) return scalar(text, offset, true);
      // After a comment there is no more of it.
      if (fold === undefined || this.#isItem(this.#indent)) throw UNUSUAL;
      text += fold + this.#plainLine(this.#indent);
    }
    this.#nextAfter(this.#column);
    return scalar(text, offset, true);
  }

  /** Goes to the next line of a text, and says what their end stands for; undefined where a comment is between them. */
  #fold(): string | undefined {
    const from = this.#end + 1;
    this.#next(from);
    if (this.#start === from) return ' ';
    const between = this.#text.slice(from, this.#start);
    if (between.includes('#')) return undefined;
    return '\n'.repeat(between.split('\n').length - 1);
  }

  /** What a line says from a column, up to a comment. */
  #plainLine(column: number): string {
    const comment = this.#line.indexOf(' #', column);
    const text = withoutSpaces(this.#line.slice(column, comment < 0 ? undefined : comment));
    if (text.includes(': ') || text.endsWith(':')) throw UNUSUAL;
    this.#column = comment < 0 ? this.#line.length : comment;
    return text;
  }

  /** The lines after `|` or `>`. */
  #block(column: number, parent: number): ScalarNode {
    const offset = this.#start + column;
    const [, style, chomping] = /^([|>])([-+]?)(?: *$| +#)/.exec(this.#line.slice(column)) ?? [];
    if (style === undefined || parent < 0) throw UNUSUAL;
    const lines: string[] = [];
    let indent = -1;
    let start = this.#end + 1;
    for (let end = 0; start < this.#text.length; start = end + 1) {
      end = this.#text.indexOf('\n', start);
      const first = skipSpaces(this.#text, start);
      if (first === end) {
        // Spaces of its own, or more than its first line has.
        if (indent < 0 ? first > start : first > start + indent) throw UNUSUAL;
        lines.push('');
        continue;
      }
      if (indent < 0) indent = first - start;
      if (indent <= parent) throw UNUSUAL;
      if (first - start < indent) break;
      if (style === '>' && first - start > indent) throw UNUSUAL;
      lines.push(this.#text.slice(start + indent, end));
    }
    this.#next(start);
    const last = lines.findLastIndex((line) => line !== '') + 1;
    if (last === 0) throw UNUSUAL;
    const blank = chomping === '-' ? 0 : chomping === '+' ? 1 + lines.length - last : 1;
    const said = lines.slice(0, last);
    return scalar((style === '|' ? said.join('\n') : folded(said)) + '\n'.repeat(blank), offset, false);
  }

  /** What is in quotes or brackets. */
  #flow(parent: number): YamlNode {
    const offset = this.#start + this.#column;
    const start = this.#line[this.#column];
    if (start === '"' || start === "'") return scalar(this.#quoted(start, parent), offset, false);
    if (start === '[') {
      const list: ListNode = { kind: 'list', items: [], offset };
      this.#members(']', parent, () => list.items.push(this.#flow(parent)));
      return list;
    }
    if (start === '{') {
      const object: ObjectNode = { kind: 'object', pairs: [], offset };
      this.#members('}', parent, () => {
        const key = this.#flow(parent);
        const isKey = key.kind === 'scalar' && this.#line[this.#column] === ':';
        if (!isKey || (this.#line[++this.#column] ?? ' ') !== ' ') throw UNUSUAL;
        this.#skipBlank(parent);
        object.pairs.push([key, this.#flow(parent)]);
      });
      return object;
    }
    const [text] = /^(?:[^,[\]{}:#]|:[^ ,[\]{}])+/.exec(this.#line.slice(this.#column)) ?? [];
    if (text === undefined || !isPlainStart(this.#line, this.#column)) throw UNUSUAL;
    const said = withoutSpaces(text);
    this.#column += said.length;
    return scalar(said, offset, true);
  }

  /** Reads what is between commas up to a bracket. */
  #members(close: string, parent: number, read: () => void): void {
    let mark: string | undefined;
    do {
      this.#column++;
      this.#skipBlank(parent);
      if (this.#line[this.#column] === close) break;
      read();
      this.#skipBlank(parent);
      mark = this.#line[this.#column];
    } while (mark === ',');
    if (this.#line[this.#column] !== close) throw UNUSUAL;
    this.#column++;
  }

  /** Goes to what is next in brackets, on this line or on one that is further in than what they are in. */
  #skipBlank(parent: number): void {
    if (this.#isOver(this.#column)) {
      this.#next(this.#end + 1);
      if (this.#indent <= parent) throw UNUSUAL;
      this.#column = this.#indent;
    } else this.#column = skipSpaces(this.#line, this.#column);
  }

  #quoted(quote: string, parent: number): string {
    let said = '';
    let from = this.#column + 1;
    for (let end = endOfQuote(this.#line, from, quote); ; end = endOfQuote(this.#line, from, quote)) {
      said += end < 0 ? withoutSpaces(this.#line.slice(from)) : this.#line.slice(from, end);
      this.#column = end + 1;
      if (end >= 0) break;
      const fold = this.#fold();
      if (fold === undefined || this.#indent <= parent || said.endsWith('\\')) throw UNUSUAL;
      said += fold;
      from = this.#indent;
    }
    if (quote === "'") return said.replaceAll("''", "'");
    if (!said.includes('\\')) return said;
    // What JSON has as well.
    if (!/^(?:[^\\]|\\(?:["\\/nt]|u(?![dD][89a-fA-F])[\da-fA-F]{4}))*$/.test(said)) throw UNUSUAL;
    return JSON.parse(`"${said.replaceAll('\n', '\\n')}"`) as string;
  }
}

/** Where a text in quotes ends that has started before; less than 0 where it does not. */
function endOfQuote(line: string, from: number, quote: string): number {
  for (let at = from; at < line.length; at++) {
    if (line[at] === '\\' && quote === '"') at++;
    else if (line[at] === quote) {
      if (quote === '"' || line[at + 1] !== quote) return at;
      at++;
    }
  }
  return -1;
}

const NOTHING: ScalarNode = { kind: 'scalar', text: '', plain: true, offset: -1 };

function scalar(text: string, offset: number, plain: boolean): ScalarNode {
  return { kind: 'scalar', text, plain, offset };
}

function skipSpaces(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === 0x20) at++;
  return at;
}

/** A text without the spaces at its end: no other character is one in YAML. */
function withoutSpaces(text: string): string {
  let end = text.length;
  while (text[end - 1] === ' ') end--;
  return text.slice(0, end);
}

/** Whether a scalar without quotes may start there. */
function isPlainStart(line: string, column: number): boolean {
  const [start = '', next = ' '] = [line[column], line[column + 1]];
  return /[-?:]/.test(start) ? /[\w./+-]/.test(next) : start !== '' && !INDICATOR.test(start);
}

/** Lines that are one, where none is empty between them. */
function folded(lines: readonly string[]): string {
  return lines.reduce((text, line, index) => {
    if (line === '') return `${text}\n`;
    return index === 0 || lines[index - 1] === '' ? text + line : `${text} ${line}`;
  }, '');
}
