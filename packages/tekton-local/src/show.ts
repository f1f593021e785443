import { formatDuration } from '@multi-image/kit/durations';
import type { Progress } from '@multi-image/kit/progress';
import { printable } from '@multi-image/kit/terminal';
import type { PipelineRunOutcome, RunEvent, TaskOutcome } from './outcome.ts';

const STATUS = { Succeeded: 'passed', Failed: 'failed', Skipped: 'skipped', Cancelled: 'cancelled' } as const;

/** Tells an event on a terminal: what has ended stays above, what runs is below with the last line of its log. */
export function showEvent(progress: Progress, event: RunEvent): void {
  if (event.type === 'note') progress.line(`note: ${event.message}`);
  else if (event.type === 'task-started') progress.started(event.task);
  else if (event.type === 'log') progress.says(event.task, `${event.step}: ${event.line}`);
  else {
    const why = event.status === 'Succeeded' ? undefined : event.message?.split('\n')[0];
    progress.ended(event.task, STATUS[event.status], why);
  }
}

/** One line of plain text about an event; undefined if there is nothing to say. */
export function eventLine(event: RunEvent, quiet: boolean): string | undefined {
  if (event.type === 'note') return `note: ${text(event.message)}`;
  if (event.type === 'task-started') return `${event.task}: started`;
  if (event.type === 'log') return quiet ? undefined : `[${event.task} : ${event.step}] ${text(event.line)}`;
  const why = event.status === 'Succeeded' || event.message === undefined ? '' : `: ${text(event.message)}`;
  return `${event.task}: ${event.status}${why}`;
}

/** The end of a run: a timeline of its tasks, its results, what failed, and one line that says it all. */
export function outcomeText(outcome: PipelineRunOutcome): string {
  const lines = ['', ...timeline(outcome)];
  const results = Object.entries(outcome.results);
  if (results.length > 0) lines.push('results');
  for (const [name, value] of results) {
    lines.push(`  ${name} = ${text(typeof value === 'string' ? value : JSON.stringify(value))}`);
  }
  for (const task of outcome.tasks) if (task.status === 'Failed') lines.push(...failure(task));
  if (outcome.chains !== undefined) {
    lines.push(`signed ${outcome.chains.signed.length} images, attested ${outcome.chains.attested.length}`);
  }
  const message = outcome.message === undefined ? '' : ` (${text(outcome.message)})`;
  const duration = formatDuration(outcome.finishedAt - outcome.startedAt);
  lines.push(`${outcome.name}: ${outcome.status} after ${duration}${message}`);
  return `${lines.join('\n')}\n`;
}

/** Text from files and containers, in which nothing but its lines and tabs may move what a terminal shows. */
function text(from: string): string {
  return printable(from, '\n\t');
}

const BAR = 24;

function timeline(outcome: PipelineRunOutcome): string[] {
  const whole = Math.max(1, outcome.finishedAt - outcome.startedAt);
  const place = (milliseconds: number): number => Math.floor(((milliseconds - outcome.startedAt) / whole) * (BAR - 1));
  return outcome.tasks.map(({ name, status, reason, message, startedAt, finishedAt }) => {
    if (startedAt === undefined || finishedAt === undefined) {
      // Of a skipped task, Tekton's reason may be what happened after it.
      const why = status === 'Skipped' ? (message ?? reason) : reason;
      return `  ${status.padEnd(9)} ${''.padStart(7)}  ${''.padEnd(BAR)}  ${name}${why === undefined ? '' : ` (${text(why)})`}`;
    }
    const from = place(startedAt);
    const bar = `${' '.repeat(from)}${'━'.repeat(Math.max(1, place(finishedAt) - from + 1))}`.padEnd(BAR);
    return `  ${status.padEnd(9)} ${formatDuration(finishedAt - startedAt).padStart(7)}  ${bar}  ${name}`;
  });
}

function failure(task: TaskOutcome): string[] {
  const step = task.steps.at(-1);
  const tail = (step?.logTail ?? []).slice(-12).map((line) => `  | ${text(line)}`);
  return [`${task.name} failed: ${text(task.message ?? '')}`, ...tail];
}
