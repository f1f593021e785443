import { formatSpan } from './durations.ts';
import { type Palette, palette, printable } from './terminal.ts';

/** What progress is written to: a terminal, a pipe, a file. */
export interface ProgressStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
}

interface Running {
  readonly since: number;
  /** Whether a line of its own has said that it runs. */
  announced: boolean;
  /** The last that it said. */
  line: string;
}

const REDRAW = 200;
/** What takes less is only named when it ends. */
const QUICK = 1000;
/** The longest silence into a pipe while something runs, by how long that has run: all in milliseconds. */
const PATIENCE: readonly (readonly [ran: number, silence: number])[] = [
  [60_000, 2_500],
  [300_000, 10_000],
  [Number.POSITIVE_INFINITY, 60_000],
];

/**
 * Says what is going on: a line for everything that ends and, on a terminal, below them what runs right now, a line each
 * with its time and the last that it said. Into a pipe or a file goes a line for what starts as well, and one for what
 * still runs where nothing was said for a while. All texts may come from outside.
 */
export class Progress {
  readonly #stream: ProgressStream;
  readonly #paint: Palette;
  readonly #live: boolean;
  readonly #running = new Map<string, Running>();
  #timer: NodeJS.Timeout | undefined;
  #drawn = 0;
  #said = 0;

  constructor(stream: ProgressStream, paint: Palette = palette(stream)) {
    this.#stream = stream;
    this.#paint = paint;
    this.#live = stream.isTTY === true && !process.env.CI && process.env.TERM !== 'dumb';
  }

  /** A line of its own. */
  line(text: string): void {
    this.#print(printable(text));
  }

  started(what: string): void {
    this.#running.set(what, { since: performance.now(), announced: false, line: '' });
    this.#timer ??= setInterval(() => (this.#live ? this.#redraw() : this.#speak()), REDRAW).unref();
    this.#redraw();
  }

  /** The last line that something running said. */
  says(what: string, line: string): void {
    const entry = this.#running.get(what);
    if (entry !== undefined) entry.line = line.replaceAll(/\s+/g, ' ');
  }

  ended(what: string, status: 'passed' | 'failed' | 'skipped' | 'cancelled', note = ''): void {
    const since = this.#running.get(what)?.since;
    this.#running.delete(what);
    const { green, red, yellow, dim } = this.#paint;
    const mark = { passed: green('✓'), failed: red('✗'), skipped: yellow('–'), cancelled: yellow('!') }[status];
    const time = since === undefined || status === 'skipped' ? '' : formatSpan(performance.now() - since).padStart(8);
    this.#print(`${mark} ${printable(what)}${time && ` ${dim(time)}`}${note && `  ${dim(printable(note))}`}`);
  }

  /** Takes away what is still drawn; what ran is forgotten. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#running.clear();
    this.#redraw();
  }

  #print(line: string): void {
    this.#erase();
    this.#stream.write(`${line}\n`);
    this.#said = performance.now();
    this.#redraw();
  }

  /** Where nothing can be drawn: what has started, and that it is still on its way. */
  #speak(): void {
    const now = performance.now();
    for (const [what, entry] of this.#running) {
      if (entry.announced || now - entry.since < QUICK) continue;
      entry.announced = true;
      this.#print(this.#paint.dim(`… ${printable(what)}`));
    }
    const [longest] = [...this.#running].toSorted(([, a], [, b]) => a.since - b.since);
    if (longest === undefined) return;
    const [what, { since, line }] = longest;
    const [, silence = 0] = PATIENCE.find(([ran]) => now - since < ran) ?? [];
    if (now - this.#said < silence || now - since < silence) return;
    this.#print(this.#paint.dim(`… ${printable(what)} ${formatSpan(now - since)}${line && `  ${printable(line)}`}`));
  }

  #erase(): void {
    if (this.#drawn > 0) this.#stream.write(`\u001b[${this.#drawn}A\u001b[0J`);
    this.#drawn = 0;
  }

  #redraw(): void {
    this.#erase();
    if (!this.#live || this.#running.size === 0) return;
    const width = Math.max(20, (this.#stream.columns ?? 80) - 1);
    const lines = [...this.#running]
      .slice(0, Math.max(1, (this.#stream.rows ?? 24) - 1))
      .map(([what, { since, line }]) => `… ${what} ${formatSpan(performance.now() - since)}${line && `  ${line}`}`);
    this.#stream.write(lines.map((line) => `${this.#paint.dim(printable(line).slice(0, width))}\n`).join(''));
    this.#drawn = lines.length;
  }
}
