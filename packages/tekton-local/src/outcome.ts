import type { ParamValue } from './plan/model.ts';

/** How a step ended. */
export interface StepOutcome {
  name: string;
  /** Absent if the step was not run, or ended by a stop. */
  exitCode?: number;
  /** Its conditions were not true: it was not run, which is no failure. */
  skipped?: boolean;
  /** The last lines that it said. Text from the step: escape it before it goes to a terminal. */
  logTail: string[];
  startedAt?: number;
  finishedAt?: number;
}

/** How a task of the pipeline ended. Times are milliseconds since 1970. */
export interface TaskOutcome {
  name: string;
  status: 'Succeeded' | 'Failed' | 'Skipped' | 'Cancelled';
  /** Tekton's reason, e.g. `TaskRunTimeout`, `When Expressions evaluated to false`. */
  reason?: string;
  message?: string;
  results: Record<string, ParamValue>;
  /** What it was called with, every reference resolved. Absent if it was not started. */
  params?: Record<string, ParamValue>;
  startedAt?: number;
  finishedAt?: number;
  steps: StepOutcome[];
  /** Of a matrix: one for each combination. */
  runs?: TaskOutcome[];
}

/** The outcome of a task none of whose steps ran. */
export function withoutSteps(
  name: string,
  status: TaskOutcome['status'],
  reason: string,
  message: string = reason,
): TaskOutcome {
  return { name, status, reason, message, results: {}, steps: [] };
}

/** Each TaskRun of a task: of a matrix, one for each combination. */
export function taskRunsOf(task: TaskOutcome): TaskOutcome[] {
  return task.runs ?? [task];
}

/** The results of a matrix: each is the array of its runs' results. */
export function gatherResults(runs: readonly Readonly<Record<string, ParamValue>>[]): Record<string, string[]> {
  const results: Record<string, string[]> = {};
  for (const [name, value] of runs.flatMap(Object.entries<ParamValue>)) {
    if (typeof value === 'string') results[name] = [...(results[name] ?? []), value];
  }
  return results;
}

/** What was signed for a run. */
export interface ChainsOutcome {
  /** PEM, for `cosign verify --key`. */
  publicKey: string;
  /** Images with a signature of their own: `registry/repository@digest`. */
  signed: string[];
  /** Images that got the provenance of the whole run. */
  attested: string[];
}

/** How a PipelineRun ended. Times are milliseconds since 1970. */
export interface PipelineRunOutcome {
  name: string;
  status: 'Succeeded' | 'Failed' | 'Cancelled';
  reason?: string;
  message?: string;
  results: Record<string, ParamValue>;
  startedAt: number;
  finishedAt: number;
  tasks: TaskOutcome[];
  /** With the option `chains`: what was signed, unless that failed (then a note says so). */
  chains?: ChainsOutcome;
}

/** What happens during a run. */
export type RunEvent =
  | { type: 'note'; message: string }
  | { type: 'task-started'; task: string }
  | { type: 'task-finished'; task: string; status: TaskOutcome['status']; reason?: string; message?: string }
  /** One line of a step. Text from the step: escape it before it goes to a terminal. */
  | { type: 'log'; task: string; step: string; line: string };

/** The annotation of why tasks were skipped, where Tekton says of them all that the run was stopping: as JSON, by name. */
export const SKIPPED_FOR = 'tekton-local/skipped-for';

/** Why something was stopped from outside: the reason of an AbortSignal. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  readonly status: 'Cancelled' | 'Failed';
  readonly reason: string;

  constructor(status: 'Cancelled' | 'Failed', reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}
