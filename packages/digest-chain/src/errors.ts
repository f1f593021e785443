/**
 * Every way in which this package can fail, as a closed set: callers and tests branch on the code, never on the text.
 */
export type ErrorCode =
  // what the caller gave
  | 'USAGE'
  | 'DIGEST_INVALID'
  | 'REFERENCE_INVALID'
  | 'LABEL_PREFIX_INVALID'
  | 'KEY_INVALID'
  | 'CREDENTIALS_INVALID'
  | 'CA_FILE_INVALID'
  | 'PROXY_INVALID'
  // what the registry did
  | 'REGISTRY_UNREACHABLE'
  | 'REGISTRY_ERROR'
  | 'REGISTRY_TIMEOUT'
  | 'UNAUTHORIZED'
  | 'NOT_FOUND'
  | 'DIGEST_MISMATCH'
  | 'SIZE_MISMATCH'
  | 'TOO_LARGE'
  | 'MEDIA_TYPE_UNSUPPORTED'
  | 'RESPONSE_INVALID'
  | 'REDIRECT_REFUSED'
  | 'REALM_REFUSED'
  | 'CONFLICT'
  // what the bytes are
  | 'JSON_INVALID'
  | 'JSON_DUPLICATE_KEY'
  | 'NOT_AN_IMAGE'
  | 'NOT_SEALED'
  | 'SEAL_REFUSED'
  | 'SEAL_BROKEN'
  // how the images hang together
  | 'LINK_INVALID'
  | 'LINK_MISSING'
  | 'LINK_MISMATCH'
  | 'REVISION_MISMATCH'
  | 'WAIT_DEADLINE'
  | 'STATEMENT_INVALID'
  | 'STATEMENT_MISSING'
  | 'VERIFICATION_FAILED'
  // what a key proves about them
  | 'ATTESTATION_INVALID'
  | 'SIGNATURE_MISSING'
  | 'PROVENANCE_MISSING'
  | 'PROVENANCE_MISMATCH'
  | 'FILE_UNWRITABLE'
  | 'ABORTED';

export interface ErrorDetails {
  /** What would have been right. */
  expected?: string | undefined;
  /** What was there instead. */
  found?: string | undefined;
  /** What the reader can do about it. */
  hint?: string | undefined;
  cause?: unknown;
}

/** The one error class of this package: a stable {@link ErrorCode}, what was expected, what was found, what to do. */
export class DigestChainError extends Error {
  readonly code: ErrorCode;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'DigestChainError';
    this.code = code;
    this.expected = details.expected;
    this.found = details.found;
    this.hint = details.hint;
  }
}
