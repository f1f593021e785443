import type { Clock } from '../../../kit/src/retry.ts';
import { DigestChainError } from '../errors.ts';
import type { Operation } from './operation.ts';

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

  /** Waits until the registry may be asked again. Throws `REGISTRY_ERROR` where the call has not as much time. */
  async pass(registry: string, { signal, endsAt }: Operation): Promise<void> {
    for (;;) {
      const now = this.#clock.now();
      const wait = (this.#opensAt.get(registry) ?? 0) - now;
      if (wait <= 0) return;
      if (now + wait >= endsAt) throw limits(registry, wait);
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

function limits(registry: string, wait: number): DigestChainError {
  return new DigestChainError('REGISTRY_ERROR', `${registry} limits how often it is asked`, {
    expected: 'a pause that this call has time for',
    found: `HTTP 429 to another request, and ${Math.ceil(wait / 1000)} s to wait (Retry-After)`,
    hint: comeBackHint(wait),
  });
}

/** What to do about a wait of so many milliseconds. */
export function comeBackHint(wait: number): string {
  return `come back in ${Math.ceil(wait / 1000)} s, as it asks (Retry-After): no call waits that long`;
}
