import { formatDuration } from './duration.ts';
import type { RunEvent, TaskOutcome } from './outcome.ts';
import { escapeText } from './show.ts';

/** What the tree is written to: a terminal. */
export interface Terminal {
  columns?: number;
  rows?: number;
  write(text: string): unknown;
}

interface Entry {
  startedAt: number;
  finishedAt?: number;
  status?: TaskOutcome['status'];
  message?: string;
  /** The last line that a step said. */
  line?: string;
}

const SIGNS = { Succeeded: '✓', Failed: '✗', Skipped: '-', Cancelled: '!' } as const;

/**
 * The tasks of a run on a terminal: those that have ended stay above, those that run are drawn below with their time
 * and the last line of their log.
 */
export class LiveTree {
  readonly #terminal: Terminal;
  readonly #entries = new Map<string, Entry>();
  readonly #timer: NodeJS.Timeout;
  #drawn = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#timer = setInterval(() => this.#draw(), 200);
    this.#timer.unref();
  }

  show(event: RunEvent): void {
    if (event.type === 'note') this.#print(`· ${escapeText(event.message)}`);
    else if (event.type === 'task-started') this.#entries.set(event.task, { startedAt: Date.now() });
    else if (event.type === 'log') this.#log(event.task, event.step, event.line);
    else this.#finish(event);
    this.#draw();
  }

  /** Takes away what is still drawn. */
  end(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  #log(task: string, step: string, line: string): void {
    const entry = this.#entries.get(task);
    if (entry !== undefined) entry.line = `${step}: ${escapeText(line).replaceAll(/\s+/g, ' ')}`;
  }

  #finish({ task, status, message }: RunEvent & { type: 'task-finished' }): void {
    const entry = this.#entries.get(task);
    const time = entry === undefined ? '' : formatDuration(Date.now() - entry.startedAt);
    const why = status === 'Succeeded' || message === undefined ? '' : `  ${escapeText(message).split('\n')[0]}`;
    this.#entries.delete(task);
    this.#print(`${SIGNS[status]} ${task} ${time}${why}`);
  }

  #print(line: string): void {
    this.#clear();
    this.#terminal.write(`${line}\n`);
  }

  #draw(): void {
    this.#clear();
    const width = Math.max(20, (this.#terminal.columns ?? 80) - 1);
    const height = Math.max(1, (this.#terminal.rows ?? 24) - 1);
    const lines = [...this.#entries].map(([task, { startedAt, line = '' }]) =>
      `● ${task} ${formatDuration(Date.now() - startedAt)}  ${line}`.slice(0, width),
    );
    const shown = lines.slice(0, height);
    this.#terminal.write(shown.map((line) => `${line}\n`).join(''));
    this.#drawn = shown.length;
  }

  #clear(): void {
    if (this.#drawn > 0) this.#terminal.write(`\u001b[${this.#drawn}A\u001b[0J`);
    this.#drawn = 0;
  }
}
