/** What an error says beside its message. */
export interface ErrorDetails {
  /** What would have been right. */
  expected?: string | undefined;
  /** What was there instead. */
  found?: string | undefined;
  /** What the reader can do about it. */
  hint?: string | undefined;
  cause?: unknown;
}

// Every package bundles this class, so that there may be several of it in one process: they know each other by this.
const BRAND = Symbol.for('multi-image.coded-error');

/**
 * The error of all packages: a stable code from the closed set of its package, what was expected, what was found, what to
 * do. Callers and tests branch on the code, never on the text.
 */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly hint: string | undefined;

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.expected = details.expected;
    this.found = details.found;
    this.hint = details.hint;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Whether this is a {@link CodedError}, of whichever package and whichever copy of the class. */
export function isCodedError(error: unknown): error is CodedError {
  return error instanceof Error && BRAND in error;
}

/** The reason in one line, whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
