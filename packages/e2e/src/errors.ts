/** Every reason for which a run can't be made, as a closed set. A criterion that falls is a result, not one of these. */
export type E2eErrorCode =
  | 'USAGE'
  | 'NOT_A_GIT_REPOSITORY'
  | 'NO_COMMIT'
  | 'TOOL_MISSING'
  | 'TOOL_FAILED'
  | 'PLATFORM_UNSUPPORTED'
  | 'PORT_TAKEN'
  | 'REGISTRY_FAILED'
  | 'BASE_IMAGE_UNAVAILABLE'
  | 'REPORT_UNWRITABLE'
  | 'INTERRUPTED'
  // a run on a cluster
  | 'KUBECONFIG_INVALID'
  | 'CLUSTER_UNREACHABLE'
  | 'CLUSTER_UNAUTHORIZED'
  | 'CLUSTER_FORBIDDEN'
  | 'CLUSTER_CONFLICT'
  | 'CLUSTER_ERROR'
  | 'KIND_MISSING'
  | 'PREFLIGHT_FAILED'
  | 'APPLY_CONFLICT'
  | 'COMPONENT_NOT_CONFIGURED'
  | 'WAIT_TIMEOUT'
  | 'STATE_INVALID'
  | 'NOT_CONFIRMED'
  | 'NO_STAND_IN'
  // published images
  | 'KEY_UNREADABLE';

/** The one error class of this package: a stable code, what was expected, what was found, what to do. */
export class E2eError extends Error {
  readonly code: E2eErrorCode;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly hint: string | undefined;

  constructor(
    code: E2eErrorCode,
    message: string,
    details: { expected?: string; found?: string; hint?: string; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'E2eError';
    this.code = code;
    this.expected = details.expected;
    this.found = details.found;
    this.hint = details.hint;
  }
}
