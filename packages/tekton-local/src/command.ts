import { spawn } from 'node:child_process';
import { TektonLocalError } from './errors.ts';

export interface CommandOptions {
  cwd?: string;
  /** The whole environment of the program; the default is {@link plainEnvironment}. */
  env?: Record<string, string>;
  /** Gets each line of both streams as it comes. */
  log?: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** The most that is kept of standard output: a program that never stops talking must not fill the memory. */
const OUTPUT_LIMIT = 16 << 20;

/** What is shown of a program that failed. */
const LAST_LINES = 12;

/**
 * What the tools need to find their storage and their credentials, and nothing else of this machine: no proxy and no
 * setting that would change what they build.
 */
export function plainEnvironment(extra: Record<string, string> = {}): Record<string, string> {
  const passed = [
    'PATH',
    'HOME',
    'USER',
    'TMPDIR',
    'XDG_RUNTIME_DIR',
    'XDG_DATA_HOME',
    'XDG_CONFIG_HOME',
    'REGISTRY_AUTH_FILE',
    'DOCKER_CONFIG',
    'CONTAINERS_CONF',
    'CONTAINERS_STORAGE_CONF',
    'CONTAINERS_REGISTRIES_CONF',
    'STORAGE_DRIVER',
    'STORAGE_OPTS',
    'SSL_CERT_FILE',
    'SSL_CERT_DIR',
  ];
  const environment: Record<string, string> = { LC_ALL: 'C', TZ: 'UTC' };
  for (const name of passed) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, ...extra };
}

/**
 * Runs a program with these arguments, never through a shell, and resolves with its standard output. Rejects with
 * `TOOL_MISSING`, with `TOOL_FAILED` and the last lines it said, or with `INTERRUPTED` once the signal has ended it.
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { stdout } = await runCommandForStreams(program, args, options);
  return stdout;
}

/** Like {@link runCommand}, with both streams: for programs whose warnings matter. */
export async function runCommandForStreams(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<{ stdout: string; stderr: string }> {
  const { signal } = options;
  if (signal?.aborted) throw interrupted(program, signal.reason);
  // A group of its own, so that the signal also ends what the program started (buildah and unshare start others).
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env ?? plainEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const kill = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself in the meantime.
    }
  };
  signal?.addEventListener('abort', kill, { once: true });
  process.once('exit', kill);
  const last: string[] = [];
  const remember = (line: string): void => {
    last.push(line);
    if (last.length > LAST_LINES) last.shift();
    options.log?.(line);
  };
  const stdout = collect(child.stdout, remember);
  const stderr = collect(child.stderr, remember);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => reject(notStarted(program, error)));
      child.once('close', resolve);
    });
    if (signal?.aborted) throw interrupted(program, signal.reason);
    const streams = { stdout: stdout(), stderr: stderr() };
    if (code === 0) return streams;
    throw new TektonLocalError('TOOL_FAILED', `${program} ${args[0] ?? ''} failed: ${last.join('\n')}`, {
      expected: 'exit code 0',
      found: code === null ? 'ended by a signal' : `exit code ${code}`,
    });
  } finally {
    signal?.removeEventListener('abort', kill);
    process.off('exit', kill);
  }
}

function collect(stream: NodeJS.ReadableStream, onLine: (line: string) => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  let rest = '';
  const decoder = new TextDecoder();
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= OUTPUT_LIMIT) chunks.push(chunk);
    // A progress bar ends its lines with a carriage return.
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n|\r/);
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') onLine(line);
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function notStarted(program: string, error: NodeJS.ErrnoException): TektonLocalError {
  if (error.code !== 'ENOENT') {
    return new TektonLocalError('TOOL_FAILED', `${program} could not be started: ${error.message}`, { cause: error });
  }
  return new TektonLocalError('TOOL_MISSING', `${program} was not found`, {
    expected: `${program} on the PATH`,
    hint: `install ${program}`,
    cause: error,
  });
}

function interrupted(program: string, cause: unknown): TektonLocalError {
  return new TektonLocalError('INTERRUPTED', `${program} was stopped before it was done`, { cause });
}
