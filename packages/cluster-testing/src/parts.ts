import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
/** Milliseconds: Tekton's webhook would serve on for 45 s. */
const GRACE = 5000;

/**
 * Go's programs clear away garbage half as often as they would, which was a quarter of the API server's processor time; but
 * not once they are large: after twenty chains it would have 2.5 GiB to itself, of which a quarter is in use.
 */
const LESS_COLLECTION = { GOGC: '300', GOMEMLIMIT: '768MiB' };

/**
 * A part that ended without being told to. It is not started again by itself: a test that passes because a part of the
 * cluster came back in time has proved nothing.
 */
export interface DeadPart {
  readonly name: string;
  /** `it ended with SIGSEGV`. */
  readonly end: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The parts of a cluster that have died, the first first. */
export function deadParts(state: string): readonly DeadPart[] {
  const folder = inState.dead(state);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as DeadPart)
    .sort((a, b) => a.at - b.at);
}

/** Says which parts have died, how, and what they said last. */
export function deathOf(state: string, parts: readonly DeadPart[]): ClusterTestingError {
  const told = parts.map(({ name, end, at }) => {
    const file = inState.log(state, name);
    return `${name}: ${end} at ${new Date(at).toISOString()}; its log, ${file}, ends with\n${lastLines(file)}`;
  });
  const names = parts.map(({ name }) => name).join(', ');
  return new ClusterTestingError('PART_DIED', `of the cluster, ${names} died`, {
    expected: 'every part to run until it is stopped',
    found: told.join('\n'),
    hint: 'pnpm cluster up starts again what died',
  });
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trim().split('\n').slice(-LAST_LINES).join('\n');
}

/** The programs of a cluster, each with its log in a file. */
export class Parts {
  readonly #state: string;
  readonly #known = new Map<string, Part>();
  readonly #running = new Map<string, ChildProcess>();

  constructor(state: string) {
    this.#state = state;
    mkdirSync(inState.dead(state), { recursive: true });
  }

  /** Starts it and waits until it is ready. Throws `PART_FAILED` where it ends before, or time does. */
  async start(part: Part): Promise<void> {
    this.#known.set(part.name, part);
    await part.prepare?.();
    const file = inState.log(this.#state, part.name);
    const log = openSync(file, 'a');
    const [program, ...args] = part.command;
    const child = spawn(program, args, {
      env: { ...process.env, ...LESS_COLLECTION, ...part.env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#running.set(part.name, child);
    const dead = join(inState.dead(this.#state), part.name);
    rmSync(dead, { force: true });
    let failure: string | undefined;
    child.once('error', (error) => {
      failure = error.message;
    });
    child.once('exit', (code, signal) => {
      failure = `it ended with ${signal ?? code}`;
      // One that is told to end is none of the running any more.
      if (this.#running.get(part.name) !== child) return;
      this.#running.delete(part.name);
      writeFileSync(dead, JSON.stringify({ name: part.name, end: failure, at: Date.now() } satisfies DeadPart));
    });
    const { patience = 60_000 } = part;
    for (const end = performance.now() + patience; failure === undefined; await sleep(50)) {
      if (await part.ready().catch(() => false)) return;
      if (performance.now() > end) failure = `not ready within ${patience / 1000} s`;
    }
    throw new ClusterTestingError('PART_FAILED', `${part.name} did not start: ${failure}`, {
      expected: part.command.join(' '),
      found: lastLines(file),
      hint: file,
    });
  }

  /** Ends it, with its consent or without; nothing where it does not run. */
  async stop(name: string, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#running.get(name);
    if (child === undefined) return;
    const ended = once(child, 'exit');
    this.#running.delete(name);
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), GRACE);
    await ended;
    clearTimeout(timer);
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
