import type { Clock } from '../../../kit/src/retry.ts';
import { DigestChainError } from '../errors.ts';

/** A call that is under way: when it must be over, and the signal that then ends it. */
export interface Operation {
  readonly signal: AbortSignal;
  /** By the client's clock. */
  readonly endsAt: number;
  /** As the caller's `CallOptions` say. */
  readonly namedBy?: string | undefined;
}

/** Runs work that ends after `time` milliseconds with `REGISTRY_TIMEOUT`, or with one of the signals with `ABORTED`. */
export async function runOperation<T>(
  time: number,
  signals: readonly (AbortSignal | undefined)[],
  clock: Clock,
  work: (operation: Operation) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), time);
  const signal = AbortSignal.any([deadline.signal, ...signals.filter((given) => given !== undefined)]);
  try {
    signal.throwIfAborted();
    return await work({ signal, endsAt: clock.now() + time });
  } catch (error) {
    // Whatever broke off did so because of the signal, and says it in its own way.
    if (deadline.signal.aborted) {
      throw new DigestChainError('REGISTRY_TIMEOUT', 'the registry took too long, all tries together', {
        expected: `an answer within ${time / 1000} s`,
        found: 'none',
        cause: error,
      });
    }
    if (signal.aborted) throw new DigestChainError('ABORTED', 'stopped before it was done', { cause: signal.reason });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** What a promise gives, unless the signal comes first; the promise itself goes on for others who wait for it. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
