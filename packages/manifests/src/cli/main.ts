import { ManifestsError, type ManifestsErrorCode } from '../errors.ts';
import { runConfigure } from './configure.ts';
import { runDoctor } from './doctor.ts';
import { runRender } from './render.ts';
import { runSchema } from './schema.ts';
import { escapeTerminal } from './terminal.ts';

const HELP = `Usage: multi-image-manifests <command> [options]

Commands
  configure  set the values of your fork in konflux.config.ts, and render
  render     write what konflux.config.ts says into .tekton/, pipeline/ and konflux/
  doctor     say what stands between this repository and a tenant
  schema     print the JSON Schema of konflux.config.ts

Every command has --help.
`;

/** What fails though it was asked for rightly; everything else is bad input. */
const FAILED: ReadonlySet<ManifestsErrorCode> = new Set([
  'DRIFT',
  'PINS_CONFLICT',
  'PINS_BUILT_IN',
  'TARGET_EDITED',
  'TARGET_NOT_WRITABLE',
]);

/** Runs the command line. Answers with the exit code: 0 done, 1 failed, 2 called wrongly or bad input. */
export async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  try {
    switch (command) {
      case 'configure':
        return await runConfigure(rest);
      case 'render':
        return await runRender(rest);
      case 'doctor':
        return await runDoctor(rest);
      case 'schema':
        return runSchema(rest);
      case '--help':
      case '-h':
        process.stdout.write(HELP);
        return 0;
      default:
        throw new ManifestsError('USAGE', command === undefined ? 'no command given' : `unknown command ${command}`, {
          expected: 'configure, render, doctor or schema',
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
    return FAILED.has(code) ? 1 : 2;
  }
}
