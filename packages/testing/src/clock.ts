import type { Clock } from '@multi-image/kit/retry';

/** A clock on which every pause is over at once, and noted. */
export function makeClock(): Clock & { readonly pauses: readonly number[] } {
  const pauses: number[] = [];
  return {
    pauses,
    now: () => pauses.reduce((total, pause) => total + pause, performance.now()),
    async sleep(milliseconds, signal) {
      signal?.throwIfAborted();
      pauses.push(milliseconds);
      // What others do meanwhile gets its turn.
      await new Promise(setImmediate);
    },
  };
}
