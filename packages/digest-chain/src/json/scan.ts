import { isUtf8 } from 'node:buffer';
import { DigestChainError, unexpected } from '../errors.ts';

/**
 * A JSON value as a range of bytes: `bytes.subarray(start, end)` is the token exactly as it was written. Nothing is
 * ever serialised from this; changes are splices (`splice.ts`), so every byte that is not replaced stays.
 */
export type JsonValue = JsonObject | JsonArray | JsonScalar;

/** From the first byte of a token up to the one after its last. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface JsonObject extends Range {
  readonly type: 'object';
  /** In the order in which they are written; keys are unique. */
  readonly members: readonly JsonMember[];
}

export interface JsonArray extends Range {
  readonly type: 'array';
  readonly items: readonly JsonValue[];
}

export interface JsonScalar extends Range {
  readonly type: 'string' | 'number' | 'boolean' | 'null';
}

export interface JsonMember {
  /** Decoded: escapes are resolved. */
  readonly key: string;
  readonly value: JsonValue;
}

/** Deeper nesting is refused (`JSON_INVALID`): no image document needs it, and a scanner must not run out of stack. */
export const MAX_DEPTH: number = 64;

/**
 * More values in one document are refused (`JSON_INVALID`) where nothing else is said: each takes some hundred bytes of
 * memory, whereas a megabyte of text may hold half a million of them.
 */
export const MAX_VALUES: number = 200_000;

/**
 * Scans a whole JSON document (RFC 8259), strictly: valid UTF-8 without a byte order mark, no duplicate keys (compared
 * after decoding: `JSON_DUPLICATE_KEY`), no lone surrogates, nothing after the value. Throws `JSON_INVALID` with the
 * byte offset. The reason for the strictness: readers resolve such documents differently, and a seal that one reader
 * sees and another does not would be worth nothing. At most `maxValues` values are taken, members and items alike.
 */
export function scanJson(bytes: Uint8Array, maxValues: number = MAX_VALUES): JsonValue {
  if (!isUtf8(bytes)) throw invalid('the bytes are not UTF-8');
  return new Scanner(bytes, maxValues).document();
}

/** The text of a string token, decoded. */
export function decodeString(bytes: Uint8Array, value: JsonValue): string {
  return JSON.parse(rawText(bytes, value)) as string;
}

/** The text of a value; none of what is no string. */
export function textIn(bytes: Uint8Array, value: JsonValue | undefined): string {
  return value?.type === 'string' ? decodeString(bytes, value) : '';
}

/** A token exactly as it is written. */
export function rawText(bytes: Uint8Array, value: Range): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + value.start, value.end - value.start).toString('utf8');
}

/** The value of a member, if `value` is an object that has it. */
export function get(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return value?.type === 'object' ? value.members.find((member) => member.key === key)?.value : undefined;
}

const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const SIMPLE_ESCAPES = bytesOf('"\\/bfnrt');
const WHITESPACE = bytesOf(' \n\r\t');
const HEX_DIGITS = bytesOf('0123456789abcdefABCDEF');
const NUMBER_BYTES = bytesOf('0123456789+-.eE');
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** As many members of an object are compared one by one. */
const FEW = 16;

class Scanner {
  readonly #bytes: Uint8Array;
  readonly #maxValues: number;
  #at = 0;
  #depth = 0;
  #values = 0;

  constructor(bytes: Uint8Array, maxValues: number) {
    this.#bytes = bytes;
    this.#maxValues = maxValues;
  }

