import type { CommandErrorCode } from '@multi-image/kit/commands';
import { CodedError } from '@multi-image/kit/errors';

/** Every reason for which a run can't be made, as a closed set. A criterion that falls is a result, not one of these. */
export type E2eErrorCode =
  | CommandErrorCode
  | 'USAGE'
  | 'NOT_A_GIT_REPOSITORY'
  | 'NO_COMMIT'
  | 'PLATFORM_UNSUPPORTED'
  | 'CONFIG_DRIFTED'
  | 'ISOLATION_UNAVAILABLE'
  | 'REPORT_UNWRITABLE'
  | 'DISK_FULL'
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
  // sources on their way from task to task
  | 'ARTIFACT_INVALID'
  | 'UNSAFE_PATH';

/** The one error class of this package. */
export class E2eError extends CodedError<E2eErrorCode> {}
