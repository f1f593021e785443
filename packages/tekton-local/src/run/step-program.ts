import { runCommand } from '../command.ts';
import type { StepCommand } from '../executors/executor.ts';
import { hostPathOf, mountOf } from './confined-path.ts';

/** What a step program is given for one step. */
export interface StepProgramContext {
  args: readonly string[];
  /** What the Task says, which may be anybody's: for this function, never for a program of this machine. */
  env: Readonly<Record<string, string>>;
  /**
   * The path on this machine of a path in the step. Throws outside the mounts that are this TaskRun's alone, and where a
   * link of an earlier step leads out of one.
   */
  hostPath(containerPath: string): string;
  /** The same for what the program is going to write; afterwards it belongs to the user whom the step runs as. */
  hostPathToWrite(containerPath: string): string;
  log(line: string): void;
  signal: AbortSignal;
}

/**
 * A function in place of a step's image, for steps that are no more than its entrypoint with arguments. Resolves with
 * the exit code.
 */
export type StepProgram = (context: StepProgramContext) => Promise<number>;

/** Runs a step by a function of the caller's. No step of the TaskRun runs meanwhile, so nobody changes what it sees. */
export async function runStepProgram(program: StepProgram, step: StepCommand): Promise<number> {
  const { args, env, mounts, log, signal } = step;
  const written: string[] = [];
  const hostPath = (path: string): string => {
    // What is checked here must not change before it is used.
    if (mountOf(mounts, path).shared === true) throw new Error(`${path} is in a workspace that others see as well`);
    return hostPathOf(mounts, path);
  };
  const code = await program({
    args,
    env: Object.fromEntries(env),
    hostPath,
    hostPathToWrite(path) {
      const place = hostPath(path);
      written.push(place);
      return place;
    },
    log,
    signal,
  });
  await giveTo(step, written);
  return code;
}

/** As on a cluster, what a step has written is its user's, and its modes are what they are. */
async function giveTo({ security }: StepCommand, paths: readonly string[]): Promise<void> {
  const { runAsUser = 0, runAsGroup = 0 } = security;
  if (paths.length === 0 || (runAsUser === 0 && runAsGroup === 0)) return;
  const chown = ['chown', '--recursive', '--no-dereference', `${runAsUser}:${runAsGroup}`, '--', ...paths];
  // Without root, the users of containers are known in podman's user namespace alone.
  const [program = '', ...rest] = process.getuid?.() === 0 ? chown : ['podman', 'unshare', ...chown];
  await runCommand(program, rest);
}
