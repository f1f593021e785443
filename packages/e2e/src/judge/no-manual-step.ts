import { formatSpan } from '@multi-image/kit/durations';
import { type Evidence, passed } from './criterion.ts';
import type { Observation } from './observation.ts';
import { succeeded } from './run-evidence.ts';

/** All runs came to their end by themselves. */
export function noManualStep({ build, scanners }: Observation): Evidence[] {
  const runs = [build, ...scanners.map(({ run }) => run)];
  const took = Math.max(...runs.map((run) => run.finishedAt)) - Math.min(...runs.map((run) => run.startedAt));
  return [
    ...runs.map(succeeded),
    passed(
      'unattended',
      `from the commit to all results in ${formatSpan(took)}; nothing was asked and nothing was read from a terminal`,
    ),
  ];
}
