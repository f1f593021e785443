import { renameSync, rmSync, writeFileSync } from 'node:fs';

/** Milliseconds between two states on disk at least: with many tasks, writing each would cost more than they do. */
const INTERVAL = 200;
/** How many times as long as writing took, at least: what a run says of itself costs it a twentieth at most. */
const REST = 20;

/** A JSON file that is complete at any time: another program may read it, and it stays if this one is killed. */
export class StatusFile {
  readonly #file: string;
  readonly #temporary: string;
  #next: (() => object) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;
  #took = 0;

  /** `id` is for the name of the temporary file beside it. */
  constructor(file: string, id: string) {
    this.#file = file;
    this.#temporary = `${file}.${id}`;
  }

  /** Writes this state soon, unless a newer one comes before. */
  update(state: () => object): void {
    this.#next = state;
    if (this.#timer !== undefined) return;
    this.#write();
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#write();
      },
      Math.max(INTERVAL, REST * this.#took),
    ).unref();
  }

  /** Writes the last state, or tries again where that failed. Returns why it failed, if it did. */
  flush(): unknown {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#write();
    return this.#failure;
  }

  /** A disk that is full is no reason to end a run: the file keeps the state before, and the next attempt may succeed. */
  #write(): void {
    if (this.#next === undefined) return;
    const began = performance.now();
    try {
      writeFileSync(this.#temporary, `${JSON.stringify(this.#next(), null, 2)}\n`);
      renameSync(this.#temporary, this.#file);
      this.#next = undefined;
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
      rmSync(this.#temporary, { force: true });
    }
    this.#took = performance.now() - began;
  }
}
