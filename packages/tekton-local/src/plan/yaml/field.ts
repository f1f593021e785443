import type { Problem, TektonLocalErrorCode } from '../../errors.ts';
import type { Keys, Place } from './kubernetes-yaml.ts';

/** Where the fields of one YAML document are, and what is wrong with them. */
export interface FieldOrigin {
  readonly file: string;
  readonly problems: Problem[];
  placeOf(keys: Keys): Place | undefined;
  /** The keys as they are in the file, where those of a newer version are used. */
  writtenAs?(keys: Keys): Keys;
  /** A cluster gets it in `tekton.dev/v1beta1`, as it is written. */
  readonly isOlder?: boolean | undefined;
}

const places = new WeakMap<readonly Problem[], { known: Set<string>; seen: number }>();

/** The fields that problems are of: of a file with a hundred thousand, not found by looking at each. */
function placesOf(problems: readonly Problem[]): ReadonlySet<string> {
  const { known, seen } = places.get(problems) ?? { known: new Set<string>(), seen: 0 };
  for (const problem of problems.slice(seen)) known.add(placeKey(problem));
  places.set(problems, { known, seen: problems.length });
  return known;
}

/** Documents of one file may have the same path. */
function placeKey({ file, path, line, column }: Omit<Problem, 'code' | 'message'>): string {
  return `${file}\n${path}\n${line}:${column}`;
}

const NO_KEYS: Keys = [];

/**
 * A value in a YAML document that knows its place. Reading what is not there or has another type notes a problem and
 * goes on, so that all problems of a file are told at once.
 */
export class Field {
  readonly value: unknown;
  readonly origin: FieldOrigin;
  readonly #base: Keys;
  /** What it is in, and under which key: its keys are only put together where something is wrong. */
  #in: Field | undefined;
  #key: string | number = '';
  /** What was asked for once is asked for again by the next check. */
  #children: Map<string, Field> | undefined;
  #items: readonly Field[] | undefined;

  constructor(value: unknown, origin: FieldOrigin, keys: Keys = NO_KEYS) {
    this.value = value;
    this.origin = origin;
    this.#base = keys;
  }

  /** The last of its keys. */
  get key(): string | number | undefined {
    return this.#in === undefined ? this.#base.at(-1) : this.#key;
  }

  /** The keys and indexes that lead to it. */
  get keys(): Keys {
    return this.#in === undefined ? this.#base : [...this.#in.keys, this.#key];
  }

  /** The same value, whose problems are noted elsewhere. */
  withProblems(problems: Problem[]): Field {
    return new Field(this.value, { ...this.origin, problems }, this.keys);
  }

  get path(): string {
    const keys = this.origin.writtenAs?.(this.keys) ?? this.keys;
    return keys.reduce<string>((path, key) => {
      if (typeof key === 'number') return `${path}[${key}]`;
      if (!/^[\w-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
      return path === '' ? key : `${path}.${key}`;
    }, '');
  }

  get present(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  problem(code: TektonLocalErrorCode, message: string): void {
    const { file, problems } = this.origin;
    const { path } = this;
    // Of one field, the first is the cause.
    const { line, column } = this.origin.placeOf(this.keys) ?? {};
    if (placesOf(problems).has(placeKey({ file, path, line, column }))) return;
    problems.push({ code, file, path, line, column, message });
  }

  /** Notes what a cluster would refuse as well. */
  invalid(message: string): void {
    this.problem('INVALID', message);
  }

  /** Notes what a cluster could run, and this machine can't. */
  unsupported(message: string): void {
    this.problem('UNSUPPORTED', message);
  }

  /** Takes back that something of this value is not supported: nobody will run it. */
  forgive(): void {
    const { file, problems } = this.origin;
    const { path } = this;
    const isInside = (other: string): boolean => other.startsWith(path) && /^(?:$|[.[])/.test(other.slice(path.length));
    const left = problems.filter((one) => one.code !== 'UNSUPPORTED' || one.file !== file || !isInside(one.path));
    problems.splice(0, problems.length, ...left);
    places.delete(problems);
  }

  /** The value at a path of keys. */
  get(...path: readonly string[]): Field {
    // Asked for so often that a loop is worth it.
    let field: Field = this;
    for (let index = 0; index < path.length; index++) field = field.#child(path[index] ?? '');
    return field;
  }

  /**
   * The same object with other values of some keys, each of which still knows where it is from; undefined is none.
   *
   * @param only Of its own keys, those that stay; all unless given.
   */
  with(values: Readonly<Record<string, Field | undefined>>, only?: readonly string[]): Field {
    const own = isMap(this.value) ? this.value : {};
    const kept = Object.entries(own).filter(([key]) => !Object.hasOwn(values, key) && only?.includes(key) !== false);
    const given = Object.entries(values).filter(
      (entry): entry is [string, Field] => entry[1] !== undefined && entry[1].value !== undefined,
    );
    const all = [...kept, ...given.map(([key, field]): [string, unknown] => [key, field.value])];
    const changed = new Field(Object.fromEntries(all), this.origin, this.keys);
    changed.#children = new Map([...kept.map(([key]): [string, Field] => [key, this.#child(key)]), ...given]);
    return changed;
  }

  /** A list of other items, each of which still knows where it is from. */
  withItems(items: readonly Field[]): Field {
    const changed = new Field(
      items.map(({ value }) => value),
      this.origin,
      this.keys,
    );
    changed.#items = items;
    return changed;
  }

  #child(key: string): Field {
    const known = this.#children?.get(key);
    if (known !== undefined) return known;
    const value = isMap(this.value) && Object.hasOwn(this.value, key) ? this.value[key] : undefined;
    const child = this.#inside(value, key);
    // What is not there is most of what is asked for, and not worth a place.
    if (value === undefined) return child;
    this.#children ??= new Map();
    this.#children.set(key, child);
    return child;
  }

  #inside(value: unknown, key: string | number): Field {
    const child = new Field(value, this.origin);
    child.#in = this;
    child.#key = key;
    return child;
  }

  /** Notes each key that is none of these words; `why` may name a reason for keys that Tekton knows. */
  only(words: string, why: Readonly<Record<string, string>> = {}): this {
    const known = words.split(' ');
    for (const [key, field] of this.entries()) {
      if (known.includes(key)) continue;
      const reason = Object.hasOwn(why, key) ? why[key] : undefined;
      field.unsupported(reason ?? 'tekton-local does not support this field');
    }
    return this;
  }

  string(): string | undefined {
    return this.#read('a string', (value) => {
      return typeof value === 'string' ? value : undefined;
    });
  }

