import { runCommandLine } from '../../../kit/src/command-line.ts';
import { errorFacts } from '../../../kit/src/error-text.ts';
import { printableJson } from '../../../kit/src/terminal.ts';
import { DigestChainError } from '../errors.ts';

/** Runs a verb; answers with the exit code. */
export type Run = (args: readonly string[], signal: AbortSignal) => Promise<number>;

/** What the caller got wrong, as opposed to what was found. */
const REFUSED: ReadonlySet<string> = new Set([
  'USAGE',
  'DIGEST_INVALID',
  'REFERENCE_INVALID',
  'LABEL_PREFIX_INVALID',
  'KEY_INVALID',
  'KEYLESS_UNSUPPORTED',
  'TRUSTED_ROOT_INVALID',
  'CREDENTIALS_INVALID',
  'CA_FILE_INVALID',
  'PROXY_INVALID',
]);

/** Runs a verb of the command, and prints an error as JSON too where `json` asks for that. */
export function runVerb(
  verb: string,
  load: (() => Promise<{ run: Run }>) | undefined,
  args: readonly string[],
  json: boolean,
): Promise<void> {
  return runCommandLine(
    async (_, signal) => {
      if (load !== undefined) return (await load()).run(args, signal);
      throw new DigestChainError('USAGE', `no such verb: ${verb}`, {
        expected: 'seal, link, resolve, unseal, verify, inspect, extract, snapshot, create-snapshot, judge-snapshot',
        hint: 'digest-chain --help',
      });
    },
    {
      help: load && `digest-chain ${verb} --help`,
      isRefusal: ({ code }) => REFUSED.has(code),
      onError(error) {
        if (!json) return;
        const { http, operation, side } = error as Partial<DigestChainError>;
        process.stdout.write(`${printableJson({ error: { ...errorFacts(error), http, operation, side } })}\n`);
      },
    },
  );
}
