import { EXIT, runCommandLine } from '@multi-image/kit/command-line';
import { TektonLocalError } from './errors.ts';

interface Command {
  readonly usage: string;
  readonly start: (args: readonly string[], signal: AbortSignal) => Promise<number>;
}

/** Each command is loaded when it is asked for: help costs no more than its text. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => {
    const { run, USAGE } = await import('./commands/run.ts');
    return { start: run, usage: USAGE };
  },
  graph: async () => {
    const { graph, USAGE } = await import('./commands/graph.ts');
    return { start: graph, usage: USAGE };
  },
  logs: async () => {
    const { logs, USAGE } = await import('./commands/logs.ts');
    return { start: logs, usage: USAGE };
  },
  list: async () => {
    const { list, USAGE } = await import('./commands/list.ts');
    return { start: list, usage: USAGE };
  },
  start: async () => {
    const { start, USAGE } = await import('./commands/start.ts');
    return { start, usage: USAGE };
  },
  plan: async () => {
    const { plan, USAGE } = await import('./commands/plan.ts');
    return { start: plan, usage: USAGE };
  },
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
  const { usage, start } = await load();
  return args.includes('--help') || args.includes('-h') ? say(usage) : await start(args, signal);
}

function say(text: string): number {
  process.stdout.write(text);
  return EXIT.done;
}