  requiredString(): string {
    const text = this.string();
    if (!this.present) this.invalid('is required');
    return text ?? '';
  }

  /** The text; empty where there is none, which is noted elsewhere. */
  text(): string {
    return typeof this.value === 'string' ? this.value : '';
  }

  /** One of these words. */
  word<Word extends string>(...words: readonly Word[]): Word | undefined {
    const text = this.string();
    const found = words.find((word) => word === text);
    if (text !== undefined && found === undefined) {
      const expected = new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(words);
      this.invalid(`expected ${expected}, found ${JSON.stringify(text)}`);
    }
    return found;
  }

  boolean(): boolean | undefined {
    return this.#read('true or false', (value) => (typeof value === 'boolean' ? value : undefined));
  }

  integer(): number | undefined {
    return this.#read('a whole number ≥ 0', (value) =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined,
    );
  }

  /** Notes that something else was expected; answers false. */
  expected(what: string): false {
    this.invalid(`expected ${what}, found ${describe(this.value)}`);
    return false;
  }

  /** The items of a list; none where there is no list, which is noted elsewhere. */
  items(): readonly Field[] {
    this.#items ??= (Array.isArray(this.value) ? (this.value as unknown[]) : []).map((item, index) =>
      item instanceof Field ? item : this.#inside(item, index),
    );
    return this.#items;
  }

  /** The members of an object; none where there is no object, which is noted elsewhere. */
  members(): [string, Field][] {
    return isMap(this.value) ? Object.keys(this.value).map((key) => [key, this.get(key)]) : [];
  }

  list(): readonly Field[] {
    this.#read('a list', (value): unknown[] | undefined => (Array.isArray(value) ? value : undefined));
    return this.items();
  }

  /** What is read of each item of a list. */
  map<Item>(read: (item: Field, index: number) => Item): Item[] {
    return this.list().map((item, index) => read(item, index));
  }

  strings(): string[] | undefined {
    return this.present ? this.map((item) => item.text()) : undefined;
  }

  entries(): [string, Field][] {
    const map = this.#read('an object', (value) => (isMap(value) ? value : undefined));
    return Object.keys(map ?? {}).map((key) => [key, this.get(key)]);
  }

  #read<Read>(expected: string, read: (value: unknown) => Read | undefined): Read | undefined {
    if (!this.present) return undefined;
    const found = read(this.value);
    if (found === undefined) this.invalid(`expected ${expected}, found ${describe(this.value)}`);
    return found;
  }
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isMap(value)) return 'an object';
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'nothing');
  return typeof value === 'number' || typeof value === 'bigint' ? `the number ${text}` : text;
}
