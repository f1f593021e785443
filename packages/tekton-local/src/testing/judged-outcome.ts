import { type PipelineRunOutcome, type TaskOutcome, taskRunsOf } from '../outcome.ts';
import type { Judge, JudgedEnding, Question } from './judge.ts';

/**
 * What a PipelineRun came to here and would not have come to in a cluster whose TaskRuns end as they did here: its state,
 * its results, which tasks were skipped and why, and what each TaskRun was called with. Tekton's own controllers say it.
 */
export async function differencesOf(judge: Judge, yaml: string, outcome: PipelineRunOutcome): Promise<string[]> {
  const started = outcome.tasks.filter(({ status, params, runs }) => status !== 'Skipped' && (params ?? runs));
  const tasks = Object.fromEntries(started.map((task) => [task.name, endingOf(taskRunsOf(task))]));
  const { documents, run, failure } = await judge.ask({ yaml, run: { tasks } });
  if (run === undefined) return [failure ?? 'Tekton runs nothing'];
  const tektonsName = documents.find(({ kind }) => kind === 'PipelineRun')?.name ?? '';
  const differences: string[] = [];
  const same = (what: string, own: unknown, tektons: unknown): void => {
    const [a, b] = [own, tektons].map((value) => JSON.stringify(sorted(value)) ?? '');
    // Names and ids are made up by either.
    const known = a
      ?.replaceAll(outcome.name, tektonsName)
      .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, `judge-${tektonsName}`);
    if (known !== b) differences.push(`${what}: ${a}, and Tekton: ${b}`);
  };
  same('status', outcome.status === 'Succeeded' ? 'True' : 'False', run.status);
  same('reason', outcome.reason, run.reason);
  same('message', outcome.message, run.message);
  same('results', outcome.results, Object.fromEntries((run.results ?? []).map(({ name, value }) => [name, value])));
  const skipped = outcome.tasks.filter(({ status }) => status === 'Skipped');
  same('skipped', Object.fromEntries(skipped.map(({ name, reason }) => [name, reason])), run.skipped ?? {});
  for (const task of started) {
    const theirs = (run.taskRuns ?? []).filter((each) => each.task === task.name);
    const inOrder = theirs.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
    same(
      `params of ${task.name}`,
      taskRunsOf(task).map(({ params }) => params ?? {}),
      inOrder.map(({ params }) => params),
    );
  }
  return differences;
}

/** A matrix with one combination has a TaskRun like any other. */
function endingOf(runs: readonly TaskOutcome[]): NonNullable<NonNullable<Question['run']>['tasks']>[string] {
  const [only, another] = runs;
  return only !== undefined && another === undefined ? ending(only) : { each: runs.map(ending) };
}

function ending({ status, results }: TaskOutcome): JudgedEnding {
  return { fails: status !== 'Succeeded', results };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]));
}
