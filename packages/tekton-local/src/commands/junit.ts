import { type PipelineRunOutcome, type TaskOutcome, taskRunsOf } from '../outcome.ts';

/**
 * Runs as a report in JUnit's XML, which CI systems show: a suite for each run, a case for each TaskRun, with what its steps
 * said last where it failed.
 */
export function junitText(outcomes: readonly PipelineRunOutcome[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${outcomes.map(suite).join('')}</testsuites>\n`;
}

function suite(outcome: PipelineRunOutcome): string {
  const cases = outcome.tasks.flatMap((task) => {
    const runs = taskRunsOf(task);
    return runs.map((run, index) => ({ run, name: runs.length === 1 ? task.name : `${task.name} (${index + 1})` }));
  });
  const count = (...statuses: TaskOutcome['status'][]): number =>
    cases.filter(({ run }) => statuses.includes(run.status)).length;
  const attributes = {
    name: outcome.name,
    tests: cases.length,
    failures: count('Failed', 'Cancelled'),
    errors: 0,
    skipped: count('Skipped'),
    time: seconds(outcome.startedAt, outcome.finishedAt),
    timestamp: new Date(outcome.startedAt).toISOString(),
  };
  const inside = cases.map(({ run, name }) => testcase(outcome.name, name, run)).join('');
  return `  <testsuite${attributesText(attributes)}>\n${inside}  </testsuite>\n`;
}

function testcase(
  suiteName: string,
  name: string,
  { status, reason, message, startedAt, finishedAt, steps }: TaskOutcome,
): string {
  const head = `    <testcase${attributesText({ classname: suiteName, name, time: seconds(startedAt, finishedAt) })}`;
  if (status === 'Succeeded') return `${head}/>\n`;
  if (status === 'Skipped')
    return `${head}>\n      <skipped${attributesText({ message: reason ?? '' })}/>\n    </testcase>\n`;
  const said = (steps.at(-1)?.logTail ?? []).join('\n');
  const failure = attributesText({ type: reason ?? status, message: message ?? '' });
  return `${head}>\n      <failure${failure}>${escaped(said)}</failure>\n    </testcase>\n`;
}

function seconds(from: number | undefined, to: number | undefined): string {
  return from === undefined || to === undefined ? '0' : ((to - from) / 1000).toFixed(3);
}

function attributesText(attributes: Readonly<Record<string, string | number>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text of steps in XML, which has no place for control characters. */
function escaped(text: string): string {
  return text
    .replace(/[^\P{Cc}\t\n\r]|[\p{Cs}\ufffe\uffff]/gu, '\ufffd')
    .replace(/[&<>"]/g, (found) => ENTITIES[found] ?? '');
}
