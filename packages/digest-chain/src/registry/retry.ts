import { setTimeout as sleep } from 'node:timers/promises';
import type { DigestChainError } from '../errors.ts';

/** A failure that may pass; carries what is thrown when it doesn't. */
export class Transient extends Error {
  readonly failure: DigestChainError;
  /** Milliseconds that the registry asked to wait. */
  readonly retryAfter: number | undefined;
  /** The connection was an idle one that the registry had closed already: nothing is wrong, so there is no pause. */
  readonly stale: boolean;

  constructor(failure: DigestChainError, options: { retryAfter?: number | undefined; stale?: boolean } = {}) {
    super(failure.message);
    this.failure = failure;
    this.retryAfter = options.retryAfter;
    this.stale = options.stale ?? false;
  }
}

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
    readonly endsAt: number;
    readonly signal: AbortSignal;
  },
): Promise<T> {
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
      const wait = Math.max(pauseAfter(tries, options.pause), error.retryAfter ?? 0);
      if (tries >= options.retries || performance.now() + wait >= options.endsAt) throw error.failure;
      await sleep(wait, undefined, { signal: options.signal }).catch(() => {
        throw options.signal.reason;
      });
    }
  }
}

function pauseAfter(tries: number, first: number): number {
  return Math.min(first * 2 ** tries, LONGEST_PAUSE) * (0.5 + Math.random() / 2);
}

/** Retry-After in milliseconds (RFC 9110, 10.2.3): seconds, or a date. */
export function parseRetryAfter(value: string | undefined, now: number = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
