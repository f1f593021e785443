import { reasonOf } from '@multi-image/kit/errors';
import { Stopped, type TaskOutcome, withoutSteps } from '../outcome.ts';
import { combinationsOf } from '../plan/combinations.ts';
import { problemOfGiven } from '../plan/given-params.ts';
import type { PipelineTask } from '../plan/model.ts';
import type { Plan } from '../plan/plan.ts';
import { MissingResult, type Prepared, withResults } from '../plan/task-runs.ts';

/** Tekton's words for why a task was skipped. */
export const SKIPPED = {
  when: 'When Expressions evaluated to false',
  parent: 'Parent Tasks were skipped',
  results: 'Results were missing',
  stopping: 'PipelineRun was stopping',
  cancelled: 'PipelineRun was gracefully cancelled',
  timeout: 'PipelineRun timeout has been reached',
  tasksTimeout: 'PipelineRun Tasks timeout has been reached',
  matrix: 'Matrix Parameters have an empty array',
  finallyTimeout: 'PipelineRun Finally timeout has been reached',
} as const;

export interface ScheduleOptions {
  plan: Plan;
  tasks: readonly PipelineTask[];
  /** What has ended already: for finally tasks, all other tasks. */
  outcomes: Map<string, TaskOutcome>;
  /** The tasks with what is known of them before any of them ends. */
  prepared: ReadonlyMap<string, Prepared>;
  /** `tasks.status` and the like, which finally tasks may ask for. */
  statuses: Readonly<Record<string, string>>;
  /** How many tasks run at the same time. */
  parallel: number;
  /** Aborted when nothing more may start. */
  signal: AbortSignal;
  run(prepared: Prepared): Promise<TaskOutcome>;
  /** Called for each task that ends or is skipped. */
  ended(outcome: TaskOutcome): void;
}

/** Runs tasks as soon as what they wait for has ended; after a failure nothing more is started. */
export async function schedule(options: ScheduleOptions): Promise<void> {
  const { plan, outcomes, signal } = options;
  const pending = new Set(options.tasks);
  const running = new Map<string, Promise<void>>();
  const isFinally = (task: PipelineTask): boolean => plan.pipeline.finally.includes(task);
  let failed = false;
  const end = (task: PipelineTask, outcome: TaskOutcome): void => {
    outcomes.set(task.name, outcome);
    if (isFailure(task, outcome) && !isFinally(task)) failed = true;
    options.ended(outcome);
  };
  while (pending.size > 0 || running.size > 0) {
    const before = pending.size;
    let skipped = false;
    const ready = failed ? [] : [...pending].filter((task) => isReady(task, options));
    // Of what becomes ready together, Tekton refuses all that is to be refused: then nothing else starts.
    const first = new Set(ready.filter((task) => isRefused(decide(task, options))));
    for (const task of [...first, ...pending]) {
      if (!pending.has(task)) continue;
      const isStopping = failed && !first.has(task);
      const stop = signal.aborted ? stopReason(signal) : isStopping ? SKIPPED.stopping : undefined;
      if (stop === undefined && !isReady(task, options)) continue;
      if (stop === undefined && running.size >= options.parallel) break;
      pending.delete(task);
      const decision = stop ?? decide(task, options);
      if (typeof decision === 'string') {
        skipped = true;
        end(task, withoutSteps(task.name, 'Skipped', decision));
      } else if ('status' in decision) {
        end(task, decision);
      } else {
        const ended = options.run(decision).then((outcome) => {
          running.delete(task.name);
          end(task, outcome);
        });
        running.set(task.name, ended);
      }
    }
    // Skipping one task may have made an earlier one ready: look again before waiting for what runs.
    if (running.size > 0 && !skipped) await Promise.race(running.values());
    // The graph was checked; but a loop here would never let anything else of this process happen.
    else if (running.size === 0 && pending.size === before) throw new Error('tasks wait for what never ends');
  }
}

/** Whether the outcome makes the whole run fail. */
export function isFailure(task: PipelineTask, outcome: TaskOutcome): boolean {
  return outcome.status === 'Cancelled' || (outcome.status === 'Failed' && task.onError !== 'continue');
}

function stopReason({ reason }: AbortSignal): string {
  return reason instanceof Stopped ? reason.message : SKIPPED.cancelled;
}

function isReady(task: PipelineTask, { plan, outcomes }: ScheduleOptions): boolean {
  return plan.dependencies.get(task.name)?.all.every((name) => outcomes.has(name)) ?? true;
}

/** Why the task is skipped, how it failed before it ran, or the task with the results that it needs. */
function decide(task: PipelineTask, options: ScheduleOptions): string | TaskOutcome | Prepared {
  const { plan, outcomes } = options;
  const { all, results } = plan.dependencies.get(task.name) ?? { all: [], results: [] };
  const isFinally = plan.pipeline.finally.includes(task);
  const skipped = (name: string): string | undefined => {
    const outcome = outcomes.get(name);
    return outcome?.status === 'Skipped' ? outcome.reason : undefined;
  };
  const prepared = options.prepared.get(task.name);
  if (prepared === undefined) return refused(task, `${task.name} was not resolved`);
  const known = new Map([...outcomes].map(([name, outcome]) => [name, outcome.results]));
  let ready: Prepared | undefined;
  let failure: unknown;
  try {
    ready = withResults(prepared, known, isFinally ? options.statuses : {});
  } catch (error) {
    // An index that a result does not have, which no condition makes good.
    if (!(error instanceof MissingResult)) return refused(task, reasonOf(error));
    failure = error;
  }
  const wrong = ready && problemOfGiven(ready.task.params, ready.spec.params);
  if (wrong !== undefined) return refused(task, `invalid input params for task ${task.name}: ${wrong}`);
  // Before all else; and where a result is missing, with all variables of results as they are written.
  const asked = ready ?? (isFinally ? undefined : prepared);
  if (asked?.task.when.some(({ input, values, operator }) => values.includes(input) !== (operator === 'in'))) {
    return SKIPPED.when;
  }
  if (!isFinally) {
    const parents = all.map(skipped);
    if (parents.some((reason) => reason !== undefined && reason !== SKIPPED.when)) return SKIPPED.parent;
    if (results.some((name) => skipped(name) !== undefined)) return SKIPPED.results;
  }
  if (ready !== undefined) {
    if (ready.task.matrix.some(({ value }) => Array.isArray(value) && value.length === 0)) return SKIPPED.matrix;
    try {
      // Now, so that it is known before anything of the task starts.
      combinationsOf(ready.task);
      return ready;
    } catch (error) {
      failure = error;
    }
  }
  if (!(failure instanceof MissingResult)) return refused(task, String(failure));
  if (isFinally || task.onError === 'continue') return SKIPPED.results;
  return refused(task, messageOf(failure, task, outcomes));
}

/** Why a task can't be started without a result, in Tekton's words. */
function messageOf(
  { task: from, result, message }: MissingResult,
  { name }: PipelineTask,
  outcomes: ScheduleOptions['outcomes'],
): string {
  if (outcomes.get(from)?.status !== 'Succeeded') return `Invalid task result reference: ${message}`;
  return `task "${from}" completed successfully but did not emit the result "${result}", which is referenced by task "${name}"`;
}

/** Of an outcome whose task was not started, since its results' references came to nothing. */
export const NO_RESULT = 'InvalidTaskResultReference';

function isRefused(decision: ReturnType<typeof decide>): boolean {
  return typeof decision === 'object' && 'status' in decision;
}

function refused(task: PipelineTask, message: string): TaskOutcome {
  return withoutSteps(task.name, 'Failed', NO_RESULT, message);
}
