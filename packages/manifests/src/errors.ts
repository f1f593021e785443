import { CodedError } from '@multi-image/kit/errors';

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

/** The one error class of this package. */
export class ManifestsError extends CodedError<ManifestsErrorCode> {}
