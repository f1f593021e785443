/** Every way this package fails. Codes are part of the interface: tests and scripts match on them, never on messages. */
export type ManifestsErrorCode =
  | 'CONFIG_INVALID'
  | 'CONFIG_NOT_FOUND'
  | 'CONFIG_FAILED'
  | 'CONTAINERFILE_MISSING'
  | 'PINS_INVALID'
  | 'PINS_CONFLICT'
  | 'PINS_BUILT_IN'
  | 'DRIFT'
  | 'TARGET_EDITED'
  | 'TARGET_NOT_WRITABLE'
  | 'USAGE';

export interface ManifestsErrorDetails {
  /** What would have been right. */
  expected?: string;
  /** What was there instead. */
  found?: string;
  /** What to do about it. */
  hint?: string;
  cause?: unknown;
}

/** The one error class of this package. */
export class ManifestsError extends Error {
  override readonly name: string = 'ManifestsError';
  readonly code: ManifestsErrorCode;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ManifestsErrorCode, message: string, details: ManifestsErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.expected = details.expected;
    this.found = details.found;
    this.hint = details.hint;
  }
}
