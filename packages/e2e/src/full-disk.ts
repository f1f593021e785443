import { tmpdir } from 'node:os';
import { isCodedError, reasonOf } from '@multi-image/kit/errors';
import { E2eError } from './errors.ts';
import type { TaskFacts } from './judge/observation.ts';

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

/**
 * Facts of tasks with what the run's registry said of a full disk: to whoever pushes it tells only that something failed.
 */
export function withFullRegistry<Task extends Pick<TaskFacts, 'status' | 'logTail'>>(
  tasks: readonly Task[],
  registryLog: string,
): readonly Task[] {
  const line = registryLog.split('\n').findLast((text) => FULL_DISK.test(text));
  if (line === undefined) return tasks;
  const [said] = /(?:\w+ )?\/[^"\s:]*: (?:no space left on device|disk quota exceeded)/i.exec(line) ?? [line];
  return tasks.map((task) =>
    task.status === 'Failed' ? { ...task, logTail: [...(task.logTail ?? []), `the registry: ${said}`] } : task,
  );
}
