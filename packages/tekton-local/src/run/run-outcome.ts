import { type PipelineRunOutcome, Stopped, type TaskOutcome } from '../outcome.ts';
import { isMatrix } from '../plan/combinations.ts';
import type { PipelineTask } from '../plan/model.ts';
import type { Plan } from '../plan/plan.ts';
import { pipelineResults } from '../plan/task-runs.ts';
import { isFailure, NO_RESULT, SKIPPED } from './schedule.ts';

type Outcomes = ReadonlyMap<string, TaskOutcome>;

/** `tasks.status`, and `tasks.<name>.status` and `.reason` for each: what finally tasks may ask for. */
export function taskStatuses({ pipeline }: Plan, outcomes: Outcomes): Record<string, string> {
  const { tasks } = pipeline;
  const values: Record<string, string> = {};
  for (const { name, onError } of tasks) {
    const outcome = outcomes.get(name);
    const ran = outcome !== undefined && outcome.status !== 'Skipped' && outcome.reason !== NO_RESULT;
    values[`tasks.${name}.status`] = !ran ? 'None' : outcome.status === 'Succeeded' ? 'Succeeded' : 'Failed';
    values[`tasks.${name}.reason`] = ran ? reasonOf(onError, outcome) : '';
  }
  const known = tasks.flatMap((task) => outcomes.get(task.name) ?? []);
  const all = known.filter(({ reason }) => reason !== NO_RESULT).map(({ status }) => status);
  // Also where the failure of a task is ignored.
  if (all.includes('Failed') || all.includes('Cancelled')) values['tasks.status'] = 'Failed';
  else values['tasks.status'] = all.includes('Skipped') ? 'Completed' : 'Succeeded';
  return values;
}

/** The whole run's outcome from those of its tasks. `stop` is why it was stopped, if it was. */
export function runOutcome(
  plan: Plan,
  outcomes: Outcomes,
  run: { name: string; startedAt: number; stop: unknown },
): PipelineRunOutcome {
  const { pipeline } = plan;
  const all = [...pipeline.tasks, ...pipeline.finally];
  const isStopping = run.stop === undefined && hasFailed(pipeline.tasks, outcomes);
  const tasks = all.flatMap((task): TaskOutcome[] => {
    const outcome = outcomes.get(task.name);
    if (outcome === undefined) return [];
    // After a failure Tekton says so of whatever was skipped, also before it and for other reasons.
    const says = isStopping && outcome.status === 'Skipped' && pipeline.tasks.includes(task);
    return [says ? { ...outcome, reason: SKIPPED.stopping } : outcome];
  });
  const invalid = tasks.filter(({ reason }) => reason === NO_RESULT);
  const started = tasks.filter((task) => !invalid.includes(task));
  const count = (status: TaskOutcome['status']): number => started.filter((task) => task.status === status).length;
  const skipped = count('Skipped');
  const ignored = all.filter(
    ({ name, onError }) =>
      onError === 'continue' && started.some((task) => task.name === name && task.status === 'Failed'),
  ).length;
  const failed = `Failed: ${count('Failed')}${ignored > 0 ? ` (Ignored: ${ignored})` : ''}`;
  let message = `Tasks Completed: ${started.length - skipped} (${failed}, Cancelled ${count('Cancelled')}), Skipped: ${skipped}`;
  let status: PipelineRunOutcome['status'] = hasFailed(all, outcomes) ? 'Failed' : 'Succeeded';
  let reason: string = status === 'Failed' ? 'Failed' : skipped > 0 ? 'Completed' : 'Succeeded';
  if (invalid.length > 0) {
    const messages = invalid.sort((a, b) => (a.name < b.name ? -1 : 1)).map((task) => task.message);
    message += `, Failed Validation: ${invalid.length} (${messages.join('; ')})`;
    [status, reason] = ['Failed', 'PipelineValidationFailed'];
  }
  if (run.stop instanceof Stopped) [status, reason] = ['Failed', run.stop.reason];
  else if (run.stop !== undefined) [status, reason] = ['Cancelled', 'Cancelled'];
  // Tekton gathers the results of a matrix for a task that asks for one, and has none where none does.
  const gathered = new Set([...plan.dependencies.values()].flatMap((dependencies) => dependencies.results));
  const known = new Map(
    all.flatMap((task): [string, TaskOutcome['results']][] => {
      const outcome = outcomes.get(task.name);
      const isLost =
        outcome === undefined || outcome.status === 'Skipped' || (isMatrix(task) && !gathered.has(task.name));
      return isLost ? [] : [[task.name, outcome.results]];
    }),
  );
  const succeeded = (name: string): boolean => outcomes.get(name)?.status === 'Succeeded';
  const { results, invalid: missing } = pipelineResults(pipeline.results, known, succeeded);
  if (missing.length > 0 && status !== 'Cancelled') {
    [status, reason] = ['Failed', 'CouldntGetPipelineResult'];
    const failed = `Failed to get PipelineResult from TaskRun Results for PipelineRun ${run.name}`;
    message = `${failed}: invalid pipelineresults [${missing.join(' ')}], the referenced results don't exist`;
  }
  const ended = { name: run.name, startedAt: run.startedAt, finishedAt: Date.now(), tasks };
  const [only] = tasks;
  if (!plan.run.isTaskRun || only === undefined) return { ...ended, status, reason, message, results };
  return { ...ended, status, reason: only.reason, message: only.message, results: only.results };
}

/** What became of a task that ran. */
function reasonOf(onError: string, { status, reason }: TaskOutcome): string {
  return status === 'Failed' && onError === 'continue' ? 'FailureIgnored' : (reason ?? '');
}

function hasFailed(tasks: readonly PipelineTask[], outcomes: Outcomes): boolean {
  return tasks.some((task) => {
    const outcome = outcomes.get(task.name);
    return outcome !== undefined && isFailure(task, outcome);
  });
}
