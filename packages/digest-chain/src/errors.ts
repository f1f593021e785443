import { CodedError, type ErrorDetails as CommonDetails } from '../../kit/src/errors.ts';

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
  | 'KEY_UNSUPPORTED'
  | 'KEYLESS_UNSUPPORTED'
  | 'TRUSTED_ROOT_INVALID'
  | 'TRUSTED_ROOT_UNAVAILABLE'
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
  | 'LAYER_INVALID'
  | 'NOT_SEALED'
  | 'SEAL_REFUSED'
  | 'SEAL_BROKEN'
  // how the images hang together
  | 'LINK_INVALID'
  | 'LINK_MISSING'
  | 'LINK_MISMATCH'
  | 'LINK_REFUSED'
  | 'TAG_MOVED'
  | 'REVISION_MISMATCH'
  | 'WAIT_DEADLINE'
  | 'STATEMENT_INVALID'
  | 'STATEMENT_MISSING'
  | 'VERIFICATION_FAILED'
  | 'VERIFY_DEADLINE'
  // what a key proves about them
  | 'ATTESTATION_INVALID'
  | 'SIGNATURE_MISSING'
  | 'PROVENANCE_MISSING'
  | 'PROVENANCE_MISMATCH'
  // what a Snapshot holds
  | 'SNAPSHOT_INVALID'
  | 'SNAPSHOT_INCOMPLETE'
  | 'SNAPSHOT_MIXED'
  | 'SNAPSHOT_CONFLICT'
  // what the cluster did
  | 'CLUSTER_UNREACHABLE'
  | 'CLUSTER_FORBIDDEN'
  | 'CLUSTER_ERROR'
  | 'FILE_UNWRITABLE'
  | 'ABORTED';

/** What a registry, or who stands before it, answered. */
export interface HttpFacts {
  readonly method: string;
  /** Without its query, which may give access. */
  readonly url: string;
  readonly status: number;
  /** What the registry says of it (distribution-spec, "Error Codes"). */
  readonly codes: readonly string[];
}

/** What crosses two repositories. */
export type Operation = 'copy' | 'seal' | 'carry';

/** Which of the two repositories something is about. */
export type Side = 'source' | 'destination';

export interface ErrorDetails extends CommonDetails {
  http?: HttpFacts | undefined;
}

/**
 * The one error class of this package: a stable {@link ErrorCode}, what was expected, what was found, what to do; of a
 * refused request what the registry answered, and of what crosses two repositories at which of them it failed.
 */
export class DigestChainError extends CodedError<ErrorCode> {
  readonly http: HttpFacts | undefined;
  operation: Operation | undefined;
  side: Side | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
    this.http = details.http;
  }
}

/** By these a registry said nothing of what it was asked. */
const UNANSWERED: ReadonlySet<ErrorCode> = new Set(['ABORTED', 'REGISTRY_UNREACHABLE', 'REGISTRY_TIMEOUT']);

/** Whether nobody answered, as opposed to an answer that says no. */
export function isUnanswered({ code }: DigestChainError): boolean {
  return UNANSWERED.has(code);
}

/** What is not as it should be: what was expected, and in quotes what was found. */
export function unexpected(
  code: ErrorCode,
  message: string,
  expected: string,
  found: string,
  cause?: unknown,
): DigestChainError {
  return new DigestChainError(code, message, { expected, found: quoted(found), cause });
}

/** What has more bytes than are taken. */
export function tooLarge(code: ErrorCode, message: string, limit: number, found: number): DigestChainError {
  return new DigestChainError(code, message, { expected: `at most ${limit} bytes`, found: `${found} bytes` });
}

/** Text from outside for an error: in quotes, and not all of it. */
export function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 160));
}
