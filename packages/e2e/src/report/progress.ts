import { seconds } from '../judge/wording.ts';
import { type Palette, printable } from './terminal-text.ts';

/**
 * Says what is going on: a line for everything that ends, and on a terminal one more line, rewritten in place, with
 * what is running right now.
 */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #paint: Palette;
  readonly #live: boolean;
  readonly #running = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: NodeJS.WriteStream, paint: Palette) {
    this.#stream = stream;
    this.#paint = paint;
    this.#live = stream.isTTY === true && !process.env.CI && process.env.TERM !== 'dumb';
  }

  /** A line of its own. The text may come from outside. */
  line(text: string): void {
    this.#print(printable(text));
  }

  started(what: string): void {
    this.#running.set(what, Date.now());
    if (!this.#live) return;
    this.#timer ??= setInterval(() => this.#draw(), 200);
    this.#draw();
  }

  ended(what: string, status: 'passed' | 'failed' | 'skipped', note = ''): void {
    const began = this.#running.get(what);
    this.#running.delete(what);
    const mark = { passed: this.#paint.green('✓'), failed: this.#paint.red('✗'), skipped: this.#paint.yellow('–') }[
      status
    ];
    const time =
      began === undefined || status === 'skipped' ? '' : this.#paint.dim(seconds(Date.now() - began).padStart(8));
    this.#print(
      `${mark} ${printable(what)}${time ? ` ${time}` : ''}${note ? `  ${this.#paint.dim(printable(note))}` : ''}`,
    );
  }

  /** Takes the live line away. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#running.clear();
    this.#erase();
  }

  #print(line: string): void {
    this.#erase();
    this.#stream.write(`${line}\n`);
    this.#draw();
  }

  #erase(): void {
    if (this.#live) this.#stream.write('\r\u001b[2K');
  }

  #draw(): void {
    if (!this.#live || this.#running.size === 0) return;
    const now = Date.now();
    const text = [...this.#running].map(([what, began]) => `${what} ${seconds(now - began)}`).join(', ');
    const width = (this.#stream.columns ?? 80) - 4;
    this.#stream.write(`\r\u001b[2K${this.#paint.dim(`… ${printable(text).slice(0, width)}`)}`);
  }
}
