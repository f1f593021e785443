import { EXIT, runCommandLine } from '@multi-image/kit/command-line';
import type { CodedError } from '@multi-image/kit/errors';
import { ManifestsError } from '../errors.ts';

const HELP = `Usage: multi-image-manifests <command> [options]

Commands
  configure  set the values of your fork in konflux.config.ts, and render
  render     write what konflux.config.ts says into .tekton/, pipeline/ and konflux/
  new-image  add an image to the chain: a Containerfile, and an entry in the config
  doctor     say what stands between this repository and a tenant
  schema     print the JSON Schema of konflux.config.ts

Every command has --help; --version prints the version.
`;

/** Runs the command line of this process, and sets its exit code. */
export function main(): Promise<void> {
  return runCommandLine(run, { isRefusal });
}

/** Runs a command line; answers with the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case 'configure':
      return (await import('./configure.ts')).runConfigure(rest);
    case 'render':
      return (await import('./render.ts')).runRender(rest);
    case 'doctor':
      return (await import('./doctor.ts')).runDoctor(rest);
    case 'new-image':
      return (await import('./new-image.ts')).runNewImage(rest);
    case 'schema':
      return (await import('./schema.ts')).runSchema(rest);
    case '--help':
    case '-h':
      process.stdout.write(HELP);
      return EXIT.done;
    default:
      throw new ManifestsError('USAGE', command === undefined ? 'no command given' : `unknown command ${command}`, {
        expected: 'configure, render, new-image, doctor or schema',
        hint: '--help shows what there is',
      });
  }
}

/** What fails though it was asked for rightly; everything else is bad input. */
const FAILED: ReadonlySet<string> = new Set<ManifestsError['code']>([
  'DRIFT',
  'PINS_CONFLICT',
  'PINS_BUILT_IN',
  'TARGET_EDITED',
  'TARGET_NOT_WRITABLE',
]);

/** Whether an error means that nothing was done, since the call or the input is wrong. */
export function isRefusal(error: CodedError): boolean {
  return !FAILED.has(error.code);
}
