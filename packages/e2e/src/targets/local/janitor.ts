import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '@multi-image/kit/cache-folder';

/** Something that a run made and that must be gone after it. */
export type Leftover =
  | { kind: 'folder'; path: string }
  | { kind: 'process'; pid: number }
  | { kind: 'containers'; prefix: string }
  | { kind: 'image'; name: string };

/**
 * Removes what a run made, however the run ends. A process of its own does the work: it reads the list of leftovers
 * from a pipe and starts when the pipe closes, which the kernel does for us on a crash and even on SIGKILL.
 */
export class Janitor {
  /**
   * In the environment of everything that the run starts, so that no process of it can be missed, and in the names of its
   * containers; begins with the process that made them.
   */
  readonly marker: string;
  readonly #process: ChildProcess;
  readonly #done: Promise<void>;

  constructor() {
    this.marker = `${process.pid}-${randomBytes(8).toString('hex')}`;
    this.#process = spawn(process.execPath, [script(), this.marker], {
      // Its own session: a Ctrl-C in the terminal goes to the foreground's process group and must not reach it.
      detached: true,
      stdio: ['pipe', 'ignore', 'inherit'],
      // The same cache as the command's own.
      env: { ...process.env, NODE_COMPILE_CACHE: cacheFolder('multi-image-e2e', 'compiled') },
    });
    this.#done = new Promise((resolve) => this.#process.once('close', () => resolve()));
    this.#process.stdin?.on('error', () => {});
    process.env.MULTI_IMAGE_RUN = this.marker;
  }

  /** Remembers something to remove. Call it before the thing is made: nothing can then fall between. */
  remember(leftover: Leftover): void {
    this.#process.stdin?.write(`${JSON.stringify(leftover)}\n`);
  }

  /** Removes everything remembered, and waits until it is gone. */
  async finish(): Promise<void> {
    delete process.env.MULTI_IMAGE_RUN;
    this.#process.stdin?.end();
    await this.#done;
  }

  /** Leaves everything where it is (`--keep`). */
  async leave(): Promise<void> {
    delete process.env.MULTI_IMAGE_RUN;
    this.#process.stdin?.end('keep\n');
    await this.#done;
  }
}

function script(): string {
  // Beside this file under the same ending: .ts in the repository, .js in the published package.
  return fileURLToPath(
    new URL(import.meta.url.endsWith('.ts') ? 'janitor-process.ts' : 'janitor-process.js', import.meta.url),
  );
}
