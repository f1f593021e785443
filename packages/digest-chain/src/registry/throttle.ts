import type { Clock } from '../../../kit/src/retry.ts';

/** As many requests that a registry limits in a row, without one that it takes, are tried again: all calls together. */
const BUDGET = 64;

/**
 * What the calls of a client share of a registry's limits. Where one was told to come back later, the others wait as well:
 * each would only be told the same, and use up its tries. And there is an end to it.
 */
export class Throttle {
  readonly #clock: Clock;
  readonly #opensAt = new Map<string, number>();
  readonly #limited = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Waits until the registry may be asked again. */
  async pass(registry: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const wait = (this.#opensAt.get(registry) ?? 0) - this.#clock.now();
      if (wait <= 0) return;
      await this.#clock.sleep(wait, signal);
    }
  }

  /** Notes an answer that was of use. */
  taken(registry: string): void {
    this.#limited.delete(registry);
  }

  /** Notes a 429, and for how many milliseconds; answers with whether another try is left. */
  limited(registry: string, wait: number): boolean {
    const count = (this.#limited.get(registry) ?? 0) + 1;
    this.#limited.set(registry, count);
    this.#opensAt.set(registry, Math.max(this.#opensAt.get(registry) ?? 0, this.#clock.now() + wait));
    return count <= BUDGET;
  }
}
