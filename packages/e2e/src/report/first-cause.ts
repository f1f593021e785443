import { FULL_DISK } from '../full-disk.ts';
import { runsOf } from '../judge/chain-view.ts';
import type { Criterion } from '../judge/criterion.ts';
import type { Observation } from '../judge/observation.ts';
import { culpritOf, endOf, whatFailed } from '../judge/one-cause.ts';

/** Why a run failed, in the words that help most; whatever else fell usually fell with it. */
export interface Cause {
  /** `image2/Containerfile:12: …`, `the disk is full`, `task build-image-1 of app-on-push failed`. */
  what: string;
  /** What was seen of it: an error, the end of a log. */
  lines: readonly string[];
  /** What to do, a line each; nothing where the lines say it. */
  todo: readonly string[];
}

/** Something wrong in the source that explains what an image lacks or why it was not built. */
export interface SourceFault {
  /** Of the image that is built from it. */
  role: string;
  what: string;
  todo: readonly string[];
}

/** @param faults what is known to be wrong in the source, as far as this target could look */
export function firstCause(
  seen: Observation,
  criteria: readonly Criterion[],
  faults: readonly SourceFault[] = [],
): Cause | undefined {
  const full = fullDisk(seen);
  if (full !== undefined) return full;
  const culprit = culpritOf(seen, criteria);
  if (culprit === undefined) return firstFinding(criteria, faults);
  const { run, task, criterion } = culprit;
  const lines = task === undefined ? [endOf(run)] : errorOf(task.logTail, task.message);
  const where = `${task === undefined ? '' : 'task '}${whatFailed(culprit)}`;
  const built = seen.images.find(({ name }) => task?.name === `build-${name}`)?.role;
  const isEmbedding = criterion === 'image-2-embeds-image-1';
  const fault = faults.find(({ role }) => (isEmbedding ? true : role === built));
  if (fault === undefined) return { what: where, lines, todo: [] };
  return { what: fault.what, lines: [where, ...lines], todo: fault.todo };
}

/** What was found first that is wrong, where all runs succeeded: something in the images, or in what signed them. */
function firstFinding(criteria: readonly Criterion[], [fault]: readonly SourceFault[]): Cause | undefined {
  const fallen = criteria.find(({ status }) => status === 'failed');
  const finding = fallen?.evidence.find(({ status }) => status === 'failed');
  if (fallen === undefined || finding === undefined) return undefined;
  const { text, expected, found } = finding;
  const lines = [
    ...(expected === undefined ? [] : [`expected  ${expected}`]),
    ...(found === undefined ? [] : [`found     ${found}`]),
  ];
  const isNotEmbedded = criteria.some(({ id, status }) => id === 'image-2-embeds-image-1' && status === 'failed');
  if (isNotEmbedded && fault !== undefined) return { what: fault.what, lines: [text, ...lines], todo: fault.todo };
  return { what: text, lines, todo: [] };
}

/** A disk that is full breaks whatever comes next, in its own words each time: so it is looked for first. */
function fullDisk(seen: Observation): Cause | undefined {
  for (const run of runsOf(seen)) {
    for (const { name, message, logTail = [], status } of run.tasks) {
      if (status !== 'Failed') continue;
      const line = [...logTail, message ?? ''].find((text) => FULL_DISK.test(text));
      if (line === undefined) continue;
      const todo = ['make room, or set TMPDIR to a folder on a larger disk (on a cluster: a larger volume)'];
      return { what: `the disk is full: task ${name} of ${run.name} could not write`, lines: [line], todo };
    }
  }
  return undefined;
}

/** The error that ended it, if its log has one as our commands and buildah print them; else the end of the log. */
function errorOf(logTail: readonly string[] = [], message = ''): string[] {
  const error = logTail.findLastIndex((line) => /^error[ :]/i.test(line));
  return (error < 0 ? [message, ...logTail] : logTail.slice(error)).filter((line) => line !== '');
}
