import { parseDuration } from '@multi-image/kit/durations';
import { E2eError } from '../../errors.ts';

/** How long each wait of a tenant run may take, in milliseconds. */
export interface Timeouts {
  /** Konflux sets up the components. */
  configured: number;
  /** The first PipelineRuns appear. */
  started: number;
  /** They end. */
  runs: number;
  /** Chains signs. */
  signed: number;
  /** A Snapshot is made. */
  snapshot: number;
  /** The integration test ends. */
  tests: number;
}

const MINUTE = 60_000;

export const DEFAULT_TIMEOUTS: Timeouts = {
  configured: 15 * MINUTE,
  started: 15 * MINUTE,
  runs: 240 * MINUTE,
  signed: 20 * MINUTE,
  snapshot: 20 * MINUTE,
  tests: 60 * MINUTE,
};

/** What a timer can be set to: 24 days. */
const LONGEST = 2 ** 31 - 1;

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
    for (const wait of meant) timeouts[wait] = Math.min(limit, LONGEST);
  }
  return timeouts;
}