  document(): JsonValue {
    this.#whitespace();
    const value = this.#value();
    this.#whitespace();
    if (this.#at < this.#bytes.length) throw this.#unexpected('the end');
    return value;
  }

  #value(): JsonValue {
    if (++this.#values > this.#maxValues) throw invalid(`more than ${this.#maxValues} values`, this.#at);
    const byte = this.#bytes[this.#at];
    switch (byte) {
      case OPENING_BRACE:
        return this.#object();
      case OPENING_BRACKET:
        return this.#array();
      case QUOTE:
        return this.#string();
      case 0x74:
        return this.#literal('true', 'boolean');
      case 0x66:
        return this.#literal('false', 'boolean');
      case 0x6e:
        return this.#literal('null', 'null');
      default:
        return this.#number();
    }
  }

  #object(): JsonObject {
    const start = this.#open();
    const members: JsonMember[] = [];
    // Most objects have a few members: looking through them takes less than a set of them.
    let keys: Set<string> | undefined;
    this.#whitespace();
    if (!this.#take(CLOSING_BRACE)) {
      do {
        this.#whitespace();
        if (this.#bytes[this.#at] !== QUOTE) throw this.#unexpected('a key');
        const key = decodeString(this.#bytes, this.#string());
        if (members.length === FEW) keys = new Set(members.map((member) => member.key));
        if (keys?.has(key) ?? members.some((member) => member.key === key)) throw duplicate(key, this.#at);
        keys?.add(key);
        this.#whitespace();
        if (!this.#take(COLON)) throw this.#unexpected('":"');
        this.#whitespace();
        members.push({ key, value: this.#value() });
        this.#whitespace();
      } while (this.#take(COMMA));
      if (!this.#take(CLOSING_BRACE)) throw this.#unexpected('"," or "}"');
    }
    this.#depth--;
    return { type: 'object', start, end: this.#at, members };
  }

  #array(): JsonArray {
    const start = this.#open();
    const items: JsonValue[] = [];
    this.#whitespace();
    if (!this.#take(CLOSING_BRACKET)) {
      do {
        this.#whitespace();
        items.push(this.#value());
        this.#whitespace();
      } while (this.#take(COMMA));
      if (!this.#take(CLOSING_BRACKET)) throw this.#unexpected('"," or "]"');
    }
    this.#depth--;
    return { type: 'array', start, end: this.#at, items };
  }

  #string(): JsonScalar {
    const bytes = this.#bytes;
    const start = this.#at++;
    let escaped = false;
    for (;;) {
      const byte = bytes[this.#at];
      if (byte === undefined || byte < 0x20) throw this.#unexpected('the rest of a string');
      this.#at++;
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) escaped = this.#escape() || escaped;
    }
    const value: JsonScalar = { type: 'string', start, end: this.#at };
    // UTF-8 holds no surrogates, so only \u escapes can make a lone one; readers replace it, each in its own way.
    if (escaped && !decodeString(bytes, value).isWellFormed()) throw invalid('a lone surrogate', start);
    return value;
  }

  /** After the backslash; true for a \u escape. */
  #escape(): boolean {
    const byte = this.#bytes[this.#at];
    if (byte === LOWER_U) {
      this.#at++;
      for (let digit = 0; digit < 4; digit++, this.#at++) {
        if (!HEX_DIGITS.has(this.#bytes[this.#at])) throw this.#unexpected('four hex digits');
      }
      return true;
    }
    if (!SIMPLE_ESCAPES.has(byte)) throw this.#unexpected('an escape');
    this.#at++;
    return false;
  }

  #literal(text: string, type: 'boolean' | 'null'): JsonScalar {
    const start = this.#at;
    this.#at += text.length;
    if (rawText(this.#bytes, { start, end: Math.min(this.#at, this.#bytes.length) }) !== text) {
      this.#at = start;
      throw this.#unexpected('a value');
    }
    return { type, start, end: this.#at };
  }

  #number(): JsonScalar {
    const start = this.#at;
    while (NUMBER_BYTES.has(this.#bytes[this.#at])) this.#at++;
    if (!NUMBER.test(rawText(this.#bytes, { start, end: this.#at }))) {
      this.#at = start;
      throw this.#unexpected('a value');
    }
    return { type: 'number', start, end: this.#at };
  }

  #open(): number {
    if (++this.#depth > MAX_DEPTH) throw invalid(`nested deeper than ${MAX_DEPTH} levels`, this.#at);
    return this.#at++;
  }

  #whitespace(): void {
    while (WHITESPACE.has(this.#bytes[this.#at])) this.#at++;
  }

  #take(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  #unexpected(expected: string): DigestChainError {
    const byte = this.#bytes[this.#at];
    const found = byte === undefined ? 'the end' : `byte 0x${byte.toString(16).padStart(2, '0')}`;
    return invalid(`expected ${expected}, found ${found}`, this.#at);
  }
}

/** With the end of the bytes as none of them. */
function bytesOf(characters: string): ReadonlySet<number | undefined> {
  return new Set(Buffer.from(characters));
}

function invalid(reason: string, at?: number): DigestChainError {
  return new DigestChainError('JSON_INVALID', `not valid JSON: ${reason}${at === undefined ? '' : ` at byte ${at}`}`);
}

function duplicate(key: string, at: number): DigestChainError {
  const expected = 'unique keys (image-spec: names in a document must be unique)';
  return unexpected('JSON_DUPLICATE_KEY', `a JSON object has the same key twice, at byte ${at}`, expected, key);
}

/**
 * A member that decides what is sealed. Go's encoding/json, which most registries and runtimes use, also takes a key
 * that differs only by case (and two letters that fold to ASCII): a document that has such a key means one thing to us
 * and another to them, so it is refused (`SEAL_REFUSED`).
 */
export function field(value: JsonValue | undefined, key: string): JsonValue | undefined {
  if (value?.type !== 'object') return undefined;
  let found: JsonValue | undefined;
  for (const member of value.members) {
    if (member.key === key) found = member.value;
    else if (fold(member.key) === fold(key)) {
      throw new DigestChainError('SEAL_REFUSED', `a key differs from "${key}" only by case`, {
        expected: `"${key}"`,
        found: JSON.stringify(member.key),
        hint: 'readers disagree about such a key; build the image without it',
      });
    }
  }
  return found;
}

/** A key as readers see it that don't look at its case (Go's encoding/json: Unicode's simple folding). */
export function fold(key: string): string {
  return key.replaceAll('\u017f', 's').replaceAll('\u212a', 'k').toLowerCase();
}
