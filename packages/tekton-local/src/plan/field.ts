import type { Problem, TektonLocalErrorCode } from '../errors.ts';

/** Where the fields of one YAML document are, and what is wrong with them. */
export interface FieldOrigin {
  readonly file: string;
  readonly problems: Problem[];
  lineOf(keys: readonly (string | number)[]): number | undefined;
}

/**
 * A value in a YAML document that knows its place. Reading what is not there or has another type notes a problem and
 * goes on, so that all problems of a file are told at once.
 */
export class Field {
  readonly value: unknown;
  readonly keys: readonly (string | number)[];
  readonly origin: FieldOrigin;

  constructor(value: unknown, origin: FieldOrigin, keys: readonly (string | number)[] = []) {
    this.value = value;
    this.origin = origin;
    this.keys = keys;
  }

  /** The same value, whose problems are noted elsewhere. */
  withProblems(problems: Problem[]): Field {
    return new Field(this.value, { ...this.origin, problems }, this.keys);
  }

  get path(): string {
    return this.keys.reduce<string>((path, key) => {
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
    problems.push({ code, file, path: this.path, line: this.origin.lineOf(this.keys), message });
  }

  /** Notes what a cluster would refuse as well. */
  invalid(message: string): void {
    this.problem('INVALID', message);
  }

  /** Notes what a cluster could run, and this machine can't. */
  unsupported(message: string): void {
    this.problem('UNSUPPORTED', message);
  }

  /** The value at a path of keys. */
  get(...path: readonly string[]): Field {
    const value = path.reduce<unknown>((map, key) => {
      return isMap(map) && Object.hasOwn(map, key) ? map[key] : undefined;
    }, this.value);
    return new Field(value, this.origin, [...this.keys, ...path]);
  }

  /** Notes each key that is none of these words; `why` may name a reason for keys that Tekton knows. */
  only(words: string, why: Readonly<Record<string, string>> = {}): this {
    if (!this.present) return this;
    if (!isMap(this.value)) {
      this.invalid(`expected an object, found ${describe(this.value)}`);
      return this;
    }
    const known = words.split(' ');
    for (const key of Object.keys(this.value)) {
      if (known.includes(key)) continue;
      const reason = Object.hasOwn(why, key) ? why[key] : undefined;
      this.get(key).unsupported(reason ?? 'this field is not supported by tekton-local');
    }
    return this;
  }

  string(): string | undefined {
    if (!this.present) return undefined;
    if (typeof this.value === 'string') return this.value;
    if (typeof this.value === 'number' || typeof this.value === 'boolean') return String(this.value);
    this.invalid(`expected a string, found ${describe(this.value)}`);
    return undefined;
  }

  requiredString(): string {
    const text = this.string();
    if (!this.present) this.invalid('is required');
    return text ?? '';
  }

  boolean(): boolean | undefined {
    if (!this.present) return undefined;
    if (typeof this.value === 'boolean') return this.value;
    this.invalid(`expected true or false, found ${describe(this.value)}`);
    return undefined;
  }

  integer(): number | undefined {
    if (!this.present) return undefined;
    if (typeof this.value === 'number' && Number.isSafeInteger(this.value) && this.value >= 0) return this.value;
    this.invalid(`expected a whole number ≥ 0, found ${describe(this.value)}`);
    return undefined;
  }

  list(): Field[] {
    if (!this.present) return [];
    if (Array.isArray(this.value)) {
      return this.value.map((item: unknown, index) => new Field(item, this.origin, [...this.keys, index]));
    }
    this.invalid(`expected a list, found ${describe(this.value)}`);
    return [];
  }

  /** What is read of each item of a list. */
  map<Item>(read: (item: Field) => Item): Item[] {
    return this.list().map((item) => read(item));
  }

  strings(): string[] | undefined {
    if (!this.present) return undefined;
    return this.map((item) => item.requiredString());
  }

  entries(): [string, Field][] {
    if (!this.present) return [];
    if (isMap(this.value)) return Object.keys(this.value).map((key) => [key, this.get(key)]);
    this.invalid(`expected an object, found ${describe(this.value)}`);
    return [];
  }
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isMap(value)) return 'an object';
  return JSON.stringify(value) ?? 'nothing';
}
