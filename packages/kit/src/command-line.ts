import { formatError } from './error-text.ts';
import { CodedError, isCodedError, reasonOf } from './errors.ts';
import { palette } from './terminal.ts';

/**
 * What every command answers with: done; what was asked for failed; it was refused, since it was called wrongly or its
 * input is bad, and nothing was done. A command that a signal ended answers with 128 and the signal's number.
 */
export const EXIT = { done: 0, failed: 1, refused: 2 } as const;

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Runs a command and sets the exit code of this process to what it answers with.
 *
 * Its signal is aborted by SIGINT, SIGTERM and SIGHUP, a second one of which ends the process at once, and with
 * `needsReader` when nobody reads the output any more; else `| head` is no reason to leave work half done.
 * An error is printed by {@link formatError}; the exit code for it is `refused` where `isRefusal` says so.
 */
export async function runCommandLine(
  command: (args: readonly string[], signal: AbortSignal) => Promise<number>,
  options: {
    /** What shows how the command is called: the hint of an error `USAGE` that has none. */
    readonly help?: string | undefined;
    /** Whether an error means that nothing was done. */
    readonly isRefusal: (error: CodedError) => boolean;
    /** Said when a signal came, before the command ends. */
    readonly onSignal?: ((signal: NodeJS.Signals) => void) | undefined;
    /** Whether the command ends when nobody reads its output any more: what it makes is only there to be looked at. */
    readonly needsReader?: boolean | undefined;
    /** Called with an error, after it was printed. */
    readonly onError?: ((error: CodedError) => void) | undefined;
  },
): Promise<void> {
  const stop = new AbortController();
  let received: keyof typeof SIGNALS | undefined;
  const handlers = Object.entries(SIGNALS).map(([name, number]) => {
    const signal = name as keyof typeof SIGNALS;
    const handler = (): void => {
      if (received !== undefined) process.exit(128 + number);
      received = signal;
      options.onSignal?.(signal);
      stop.abort(new CodedError('INTERRUPTED', `stopped by ${signal}`));
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') onBrokenOutput(error);
    else if (options.needsReader)
      stop.abort(new CodedError('INTERRUPTED', 'the output is read no more', { cause: error }));
  });
  // There is nowhere left to say it.
  process.stderr.on('error', () => {});
  let code: number;
  try {
    code = await command(process.argv.slice(2), stop.signal);
  } catch (error) {
    const shown = stop.signal.aborted ? stop.signal.reason : withHelp(error, options.help);
    process.stderr.write(formatError(shown, palette(process.stderr)));
    if (isCodedError(shown)) options.onError?.(shown);
    code = isCodedError(shown) && options.isRefusal(shown) ? EXIT.refused : EXIT.failed;
  } finally {
    for (const off of handlers) off();
  }
  // That the output was not written may be known by now.
  process.exitCode ??= received === undefined ? code : 128 + SIGNALS[received];
}

function withHelp(error: unknown, help: string | undefined): unknown {
  if (!isCodedError(error) || error.code !== 'USAGE' || error.hint !== undefined) return error;
  const { code, message, expected, found } = error;
  return new CodedError(code, message, { expected, found, hint: help, cause: error });
}

/** The output has no place, such as a full disk: a failure, though what was to be done is done. */
export function onBrokenOutput(error: NodeJS.ErrnoException): void {
  const failure = new CodedError('FILE_UNWRITABLE', `the output could not be written: ${reasonOf(error)}`);
  process.stderr.write(formatError(failure));
  process.exitCode = EXIT.refused;
}
