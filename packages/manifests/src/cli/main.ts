import { ManifestsError } from '../errors.ts';
import { runRender } from './render.ts';
import { escapeTerminal } from './terminal.ts';

const HELP = `Usage: multi-image-manifests <command> [options]

Commands
  render     write what konflux.config.ts says into .tekton/, pipeline/ and konflux/

Every command has --help.
`;

/** Runs the command line. Answers with the exit code: 0 done, 1 failed, 2 called wrongly or bad input. */
export async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  try {
    switch (command) {
      case 'render':
        return await runRender(rest);
      case '--help':
      case '-h':
        process.stdout.write(HELP);
        return 0;
      default:
        throw new ManifestsError('USAGE', command === undefined ? 'no command given' : `unknown command ${command}`, {
          expected: 'render',
          hint: '--help shows what there is',
        });
    }
  } catch (error) {
    if (!(error instanceof ManifestsError)) throw error;
    const { message, code, expected, found, hint } = error;
    const lines = [
      `${code}: ${message}`,
      ...(expected === undefined ? [] : [`  expected: ${expected}`]),
      ...(found === undefined ? [] : [`  found:    ${found}`]),
      ...(hint === undefined ? [] : [`  hint:     ${hint}`]),
    ];
    process.stderr.write(`${escapeTerminal(lines.join('\n'))}\n`);
    return code === 'DRIFT' || code === 'TARGET_EDITED' || code === 'TARGET_NOT_WRITABLE' ? 1 : 2;
  }
}
