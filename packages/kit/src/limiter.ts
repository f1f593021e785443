/** Lets so much work go on at the same time; what is more waits for its turn, in order. */
export class Limiter {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#free = Math.max(1, limit);
  }

  /** Throws the signal's reason where that comes before the turn does. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#turn(signal);
    try {
      signal?.throwIfAborted();
      return await work();
    } finally {
      // The turn goes straight to the next one, so that nobody gets in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> | undefined {
    signal?.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(signal?.reason);
      };
      const turn = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      this.#waiting.push(turn);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }
}

/** Lets one piece of work go on at a time for each key; keeps nothing of a key that nobody works on. */
export class Turns {
  readonly #queues = new Map<string, { readonly limiter: Limiter; length: number }>();

  /** Throws the signal's reason where that comes before the turn does. */
  async run<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const queue = this.#queues.get(key) ?? { limiter: new Limiter(1), length: 0 };
    this.#queues.set(key, queue);
    queue.length++;
    try {
      return await queue.limiter.run(work, signal);
    } finally {
      if (--queue.length === 0) this.#queues.delete(key);
    }
  }
}
