#!/usr/bin/env node
import { formatError, printableJson } from './cli/terminal.ts';
import { DigestChainError, type ErrorCode } from './errors.ts';

const HELP = `Usage: digest-chain <verb> …

Links container images by digest, in both directions, and proves the link.

Verbs:
  seal      write the digests of the images that embed an image into its labels
  link      link images by a chain statement alone, and change none of them
  unseal    reconstruct an image as it was before it was sealed
  verify    prove that images name each other by digest
  inspect   show a chain: its images, links, referrers and signatures
  extract   wait for an image, verify it, answer with another image of its chain

digest-chain <verb> --help prints a verb's options, with examples.
Exit status: 0 done, 1 failed, 2 wrong usage, or what was found could not be printed.
`;

interface Verb {
  help(): Promise<{ HELP: string }>;
  load(): Promise<{ run(args: readonly string[]): Promise<number> }>;
}

// Loaded when asked for, so that a verb starts as fast as if the others were not there, and its help faster still.
const VERBS: Readonly<Record<string, Verb>> = {
  seal: { help: () => import('./cli/help/seal.ts'), load: () => import('./cli/seal.ts') },
  link: { help: () => import('./cli/help/link.ts'), load: () => import('./cli/link.ts') },
  unseal: { help: () => import('./cli/help/unseal.ts'), load: () => import('./cli/unseal.ts') },
  verify: { help: () => import('./cli/help/verify.ts'), load: () => import('./cli/verify.ts') },
  inspect: { help: () => import('./cli/help/inspect.ts'), load: () => import('./cli/inspect.ts') },
  extract: { help: () => import('./cli/help/extract.ts'), load: () => import('./cli/extract.ts') },
};

/** What the caller got wrong, as opposed to what was found. */
const USAGE_CODES: ReadonlySet<ErrorCode> = new Set([
  'USAGE',
  'DIGEST_INVALID',
  'REFERENCE_INVALID',
  'LABEL_PREFIX_INVALID',
  'KEY_INVALID',
] as const);

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever read the output is gone (`| head`): what was to be done is done all the same.
  if (error.code === 'EPIPE') return;
  const message = `the output could not be written: ${error.message}`;
  process.stderr.write(formatError(new DigestChainError('FILE_UNWRITABLE', message)));
  process.exitCode = 2;
});
// There is nowhere left to say it.
process.stderr.on('error', () => {});

const status = await main(process.argv.slice(2));
// That the output was not written may be known by now.
process.exitCode ??= status;

async function main([verb, ...args]: readonly string[]): Promise<number> {
  if (verb === undefined || verb === '--help' || verb === '-h' || verb === 'help') {
    process[verb === undefined ? 'stderr' : 'stdout'].write(HELP);
    return verb === undefined ? 2 : 0;
  }
  try {
    const known = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
    if (known === undefined) {
      throw new DigestChainError('USAGE', `no such verb: ${verb}`, {
        expected: Object.keys(VERBS).join(', '),
        hint: 'digest-chain --help',
      });
    }
    if (asksFor(args, '--help', '-h')) {
      process.stdout.write((await known.help()).HELP);
      return 0;
    }
    return await (await known.load()).run(args);
  } catch (error) {
    if (!(error instanceof DigestChainError)) throw error;
    process.stderr.write(formatError(error));
    if (asksFor(args, '--json')) {
      const { code, message, expected, found, hint } = error;
      process.stdout.write(`${printableJson({ error: { code, message, expected, found, hint } })}\n`);
    }
    return USAGE_CODES.has(error.code) ? 2 : 1;
  }
}

/** Whether an option is there, before anything else of the arguments is understood. */
function asksFor(args: readonly string[], ...options: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? undefined : end).some((arg) => options.includes(arg));
}
