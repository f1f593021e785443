import { EXIT, runCommandLine } from '@multi-image/kit/command-line';
import { TektonLocalError } from './errors.ts';

interface Command {
  readonly USAGE: string;
  readonly run: (args: readonly string[], signal: AbortSignal) => Promise<number>;
}

/** Each command is loaded when it is asked for: help costs no more than its text. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: () => import('./commands/run.ts'),
  graph: () => import('./commands/graph.ts'),
  logs: () => import('./commands/logs.ts'),
  list: () => import('./commands/list.ts'),
  start: () => import('./commands/start.ts'),
  plan: () => import('./commands/plan.ts'),
};

const OVERVIEW = `tekton-local COMMAND …     Tekton's PipelineRuns on this machine

  run [FILE|FOLDER]…       run PipelineRuns and TaskRuns
  start pipeline|task NAME -f FILE…  run a Pipeline or a Task without a run's file
  plan [FILE|FOLDER]…      what a run would do; starts nothing
  list [FILE|FOLDER]…      which PipelineRuns an event of Pipelines as Code starts, and why
  graph [FILE|FOLDER]…     the order of the tasks, as a diagram
  logs FOLDER              what a run said, from the folder of its --logs
  COMMAND --help           its options

Exit code: 0 done, 1 what was asked for failed, 2 refused before anything started; 129, 130 or 143 ended by a signal.
`;

/** Runs the command line of this process, and sets its exit code. */
export function main(): Promise<void> {
  return runCommandLine(dispatch, {
    isRefusal: ({ code }) => code !== 'INTERRUPTED' && code !== 'FILE_UNWRITABLE',
  });
}

async function dispatch([verb, ...args]: readonly string[], signal: AbortSignal): Promise<number> {
  const load = verb !== undefined && Object.hasOwn(COMMANDS, verb) ? COMMANDS[verb] : undefined;
  if (load === undefined) {
    if (verb === '--help' || verb === '-h' || verb === 'help') return say(OVERVIEW);
    throw new TektonLocalError('USAGE', `expected a command: ${Object.keys(COMMANDS).join(', ')}`, {
      found: verb,
      hint: 'tekton-local --help',
    });
  }
  const { USAGE, run } = await load();
  return args.includes('--help') || args.includes('-h') ? say(USAGE) : await run(args, signal);
}

function say(text: string): number {
  process.stdout.write(text);
  return EXIT.done;
}
