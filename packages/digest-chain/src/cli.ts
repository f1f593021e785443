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
Exit status: 0 done, 1 failed, 2 wrong usage.
`;

// Loaded when asked for, so that a verb starts as fast as if the others were not there.
const VERBS: Readonly<Record<string, () => Promise<{ run(args: readonly string[]): Promise<number> }>>> = {
  seal: () => import('./cli/seal.ts'),
  link: () => import('./cli/link.ts'),
  unseal: () => import('./cli/unseal.ts'),
  verify: () => import('./cli/verify.ts'),
  inspect: () => import('./cli/inspect.ts'),
  extract: () => import('./cli/extract.ts'),
};

/** What the caller got wrong, as opposed to what was found. */
const USAGE_CODES: ReadonlySet<ErrorCode> = new Set([
  'USAGE',
  'DIGEST_INVALID',
  'REFERENCE_INVALID',
  'LABEL_PREFIX_INVALID',
  'KEY_INVALID',
] as const);

process.exitCode = await main(process.argv.slice(2));

async function main([verb, ...args]: readonly string[]): Promise<number> {
  if (verb === undefined || verb === '--help' || verb === '-h' || verb === 'help') {
    process[verb === undefined ? 'stderr' : 'stdout'].write(HELP);
    return verb === undefined ? 2 : 0;
  }
  try {
    const load = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
    if (load === undefined) {
      throw new DigestChainError('USAGE', `no such verb: ${verb}`, {
        expected: Object.keys(VERBS).join(', '),
        hint: 'digest-chain --help',
      });
    }
    return await (await load()).run(args);
  } catch (error) {
    if (!(error instanceof DigestChainError)) throw error;
    process.stderr.write(formatError(error));
    if (asksForJson(args)) {
      const { code, message, expected, found, hint } = error;
      process.stdout.write(`${printableJson({ error: { code, message, expected, found, hint } })}\n`);
    }
    return USAGE_CODES.has(error.code) ? 2 : 1;
  }
}

function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? undefined : end).includes('--json');
}
