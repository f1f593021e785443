import { CodedError } from '@multi-image/kit/errors';

/** Every way this package fails. */
export type BundlesErrorCode =
  /** The command was called wrongly. */
  | 'USAGE'
  /** What is to be published is not what a commit has. */
  | 'NOT_A_COMMIT'
  /** What stands under the reference is no bundle that Tekton would take. */
  | 'BUNDLE_INVALID'
  /** A bundle has to be named by digest, with its registry. */
  | 'BUNDLE_NOT_PINNED'
  /** A task of the bundle runs in another image than the config's. */
  | 'RUNNER_NOT_PINNED'
  /** The base of the runner image is no image that runs on Linux. */
  | 'BASE_INVALID';

/** The one error class of this package. */
export class BundlesError extends CodedError<BundlesErrorCode> {}
