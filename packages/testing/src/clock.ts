import { setImmediate } from 'node:timers/promises';
import { type Clock, systemClock } from '@multi-image/kit/retry';

/** Time that passes only by being waited for, or by being told to. */
export class TestClock implements Clock {
  #now = 0;
  /** Milliseconds of every wait. */
  readonly waits: number[] = [];

  now(): number {
    return this.#now;
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.waits.push(milliseconds);
    this.#now += milliseconds;
    // What is under way gets its turn, as it does in any pause.
    await setImmediate();
    signal?.throwIfAborted();
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }
}

/** Real time for pauses; what is longer than a second, as limits are, ends only when a test says so. */
export class HeldClock implements Clock {
  #passed = 0;
  readonly #held = new Set<() => void>();

  now(): number {
    return systemClock.now() + this.#passed;
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (milliseconds <= 1000) return systemClock.sleep(milliseconds, signal);
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#held.add(resolve);
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    await promise;
  }

  /** Everything that has a limit by now has reached it. */
  expire(): void {
    this.#passed += 24 * 3_600_000;
    for (const end of this.#held) end();
    this.#held.clear();
  }
}
