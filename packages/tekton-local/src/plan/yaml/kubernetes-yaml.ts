import { type AliasNode, type ObjectNode, quickNodes, type ScalarNode, type YamlNode } from './nodes.ts';
import { wholeNodes } from './nodes-whole.ts';

/** Where something is in a file; both count from 1. */
export interface Place {
  line: number;
  column: number;
}

/** The keys and indexes that lead to a value. */
export type Keys = readonly (string | number)[];

/** A document of a YAML file. */
export interface YamlDocument {
  /**
   * What JSON can say: strings, booleans, null, numbers (bigint where a number would lose digits), lists and objects,
   * whose keys are strings and have no prototype's names.
   */
  readonly value: unknown;
  /** Where a value is, or the nearest that is there of those around it. */
  placeOf(keys: Keys): Place | undefined;
  /** Keys that are twice in one object; as in Kubernetes, the last one counts. */
  readonly duplicates: readonly { readonly key: string; readonly place: Place }[];
}

/** Thrown for what Kubernetes' reader refuses as well. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
  readonly place: Place | undefined;

  constructor(message: string, place?: Place, options?: ErrorOptions) {
    super(message, options);
    this.place = place;
  }
}

/** Values through aliases: what has more, or little else, is a bomb. */
const MOST_VALUES = 400_000;
const MOST_ALIASED = 0.99;

/** How deep lists and objects may be in each other: far beyond what Kubernetes' objects are, and far from what ends a program. */
const DEEPEST = 500;

/**
 * Reads YAML as Kubernetes does (sigs.k8s.io/yaml): as YAML 1.1, and as far as JSON can say it. So `yes` is true, `0644`
 * is 420, `1_000` is 1000, `~` is null, the key `on` is "true", and `<<` merges.
 *
 * @param read Gives each string its final text, keys too.
 * @throws YamlError where that reader fails too.
 */
export function readYaml(text: string, read: (text: string) => string = (same) => same): YamlDocument[] {
  const at = placesIn(text);
  return nodesOf(text, at).flatMap((root) => {
    if (root === undefined) return [];
    const reader = new Reader(at, read);
    const value = reader.valueOf(root);
    if (value === null) return [];
    return [{ value, duplicates: reader.duplicates, placeOf: (keys) => reader.placeOf(root, keys) }];
  });
}

function nodesOf(text: string, at: (offset: number) => Place | undefined): (YamlNode | undefined)[] {
  const quick = quickNodes(text);
  if (quick !== undefined) return quick;
  return wholeNodes(text).map((document) => {
    if ('root' in document) return document.root;
    throw new YamlError(document.broken, at(document.offset), { cause: document.cause });
  });
}

