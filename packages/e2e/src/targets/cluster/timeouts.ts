import { parseDuration } from '@multi-image/kit/durations';
import { LONGEST_TIMER } from '@multi-image/kit/retry';
import { E2eError } from '../../errors.ts';

const MINUTE = 60_000;

export const DEFAULT_TIMEOUTS = {
  /** Konflux sets up the components. */
  configured: 15 * MINUTE,
  /** The first PipelineRuns appear. */
  started: 15 * MINUTE,
  /** They end. */
  runs: 240 * MINUTE,
  /** Chains signs. */
  signed: 20 * MINUTE,
  /** A Snapshot is made. */
  snapshot: 20 * MINUTE,
  /** The integration test ends. */
  tests: 60 * MINUTE,
  /** A Release of the chain ends. */
  released: 120 * MINUTE,
};

/** How long each wait of a run may take, in milliseconds. */
export type Timeouts = typeof DEFAULT_TIMEOUTS;

/** Reads `30m` (for every wait) and `runs=4h` (for one). Throws `USAGE`. */
export function parseTimeouts(values: readonly string[] = []): Timeouts {
  const timeouts = { ...DEFAULT_TIMEOUTS };
  const names = Object.keys(timeouts) as (keyof Timeouts)[];
  for (const value of values) {
    const [, name, duration = ''] = /^(?:([a-z]+)=)?(.*)$/.exec(value) ?? [];
    const limit = parseDuration(duration) ?? 0;
    const meant = names.filter((wait) => name === undefined || wait === name);
    if (meant.length === 0 || limit <= 0) {
      throw new E2eError('USAGE', 'not a timeout', {
        expected: `30m, or one of ${names.join(', ')} as in runs=4h`,
        found: value,
      });
    }
    for (const wait of meant) timeouts[wait] = Math.min(limit, LONGEST_TIMER);
  }
  return timeouts;
}
