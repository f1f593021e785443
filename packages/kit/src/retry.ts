import { setTimeout as delay } from 'node:timers/promises';

/** A failure that may pass; carries what is thrown when it doesn't. */
export class Transient extends Error {
  readonly failure: Error;
  /** Milliseconds that the server asked to wait. */
  readonly retryAfter: number | undefined;
  /** The connection was an idle one that the server had closed already: nothing is wrong, so there is no pause. */
  readonly stale: boolean;

  constructor(failure: Error, options: { retryAfter?: number | undefined; stale?: boolean | undefined } = {}) {
    super(failure.message);
    this.failure = failure;
    this.retryAfter = options.retryAfter;
    this.stale = options.stale ?? false;
  }
}

/** What is to be thrown: of a {@link Transient} the failure that it carries. */
export function failureOf(error: unknown): unknown {
  return error instanceof Transient ? error.failure : error;
}

/** Time as retries and waits see it: a test has one that stands still until it is told. */
export interface Clock {
  /** Milliseconds since some moment, never going back. */
  now(): number;
  /** Waits for these milliseconds; rejects with the signal's reason once it is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** Milliseconds: a timer of Node's that is set to more (25 days) ends at once. */
export const LONGEST_TIMER: number = 2 ** 31 - 1;

export const systemClock: Clock = {
  // `performance` would load a dozen modules, at every start of a command.
  now: () => Number(process.hrtime.bigint()) / 1e6,
  sleep: (milliseconds, signal) =>
    delay(Math.min(milliseconds, LONGEST_TIMER), undefined, { signal }).catch(() => {
      throw signal?.reason;
    }),
};

const LONGEST_PAUSE = 8_000;

/**
 * Runs `attempt` again while it fails with {@link Transient}: with pauses that double, at random up to their length so
 * that many clients don't come back in step, and not before Retry-After. A pause that the deadline has no room for is
 * not begun: the failure is thrown at once.
 */
export async function retry<T>(
  attempt: (tries: number) => Promise<T>,
  options: {
    readonly retries: number;
    /** Milliseconds before the second try, at most. */
    readonly pause: number;
    /** Milliseconds that no pause exceeds but for Retry-After. */
    readonly longest?: number | undefined;
    /** By the clock. */
    readonly endsAt?: number | undefined;
    readonly signal?: AbortSignal | undefined;
    readonly clock?: Clock | undefined;
  },
): Promise<T> {
  const { retries, pause, longest, endsAt = Number.POSITIVE_INFINITY, signal, clock = systemClock } = options;
  let stale = 0;
  for (let tries = 0; ; tries++) {
    try {
      return await attempt(tries);
    } catch (error) {
      if (!(error instanceof Transient)) throw error;
      // Every idle connection may be stale, so these come for free, but not for ever.
      if (error.stale && stale++ < 10) {
        tries--;
        continue;
      }
      const wait = Math.max(pauseAfter(tries, pause, longest), error.retryAfter ?? 0);
      if (tries >= retries || clock.now() + wait >= endsAt) throw error.failure;
      await clock.sleep(wait, signal);
    }
  }
}

/** Milliseconds before the try after `tries` others: doubling from `first`, at random from half of that up. */
export function pauseAfter(tries: number, first: number, longest: number = LONGEST_PAUSE): number {
  return Math.min(first * 2 ** tries, longest) * (0.5 + Math.random() / 2);
}

/** Retry-After in milliseconds (RFC 9110, 10.2.3): seconds, or a date. */
export function parseRetryAfter(value: string | undefined, now: number = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
