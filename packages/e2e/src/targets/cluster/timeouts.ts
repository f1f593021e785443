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

/** A limit as people say it, in the unit that it was given in: `90 seconds`, `15 minutes`, `4 hours`. */
export function span(milliseconds: number): string {
  const hour = 60 * MINUTE;
  const [size, unit] =
    milliseconds % hour === 0 ? [hour, 'hour'] : milliseconds % MINUTE === 0 ? [MINUTE, 'minute'] : [1000, 'second'];
  const count = milliseconds / size;
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** Reads `30m` (for every wait) and `runs=4h` (for one). Throws `USAGE`. */
export function parseTimeouts(values: readonly string[] = []): Timeouts {
  const timeouts = { ...DEFAULT_TIMEOUTS };
  for (const value of values) {
    const match = /^(?:([a-z]+)=)?(\d{1,6})(s|m|h)$/.exec(value);
    const [, name, number, unit] = match ?? [];
    const milliseconds = Number(number) * (unit === 'h' ? 60 * MINUTE : unit === 'm' ? MINUTE : 1000);
    const names = Object.keys(timeouts) as (keyof Timeouts)[];
    const meant = name === undefined ? names : names.filter((wait) => wait === name);
    if (match === null || meant.length === 0 || milliseconds <= 0) {
      throw new E2eError('USAGE', 'not a timeout', {
        expected: `30m, or one of ${names.join(', ')} as in runs=4h`,
        found: value,
      });
    }
    for (const wait of meant) timeouts[wait] = milliseconds;
  }
  return timeouts;
}
