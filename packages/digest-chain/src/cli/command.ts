import type { Run } from './run.ts';

// Loaded when asked for, so that a verb starts as fast as if the others were not there, and help faster still.
const VERBS: Readonly<Record<string, () => Promise<{ run: Run }>>> = {
  seal: () => import('./seal.ts'),
  link: () => import('./link.ts'),
  resolve: () => import('./resolve.ts'),
  unseal: () => import('./unseal.ts'),
  verify: () => import('./verify.ts'),
  inspect: () => import('./inspect.ts'),
  extract: () => import('./extract.ts'),
  snapshot: () => import('./snapshot.ts'),
  'create-snapshot': () => import('./create-snapshot.ts'),
  'judge-snapshot': () => import('./judge-snapshot.ts'),
};

/** The whole command: prints to this process's streams, and sets its exit code. */
export async function command([verb = '', ...args]: readonly string[]): Promise<void> {
  const load = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  const [topic = ''] = args;
  if (['--help', '-h', 'help'].includes(verb)) await printHelp(Object.hasOwn(VERBS, topic) ? topic : 'general', false);
  else if (verb === '') await printHelp('general', true);
  else if (load !== undefined && asksFor(args, '--help', '-h')) await printHelp(verb, false);
  else await (await import('./run.ts')).runVerb(verb, load, args, asksFor(args, '--json'));
}

/** Whether an option is there, before anything else of the arguments is understood. */
function asksFor(args: readonly string[], ...options: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? undefined : end).some((arg) => options.includes(arg));
}

async function printHelp(topic: string, isMistake: boolean): Promise<void> {
  process.stdout.on('error', async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') (await import('../../../kit/src/command-line.ts')).onBrokenOutput(error);
  });
  process.stderr.on('error', () => {});
  process[isMistake ? 'stderr' : 'stdout'].write((await import('./help.ts')).HELP[topic] ?? '');
  if (isMistake) process.exitCode = 2;
}
