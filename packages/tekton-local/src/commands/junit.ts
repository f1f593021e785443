import { type JunitCase, type JunitSuite, junitText } from '@multi-image/kit/junit';
import { type PipelineRunOutcome, type TaskOutcome, taskRunsOf } from '../outcome.ts';

/** Runs as JUnit's XML: a suite for each run, a case for each TaskRun, with what its steps said last where it failed. */
export function junitOf(outcomes: readonly PipelineRunOutcome[]): string {
  return junitText(outcomes.map(suiteOf));
}

function suiteOf({ name, tasks, startedAt, finishedAt }: PipelineRunOutcome): JunitSuite {
  const cases = tasks.flatMap((task) => {
    const runs = taskRunsOf(task);
    return runs.map((run, index) => caseOf(name, runs.length === 1 ? task.name : `${task.name} (${index + 1})`, run));
  });
  return { name, cases, time: span(startedAt, finishedAt), began: startedAt };
}

function caseOf(
  classname: string,
  name: string,
  { status, reason, message = '', startedAt, finishedAt, steps }: TaskOutcome,
): JunitCase {
  const isFailure = status === 'Failed' || status === 'Cancelled';
  const text = (steps.at(-1)?.logTail ?? []).join('\n');
  return {
    classname,
    name,
    time: span(startedAt, finishedAt),
    skipped: status === 'Skipped' ? (reason ?? '') : undefined,
    failure: isFailure ? { type: reason ?? status, message, text } : undefined,
  };
}

function span(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : to - from;
}
