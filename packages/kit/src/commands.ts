import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { CodedError, type ErrorDetails } from './errors.ts';
import { forEachLine } from './lines.ts';
import { tie } from './tied.ts';

/** Why a program did not do its work. Part of the codes of each package that runs programs. */
export type CommandErrorCode =
  /** There is no such program on this machine. */
  | 'TOOL_MISSING'
  /** It could not be started, or ended with an error. */
  | 'TOOL_FAILED'
  /** The signal or the timeout ended it. */
  | 'INTERRUPTED';

export interface CommandOptions {
  readonly cwd?: string | undefined;
  /** The whole environment of the program; the default is this process's. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; the program is killed then. */
  readonly timeout?: number | undefined;
  /** Gets each line of both streams as it comes; a carriage return ends a line too. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** A session of its own, so that its end also ends what it started; it can't ask on the terminal then. */
  readonly group?: boolean | undefined;
}

export interface CommandResult {
  /** 128 where a signal ended it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as it came, for what must be hashed. */
  readonly stdoutBytes: Uint8Array;
}

/** The most that is kept of either stream: a program that never stops talking must not fill the memory. */
const OUTPUT_LIMIT = 16 << 20;
/** What is shown of a program that failed. */
const LAST_LINES = 12;

type ErrorClass = new (code: CommandErrorCode, message: string, details?: ErrorDetails) => Error;

/**
 * Runs a program with these arguments, never through a shell, and waits for its end, whatever its exit code.
 * Throws `TOOL_MISSING`, `TOOL_FAILED` where it can't be started, and `INTERRUPTED`, as errors of the class given.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
  Failure: ErrorClass = CodedError<CommandErrorCode>,
): Promise<CommandResult> {
  const signals = [options.signal, options.timeout === undefined ? undefined : AbortSignal.timeout(options.timeout)];
  const signal = AbortSignal.any(signals.filter((entry) => entry !== undefined));
  const interrupted = () =>
    new Failure('INTERRUPTED', `${program} was stopped before it was done`, { cause: signal.reason });
  if (signal.aborted) throw interrupted();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.group === true,
  });
  const { kill, release } = tie(child.pid, options);
  signal.addEventListener('abort', kill, { once: true });
  const stdout = collect(child.stdout, options.onLine);
  const stderr = collect(child.stderr, options.onLine);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => reject(notStarted(program, error, Failure)));
      child.once('close', resolve);
    });
    if (signal.aborted) throw interrupted();
    const stdoutBytes = stdout();
    return {
      exitCode: code ?? 128,
      stdout: stdoutBytes.toString('utf8'),
      stderr: stderr().toString('utf8'),
      stdoutBytes,
    };
  } finally {
    signal.removeEventListener('abort', kill);
    release();
  }
}

/** Like {@link run}, but an exit code other than 0 throws `TOOL_FAILED` with the end of what the program said. */
export async function runOrThrow(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
  Failure: ErrorClass = CodedError<CommandErrorCode>,
): Promise<CommandResult> {
  const result = await run(program, args, options, Failure);
  const { exitCode, stdout, stderr } = result;
  if (exitCode === 0) return result;
  const said = (stderr.trim() || stdout.trim()).split('\n').slice(-LAST_LINES).join('\n');
  throw new Failure('TOOL_FAILED', `${program} ${args[0] ?? ''} failed with exit code ${exitCode}`, {
    expected: `\`${[program, ...args].join(' ')}\` to exit with 0`,
    found: said === '' ? 'no word of why' : said,
  });
}

function collect(stream: Readable, onLine: ((line: string) => void) | undefined): () => Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= OUTPUT_LIMIT) chunks.push(chunk);
  });
  if (onLine !== undefined) forEachLine(stream, (line) => line !== '' && onLine(line), /\r?\n|\r/);
  return () => Buffer.concat(chunks);
}

function notStarted(program: string, cause: NodeJS.ErrnoException, Failure: ErrorClass): Error {
  if (cause.code !== 'ENOENT') {
    return new Failure('TOOL_FAILED', `${program} could not be started: ${cause.message}`, { cause });
  }
  return new Failure('TOOL_MISSING', `${program} was not found`, {
    expected: `${program} on the PATH`,
    hint: `install ${program}`,
    cause,
  });
}
