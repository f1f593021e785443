import type { CommandErrorCode } from '@multi-image/kit/commands';
import { CodedError } from '@multi-image/kit/errors';

export type ClusterTestingErrorCode =
  | CommandErrorCode
  /** Called wrongly. */
  | 'USAGE'
  /** This machine lacks something that a cluster needs; nothing was started. */
  | 'MACHINE_UNFIT'
  /** There is no cluster. */
  | 'NOT_UP'
  /** A part of the cluster did not come up. */
  | 'PART_FAILED'
  /** A part of the cluster ended without being told to. */
  | 'PART_DIED'
  /** The API server refused something that was asked of it. */
  | 'API_REFUSED';

/** The errors of this package. */
export class ClusterTestingError extends CodedError<ClusterTestingErrorCode> {}
