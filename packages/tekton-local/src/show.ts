import { formatDuration } from './duration.ts';
import { formatProblem, TektonLocalError } from './errors.ts';
import type { PipelineRunOutcome, RunEvent, TaskOutcome } from './outcome.ts';

/** Text from files and containers must not command the terminal. */
export function escapeText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) =>
    character === '\n' || character === '\t' ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** One line of plain text about an event; undefined if there is nothing to say. */
export function eventLine(event: RunEvent, quiet: boolean): string | undefined {
  if (event.type === 'note') return `note: ${escapeText(event.message)}`;
  if (event.type === 'task-started') return `${event.task}: started`;
  if (event.type === 'log') return quiet ? undefined : `${event.task} | ${escapeText(event.line)}`;
  const why = event.status === 'Succeeded' || event.message === undefined ? '' : `: ${escapeText(event.message)}`;
  return `${event.task}: ${event.status}${why}`;
}

/** The end of a run: a timeline of its tasks, its results, what failed, and one line that says it all. */
export function outcomeText(outcome: PipelineRunOutcome): string {
  const lines = ['', ...timeline(outcome)];
  const results = Object.entries(outcome.results);
  if (results.length > 0) lines.push('results');
  for (const [name, value] of results) {
    lines.push(`  ${name} = ${escapeText(typeof value === 'string' ? value : JSON.stringify(value))}`);
  }
  for (const task of outcome.tasks) if (task.status === 'Failed') lines.push(...failure(task));
  if (outcome.chains !== undefined) {
    lines.push(`signed ${outcome.chains.signed.length} images, attested ${outcome.chains.attested.length}`);
  }
  const message = outcome.message === undefined ? '' : ` (${escapeText(outcome.message)})`;
  const duration = formatDuration(outcome.finishedAt - outcome.startedAt);
  lines.push(`${outcome.name}: ${outcome.status} after ${duration}${message}`);
  return `${lines.join('\n')}\n`;
}

/** An error, with all problems of the files. */
export function errorText(error: unknown): string {
  if (!(error instanceof TektonLocalError)) return `tekton-local: ${escapeText(String(error))}`;
  const lines = [`tekton-local: ${error.code}`];
  if (error.problems.length > 0) lines.push(...error.problems.map((problem) => escapeText(formatProblem(problem))));
  else lines.push(escapeText(error.message));
  if (error.expected !== undefined) lines.push(`  expected: ${escapeText(error.expected)}`);
  if (error.found !== undefined) lines.push(`  found: ${escapeText(error.found)}`);
  if (error.hint !== undefined) lines.push(`  hint: ${escapeText(error.hint)}`);
  return lines.join('\n');
}

const BAR = 24;

function timeline(outcome: PipelineRunOutcome): string[] {
  const whole = Math.max(1, outcome.finishedAt - outcome.startedAt);
  const place = (milliseconds: number): number => Math.floor(((milliseconds - outcome.startedAt) / whole) * (BAR - 1));
  return outcome.tasks.map((task) => {
    const { startedAt, finishedAt } = task;
    if (startedAt === undefined || finishedAt === undefined) {
      return `  ${task.status.padEnd(9)} ${''.padStart(7)}  ${''.padEnd(BAR)}  ${task.name}${reasonOf(task)}`;
    }
    const from = place(startedAt);
    const bar = `${' '.repeat(from)}${'━'.repeat(Math.max(1, place(finishedAt) - from + 1))}`.padEnd(BAR);
    return `  ${task.status.padEnd(9)} ${formatDuration(finishedAt - startedAt).padStart(7)}  ${bar}  ${task.name}`;
  });
}

function reasonOf(task: TaskOutcome): string {
  return task.reason === undefined ? '' : ` (${escapeText(task.reason)})`;
}

function failure(task: TaskOutcome): string[] {
  const step = task.steps.at(-1);
  const tail = (step?.logTail ?? []).slice(-12).map((line) => `  | ${escapeText(line)}`);
  return [`${task.name} failed: ${escapeText(task.message ?? '')}`, ...tail];
}
