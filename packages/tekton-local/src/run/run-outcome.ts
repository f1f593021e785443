import { type PipelineRunOutcome, Stopped, type TaskOutcome } from '../outcome.ts';
import type { ParamValue, PipelineTask } from '../plan/model.ts';
import type { Plan } from '../plan/plan.ts';
import { type Scope, substituteValue, UnresolvedReference } from '../plan/substitute.ts';
import { isFailure } from './schedule.ts';

type Outcomes = ReadonlyMap<string, TaskOutcome>;

/** `tasks.status`, and `tasks.<name>.status` and `.reason` for each: what finally tasks may ask for. */
export function taskStatuses({ pipeline }: Plan, outcomes: Outcomes): Record<string, string> {
  const { tasks } = pipeline;
  const values: Record<string, string> = {};
  for (const { name } of tasks) {
    const outcome = outcomes.get(name);
    const ran = outcome !== undefined && outcome.status !== 'Skipped';
    values[`tasks.${name}.status`] = !ran ? 'None' : outcome.status === 'Succeeded' ? 'Succeeded' : 'Failed';
    values[`tasks.${name}.reason`] = ran ? (outcome.reason ?? '') : '';
  }
  const all = tasks.map((task) => outcomes.get(task.name)?.status);
  if (hasFailed(tasks, outcomes)) values['tasks.status'] = 'Failed';
  else values['tasks.status'] = all.includes('Skipped') ? 'Completed' : 'Succeeded';
  return values;
}

/** The whole run's outcome from those of its tasks. `stop` is why it was stopped, if it was. */
export function runOutcome(
  plan: Plan,
  outcomes: Outcomes,
  run: { name: string; startedAt: number; values: Readonly<Record<string, string>>; stop: unknown },
): PipelineRunOutcome {
  const { pipeline } = plan;
  const all = [...pipeline.tasks, ...pipeline.finally];
  const tasks = all.flatMap((task) => outcomes.get(task.name) ?? []);
  const count = (status: TaskOutcome['status']): number => tasks.filter((task) => task.status === status).length;
  const skipped = count('Skipped');
  let message = `Tasks Completed: ${tasks.length - skipped} (Failed: ${count('Failed')}, Cancelled ${count('Cancelled')}), Skipped: ${skipped}`;
  let status: PipelineRunOutcome['status'] = hasFailed(all, outcomes) ? 'Failed' : 'Succeeded';
  let reason: string = status === 'Failed' ? 'Failed' : skipped > 0 ? 'Completed' : 'Succeeded';
  if (run.stop instanceof Stopped) [status, reason] = ['Failed', run.stop.reason];
  else if (run.stop !== undefined) [status, reason] = ['Cancelled', 'Cancelled'];
  const results: Record<string, ParamValue> = {};
  const scope: Scope = {
    params: plan.params,
    // Of tasks that failed only where the pipeline takes no notice of it.
    tasks: new Map(
      all.flatMap((task): [string, TaskOutcome['results']][] => {
        const outcome = outcomes.get(task.name);
        return outcome === undefined || isFailure(task, outcome) ? [] : [[task.name, outcome.results]];
      }),
    ),
    values: { ...run.values, ...taskStatuses(plan, outcomes) },
  };
  for (const { name, value } of pipeline.results) {
    try {
      results[name] = substituteValue(value, scope);
    } catch (error) {
      if (!(error instanceof UnresolvedReference)) throw error;
      const outcome = outcomes.get(error.reference.names[1] ?? '');
      if (status !== 'Succeeded' || outcome?.status === 'Skipped') continue;
      [status, reason] = ['Failed', 'CouldntGetPipelineResult'];
      message = `result ${name}: ${error.message}`;
    }
  }
  const ended = { name: run.name, startedAt: run.startedAt, finishedAt: Date.now(), tasks };
  const [only] = tasks;
  if (!plan.run.isTaskRun || only === undefined) return { ...ended, status, reason, message, results };
  return { ...ended, status, reason: only.reason, message: only.message, results: only.results };
}

function hasFailed(tasks: readonly PipelineTask[], outcomes: Outcomes): boolean {
  return tasks.some((task) => {
    const outcome = outcomes.get(task.name);
    return outcome !== undefined && isFailure(task, outcome);
  });
}
