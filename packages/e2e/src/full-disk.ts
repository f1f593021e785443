import { tmpdir } from 'node:os';
import { isCodedError, reasonOf } from '@multi-image/kit/errors';
import { E2eError } from './errors.ts';

/** What programs and Node say of a disk that is full, or of a user's share of it. */
export const FULL_DISK = /no space left on device|ENOSPC|disk quota exceeded|EDQUOT/i;

/** The error as it is, unless the reason for it is a full disk, whoever met it: then that is said. */
export function nameFullDisk(error: unknown): unknown {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 10; cause = cause.cause, depth++) {
    const said = [reasonOf(cause), isCodedError(cause) ? (cause.found ?? '') : ''].join('\n');
    const line = said.split('\n').find((text) => FULL_DISK.test(text));
    if (line === undefined) continue;
    return new E2eError('DISK_FULL', 'the disk is full', {
      expected: `room in ${tmpdir()} and where podman and buildah keep images`,
      found: line.trim(),
      hint: 'make room, or set TMPDIR to a folder on a larger disk',
      cause: error,
    });
  }
  return error;
}
