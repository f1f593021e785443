import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterTestingError } from './errors.ts';
import { inState } from './place.ts';

/** A program of the cluster. */
export interface Part {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Done before each start. */
  prepare?(): Promise<void>;
  /** Whether it does its work; asked again and again, and may throw as long as it does not. */
  ready(): Promise<boolean>;
  /** Milliseconds. */
  readonly patience?: number;
}

const LAST_LINES = 5;

/** The programs of a cluster, each with its log in a file. */
export class Parts {
  readonly #state: string;
  readonly #known = new Map<string, Part>();
  readonly #running = new Map<string, ChildProcess>();

  constructor(state: string) {
    this.#state = state;
  }

  /** Starts it and waits until it is ready. Throws `PART_FAILED` where it ends before, or time does. */
  async start(part: Part): Promise<void> {
    this.#known.set(part.name, part);
    await part.prepare?.();
    const file = inState.log(this.#state, part.name);
    const log = openSync(file, 'a');
    const [program, ...args] = part.command;
    const child = spawn(program, args, { env: { ...process.env, ...part.env }, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#running.set(part.name, child);
    let failure: string | undefined;
    child.once('error', (error) => {
      failure = error.message;
    });
    child.once('exit', (code, signal) => {
      failure = `it ended with ${signal ?? code}`;
      if (this.#running.get(part.name) === child) this.#running.delete(part.name);
    });
    const { patience = 60_000 } = part;
    for (const end = performance.now() + patience; failure === undefined; await sleep(50)) {
      if (await part.ready().catch(() => false)) return;
      if (performance.now() > end) failure = `not ready within ${patience / 1000} s`;
    }
    throw new ClusterTestingError('PART_FAILED', `${part.name} did not start: ${failure}`, {
      expected: part.command.join(' '),
      found: readFileSync(file, 'utf8').trim().split('\n').slice(-LAST_LINES).join('\n'),
      hint: file,
    });
  }

  /** Ends it, with its consent or without; nothing where it does not run. */
  async stop(name: string, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#running.get(name);
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** Starts one again that was stopped. */
  async startAgain(name: string): Promise<void> {
    const part = this.#known.get(name);
    if (part === undefined) {
      throw new ClusterTestingError('USAGE', `the cluster has no ${name}`, {
        expected: [...this.#known.keys()].join(', '),
      });
    }
    if (!this.#running.has(name)) await this.start(part);
  }
}
