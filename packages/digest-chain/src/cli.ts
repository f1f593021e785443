#!/usr/bin/env node
import type { Run } from './cli/run.ts';

// Loaded when asked for, so that a verb starts as fast as if the others were not there, and help faster still.
const VERBS: Readonly<Record<string, () => Promise<{ run: Run }>>> = {
  seal: () => import('./cli/seal.ts'),
  link: () => import('./cli/link.ts'),
  unseal: () => import('./cli/unseal.ts'),
  verify: () => import('./cli/verify.ts'),
  inspect: () => import('./cli/inspect.ts'),
  extract: () => import('./cli/extract.ts'),
};

const [verb = '', ...args] = process.argv.slice(2);
const load = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;

if (['', '--help', '-h', 'help'].includes(verb)) await printHelp('general');
else if (load !== undefined && asksFor('--help', '-h')) await printHelp(verb);
else await (await import('./cli/run.ts')).runVerb(verb, load, args, asksFor('--json'));

/** Whether an option is there, before anything else of the arguments is understood. */
function asksFor(...options: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? undefined : end).some((arg) => options.includes(arg));
}

async function printHelp(topic: string): Promise<void> {
  process.stdout.on('error', async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') (await import('../../kit/src/command-line.ts')).onBrokenOutput(error);
  });
  process.stderr.on('error', () => {});
  process[verb === '' ? 'stderr' : 'stdout'].write((await import('./cli/help.ts')).HELP[topic] ?? '');
  if (verb === '') process.exitCode = 2;
}
