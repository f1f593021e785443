import { spawn } from 'node:child_process';
import { E2eError } from './errors.ts';

export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
  /** Standard output as it came, for what must be hashed. */
  stdoutBytes: Uint8Array;
}

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
  /** Milliseconds; the command is killed then. */
  timeout?: number;
}

/** The most that is kept of either stream: a tool that never stops talking must not fill the memory. */
const OUTPUT_LIMIT = 4 << 20;

/**
 * Runs a program with these arguments, never through a shell, and waits for its end, whatever its exit code.
 * Throws `TOOL_MISSING` where there is no such program, `INTERRUPTED` where the signal or the timeout ended it.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const signals = [options.signal, options.timeout === undefined ? undefined : AbortSignal.timeout(options.timeout)];
  const signal = AbortSignal.any(signals.filter((entry) => entry !== undefined));
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') {
        reject(new E2eError('TOOL_MISSING', `${program} was not found`, { hint: `install ${program}`, cause: error }));
      } else if (signal.aborted) {
        reject(new E2eError('INTERRUPTED', `${program} was stopped before it was done`, { cause: error }));
      } else {
        reject(new E2eError('TOOL_FAILED', `${program} could not be started: ${error.message}`, { cause: error }));
      }
    });
    child.once('close', (code) => resolve(code ?? 128));
  });
  const stdoutBytes = stdout();
  return { exitCode, stdout: stdoutBytes.toString('utf8'), stderr: stderr().toString('utf8'), stdoutBytes };
}

/** Like {@link run}, but an exit code other than 0 throws `TOOL_FAILED` with the end of what the program said. */
export async function runOrThrow(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await run(program, args, options);
  if (exitCode === 0) return stdout;
  throw new E2eError('TOOL_FAILED', `${program} ${args[0] ?? ''} failed with exit code ${exitCode}`, {
    expected: `\`${[program, ...args].join(' ')}\` to exit with 0`,
    found: (stderr || stdout).trim().split('\n').slice(-8).join('\n'),
  });
}

function collect(stream: NodeJS.ReadableStream): () => Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= OUTPUT_LIMIT) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks);
}
