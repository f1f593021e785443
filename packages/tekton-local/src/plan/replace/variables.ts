import { TektonLocalError } from '../../errors.ts';
import type { ParamValue } from '../model.ts';
import { isWholeVariable } from './expressions.ts';

/** Characters that one pass may bring in: a cluster keeps no object of more than 1.5 MiB. */
const MOST_BROUGHT = 16 << 20;

/**
 * What variables stand for, by what is between `$(` and `)`. Tekton replaces in several passes, one of these for each:
 * what one pass brings in, the same pass does not look at, and the next does. What no pass knows stays as it is.
 */
export class Variables {
  readonly strings: Map<string, string> = new Map();
  readonly arrays: Map<string, readonly string[]> = new Map();
  readonly objects: Map<string, Readonly<Record<string, string>>> = new Map();
  #brought = 0;

  /** Of names and their strings. */
  static of(strings: Readonly<Record<string, string>>): Variables {
    const made = new Variables();
    for (const [name, text] of Object.entries(strings)) made.strings.set(name, text);
    return made;
  }

  /** Adds a param under all of its spellings; those of a TaskRun have one more. */
  addParam(name: string, value: ParamValue, level: 'pipeline' | 'task'): void {
    for (const spelling of spellings(name, level)) this.#add(spelling, value);
    this.addKeys(`params.${name}`, value);
  }

  /** Adds a result of a task. */
  addResult(task: string, name: string, value: ParamValue): void {
    for (const spelling of spellingsIn(`tasks.${task}.results`, name)) {
      this.#add(spelling, value);
      this.addKeys(spelling, value);
    }
  }

  #add(spelling: string, value: ParamValue): void {
    if (typeof value === 'string') this.strings.set(spelling, value);
    else if (Array.isArray(value)) {
      this.arrays.set(spelling, value);
      for (const [index, item] of value.entries()) this.strings.set(`${spelling}[${index}]`, item);
    } else this.objects.set(spelling, value);
  }

  /** Adds what an object has under each of its keys; of what is none, nothing. */
  addKeys(spelling: string, value: ParamValue): void {
    if (typeof value === 'string' || Array.isArray(value)) return;
    for (const [key, item] of Object.entries(value)) this.strings.set(`${spelling}.${key}`, item);
  }

  /** A text with its variables replaced. */
  text(text: string): string {
    if (!text.includes('$(')) return text;
    return text.replace(/\$\(([^()]+)\)/g, (whole: string, name: string) => {
      const value = this.strings.get(name);
      if (value !== undefined) this.#bring(value.length);
      return value ?? whole;
    });
  }

  /** A file of a kilobyte could ask for all memory. */
  #bring(characters: number): void {
    this.#brought += characters;
    if (this.#brought <= MOST_BROUGHT) return;
    throw new TektonLocalError('INVALID', 'what variables bring in is more than an object of a cluster can hold', {
      expected: `at most ${MOST_BROUGHT} characters`,
    });
  }

  /** A list of texts: an item that is nothing but an array becomes its items. */
  list(texts: readonly string[]): string[] {
    return texts.flatMap((text) => this.#arrayOf(text) ?? [this.text(text)]);
  }

  /** A param's value: a string that is nothing but an array or an object becomes that. */
  value(value: ParamValue): ParamValue {
    if (Array.isArray(value)) return this.list(value);
    if (typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.text(item)]));
    }
    if (!isWholeVariable(value)) return this.text(value);
    const name = nameIn(value);
    const object = this.objects.get(name);
    if (object !== undefined) return { ...object };
    const array = this.arrays.get(name);
    if (array !== undefined) return [...(this.#arrayOf(value) ?? [this.text(value)])];
    return this.strings.has(name) ? this.text(value) : value;
  }

  /** The input of a `when`: an array becomes its JSON. */
  input(text: string): string {
    const array = this.#whenArray(text);
    return array === undefined ? this.text(text) : JSON.stringify(array);
  }

  /** The values of a `when`. */
  values(texts: readonly string[]): string[] {
    return texts.flatMap((text) => this.#whenArray(text) ?? [this.text(text)]);
  }

  /** Params need `[*]` there, results don't. */
  #whenArray(text: string): readonly string[] | undefined {
    const param = /^\$\(params\..*\[\*\]\)$/.test(text);
    const name = nameIn(text);
    return this.arrays.has(name) && (param || !name.startsWith('params.')) ? this.#arrayOf(text) : undefined;
  }

  #arrayOf(text: string): readonly string[] | undefined {
    const [, name] = /^\$\((.*?)(?:\[\*\])?\)$/.exec(text) ?? [];
    const array = name === undefined ? undefined : this.arrays.get(name);
    if (array !== undefined) this.#bring(array.reduce((sum, item) => sum + item.length + 1, 0));
    return array;
  }
}

function nameIn(text: string): string {
  return text
    .replace(/^\$\(/, '')
    .replace(/\)$/, '')
    .replace(/\[\*\]$/, '');
}

/** Every way to write a param between `$(` and `)`. */
export function spellings(name: string, level: 'pipeline' | 'task'): string[] {
  const both = spellingsIn('params', name);
  // As in the first versions of Tekton; still there.
  return level === 'task' ? [...both, `inputs.params.${name}`] : both;
}

function spellingsIn(prefix: string, name: string): string[] {
  return [`${prefix}.${name}`, `${prefix}[${JSON.stringify(name)}]`, `${prefix}['${name}']`];
}