/** Tells places by their offsets: a file may have as many problems as lines. */
function placesIn(text: string): (offset: number) => Place | undefined {
  let starts: number[] | undefined;
  return (offset) => {
    if (offset < 0) return undefined;
    starts ??= [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
    let [from, to] = [0, starts.length];
    while (to - from > 1) {
      const middle = (from + to) >> 1;
      if ((starts[middle] ?? 0) <= offset) from = middle;
      else to = middle;
    }
    return { line: from + 1, column: offset - (starts[from] ?? 0) + 1 };
  };
}

interface Child {
  key?: YamlNode;
  value: YamlNode;
}

class Reader {
  readonly #at: (offset: number) => Place | undefined;
  readonly #read: (text: string) => string;
  readonly duplicates: { key: string; place: Place }[] = [];
  #values = 0;
  #aliased = 0;
  #aliases = 0;
  #depth = 0;
  readonly #children = new Map<ObjectNode, Map<string, Child>>();

  constructor(at: (offset: number) => Place | undefined, read: (text: string) => string) {
    this.#at = at;
    this.#read = read;
  }

  valueOf(node: YamlNode): unknown {
    this.#count(node);
    if (node.kind === 'scalar') return this.#scalarOf(node);
    if (node.kind === 'alias') {
      const target = this.#targetOf(node);
      this.#aliases++;
      if (this.#aliases > 100) throw this.#error('an anchor contains itself', node);
      const value = this.valueOf(target);
      this.#aliases--;
      return value;
    }
    this.#depth++;
    if (this.#depth > DEEPEST) throw this.#error(`more than ${DEEPEST} lists and objects are in each other`, node);
    const value = node.kind === 'list' ? node.items.map((item) => this.valueOf(item)) : this.#objectOf(node);
    this.#depth--;
    return value;
  }

  placeOf(root: YamlNode, keys: Keys): Place | undefined {
    let node: YamlNode | undefined = root;
    let place = this.#at(root.offset);
    for (const key of keys) {
      const next = this.#child(node, key);
      if (next === undefined) break;
      node = next.value;
      place = this.#at((next.key ?? next.value).offset) ?? place;
    }
    return place;
  }

  #child(from: YamlNode | undefined, key: string | number): Child | undefined {
    const node = from === undefined ? undefined : this.#meant(from);
    if (node?.kind === 'list') {
      const value = node.items[Number(key)];
      return value === undefined ? undefined : { value };
    }
    return node?.kind === 'object' ? this.#childrenOf(node).get(String(key)) : undefined;
  }

  #childrenOf(node: ObjectNode): ReadonlyMap<string, Child> {
    const known = this.#children.get(node);
    if (known !== undefined) return known;
    const found = new Map<string, Child>();
    this.#children.set(node, found);
    for (const [own, value] of node.pairs) {
      if (!isMerge(own)) found.set(this.#keyOf(own), { key: own, value });
      else {
        for (const merged of this.#mergedMaps(value).reverse()) {
          const meant = this.#meant(merged);
          if (meant.kind === 'object') for (const [key, child] of this.#childrenOf(meant)) found.set(key, child);
        }
      }
    }
    return found;
  }

  #objectOf({ pairs }: ObjectNode): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    const own = new Set<string>();
    for (const [name, item] of pairs) {
      if (isMerge(name)) {
        // The last of several counts, and what comes later counts more than what came before.
        for (const merged of this.#mergedMaps(item).reverse()) {
          for (const [key, value] of Object.entries(Object(this.valueOf(merged)))) put(object, key, value);
        }
        continue;
      }
      this.#count(name);
      const key = this.#keyOf(name);
      if (own.has(key)) this.duplicates.push({ key, place: this.#at(name.offset) ?? { line: 1, column: 1 } });
      own.add(key);
      put(object, key, this.valueOf(item));
    }
    return object;
  }

  #mergedMaps(node: YamlNode): YamlNode[] {
    const maps = node.kind === 'list' ? [...node.items] : [node];
    if (maps.every((map) => this.#meant(map).kind === 'object')) return maps;
    throw this.#error('<< merges objects alone', node);
  }

  #keyOf(node: YamlNode): string {
    const meant = this.#meant(node);
    const value = meant.kind === 'scalar' ? this.#scalarOf(meant) : undefined;
    if (typeof value === 'string') return value;
    if (typeof value === 'boolean') return String(value);
    if (typeof value === 'number') return Number.isInteger(value) ? String(value) : String(Math.fround(value));
    throw this.#error('a key has to be a string, a number or a boolean', node);
  }

  #scalarOf(node: ScalarNode): unknown {
    const { text } = node;
    const tag = node.tag?.replace('tag:yaml.org,2002:', '!!');
    if (tag === undefined || tag === '!!str' || tag === '!') {
      if (tag !== undefined || !node.plain) return this.#read(text);
      const value = resolvePlain(text);
      if (typeof value === 'number' && !Number.isFinite(value)) {
        throw this.#error(`${text} is no number that JSON knows`, node);
      }
      return typeof value === 'string' ? this.#read(value) : value;
    }
    const value = resolvePlain(text);
    const isNumber = typeof value === 'number' || typeof value === 'bigint';
    if (tag === '!!int' && isNumber && (typeof value === 'bigint' || Number.isInteger(value))) return value;
    if (tag === '!!float' && isNumber) return value;
    if (tag === '!!bool' && typeof value === 'boolean') return value;
    if (tag === '!!null' && value === null) return value;
    throw this.#error(`${JSON.stringify(text)} with the tag ${tag} can't be read`, node);
  }

  /** What a node is, or stands for. */
  #meant(node: YamlNode): YamlNode {
    let meant = node;
    for (let left = 100; left > 0 && meant.kind === 'alias'; left--) meant = this.#targetOf(meant);
    return meant;
  }

  #targetOf(alias: AliasNode): YamlNode {
    if (alias.target === undefined) throw this.#error('an alias has no anchor', alias);
    return alias.target;
  }

  #count(node: YamlNode): void {
    this.#values++;
    if (this.#aliases > 0) this.#aliased++;
    const isBomb = this.#aliased > 100 && this.#values > 1000 && this.#aliased > this.#values * MOST_ALIASED;
    if (isBomb || this.#values > MOST_VALUES) throw this.#error('too many values by way of aliases', node);
  }

  #error(message: string, node: YamlNode): YamlError {
    return new YamlError(message, this.#at(node.offset));
  }
}

function isMerge(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.plain && node.text === '<<';
}

/** Not by assignment: a key may be `__proto__`. */
function put(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
}

const WORDS = new Map<string, boolean | null | number>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Number.POSITIVE_INFINITY] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, Number.NEGATIVE_INFINITY] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, Number.NaN] as const),
]);

const INTEGER = /^([-+]?)(?:0b([01]+)|0o?([0-7]+)|0x([0-9a-f]+)|(0|[1-9]\d*))$/i;
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const DATE = /^\d{4}-\d{1,2}-\d{1,2}(?:$|[Tt ])/;

/** A scalar without quotes, as YAML 1.1 in Go reads it. */
function resolvePlain(text: string): string | number | bigint | boolean | null {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.\d]/.test(text) || DATE.test(text)) return text;
  const plain = text.startsWith('.') ? text : text.replaceAll('_', '');
  return (text.startsWith('.') ? undefined : integer(plain)) ?? (FLOAT.test(plain) ? Number(plain) : text);
}

function integer(text: string): number | bigint | undefined {
  const [whole, sign, binary, octal, hexadecimal, decimal] = INTEGER.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const size = BigInt(
    binary !== undefined
      ? `0b${binary}`
      : octal !== undefined
        ? `0o${octal}`
        : hexadecimal !== undefined
          ? `0x${hexadecimal}`
          : (decimal ?? '0'),
  );
  const value = sign === '-' ? -size : size;
  // Up to 64 bits, with or without a sign; what is larger is a float.
  if (value < -(2n ** 63n) || value >= 2n ** 64n || (sign === '+' && value >= 2n ** 63n)) return undefined;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** A value as Go writes it in JSON: keys in order, and nothing that HTML could take for its own. */
export function goJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
    const entries = Object.entries(value).sort(([a], [b]) => byBytes(a, b));
    return `{${entries.map(([key, item]) => `${goJson(key)}:${goJson(item)}`).join(',')}}`;
  }
  if (typeof value !== 'string') return JSON.stringify(value) ?? 'null';
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
