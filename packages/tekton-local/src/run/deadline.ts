import { LONGEST_TIMER } from '@multi-image/kit/retry';
import { Stopped } from '../outcome.ts';

/** A signal that comes from a parent, or when the time is up. No limit if it is 0. */
export class Deadline {
  readonly #own = new AbortController();
  readonly #message: string;
  readonly #reason: string;
  readonly signal: AbortSignal;
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number, message: string, reason: string, parent?: AbortSignal) {
    this.#message = message;
    this.#reason = reason;
    this.signal = parent === undefined ? this.#own.signal : AbortSignal.any([parent, this.#own.signal]);
    this.start(milliseconds);
  }

  start(milliseconds: number): void {
    if (milliseconds <= 0) return;
    const stop = (): void => this.#own.abort(new Stopped('Failed', this.#reason, this.#message));
    this.#timer = setTimeout(stop, Math.min(milliseconds, LONGEST_TIMER));
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
