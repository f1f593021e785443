import type { ChildProcess } from 'node:child_process';
import { forEachLine } from '@multi-image/kit/lines';
import type { StepSecurity } from '../plan/model.ts';
import type { Limits } from '../plan/yaml/quantity.ts';

/** A folder of this machine that a step sees. */
export interface Mount {
  hostPath: string;
  containerPath: string;
  readOnly: boolean;
  /** Whether others see it at the same time: steps of other TaskRuns, or the caller, whose folder it is. */
  shared?: boolean;
  /** What it has to be, as `device:inode`, where something else may be put in its place before the step starts. */
  identity?: string | undefined;
  /** Whether it is the caller's own, which nothing but the steps changes. */
  callers?: boolean;
}

/** A step with everything filled in. */
export interface StepCommand {
  /** Its own in this run: `<task>-<step>-<something>`. */
  name: string;
  image: string;
  /** Whether the image has to be on this machine already. */
  neverPull: boolean;
  /** Instead of the image's entrypoint. */
  command?: readonly string[] | undefined;
  args: readonly string[];
  env: ReadonlyMap<string, string>;
  workingDir?: string | undefined;
  mounts: readonly Mount[];
  security: StepSecurity;
  limits: Limits;
  /** The name of another whose network it has, where it has not this machine's. */
  networkOf?: string | undefined;
  log(line: string): void;
  /** Says something about the run that a person has to know even where logs are not shown. */
  note(message: string): void;
  signal: AbortSignal;
}

/** Where steps run. */
export interface Executor {
  /** Whether a step finds its mounts at their mount paths, or where they are on this machine. */
  readonly paths: 'mounted' | 'host';
  /** What can be done to a step while it runs, by its name; where it can't, there are no sidecars. */
  readonly beside?: Beside;
  /** Runs a step to its end and resolves with its exit code; when the signal comes, nothing of it is left running. */
  run(step: StepCommand): Promise<number>;
}

export interface Beside {
  isRunning(name: string): Promise<boolean>;
  /** Whether a command in the step's container succeeds in that time (milliseconds). */
  succeeds(name: string, command: readonly string[], timeout: number): Promise<boolean>;
  /** Asks it to end. */
  terminate(name: string): Promise<void>;
}

/** Follows a program to its end. `kill` is called when the signal comes; the promise is then rejected with its reason. */
export async function follow(
  child: ChildProcess,
  { log, signal }: Pick<StepCommand, 'log' | 'signal'>,
  kill: () => void,
): Promise<number> {
  signal.addEventListener('abort', kill, { once: true });
  for (const stream of [child.stdout, child.stderr]) if (stream !== null) forEachLine(stream, log);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    return code ?? 137;
  } finally {
    signal.removeEventListener('abort', kill);
  }
}
