#!/usr/bin/env node
import { realpathSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatDuration } from './duration.ts';
import { formatProblem, TektonLocalError } from './errors.ts';
import type { PipelineRunOutcome, RunEvent } from './outcome.ts';
import { runPipeline } from './run-pipeline.ts';
import type { ParamValue } from './stand-in.ts';

const USAGE = `tekton-local run FILE [options]      run a PipelineRun on this machine

  FILE                     the PipelineRun, e.g. .tekton/app-push.yaml
  --root FOLDER            the checkout folder (default: the folder above .tekton, or FILE's folder)
  --param NAME=VALUE       a param of the pipeline; a value that starts with [ or { is JSON
  --variable NAME=VALUE    a {{ variable }} of Pipelines as Code (default: from the git state)
  --image FROM=TO          use the local image TO instead of FROM
  --source-url URL         fetch git from here instead of from the pipeline's url
  --logs FOLDER            write each step's log to FOLDER/<task>/step-<step>.log
  --json FILE              write the outcome as JSON; - for standard output
  --parallel N             run at most N tasks at the same time
  --quiet                  do not show what the steps say

Exit code: 0 succeeded, 1 failed or cancelled, 2 refused before it started.
`;

/** Runs the command line and resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    return await run(args, stop.signal);
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    return error instanceof TektonLocalError && error.code !== 'INTERRUPTED' ? 2 : 1;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const [verb, file, ...rest] = positionals;
  if (verb !== 'run' || file === undefined || rest.length > 0) {
    throw new TektonLocalError('USAGE', 'expected: tekton-local run FILE', { hint: 'tekton-local --help' });
  }
  const root = resolve(values.root ?? defaultRoot(file));
  const out = values.json === '-' ? process.stderr : process.stdout;
  const outcome = await runPipeline({
    root,
    file: relative(root, resolve(file)),
    params: Object.fromEntries(pairs(values.param, '--param').map(([name, text]) => [name, paramValue(name, text)])),
    variables: Object.fromEntries(pairs(values.variable, '--variable')),
    images: Object.fromEntries(pairs(values.image, '--image', true)),
    ...(values['source-url'] === undefined ? {} : { sourceUrl: values['source-url'] }),
    ...(values.logs === undefined ? {} : { logs: resolve(values.logs) }),
    ...(values.parallel === undefined ? {} : { parallel: wholeNumber(values.parallel) }),
    signal,
    onEvent: (event) => {
      const line = describeEvent(event, values.quiet === true);
      if (line !== undefined) out.write(`${line}\n`);
    },
  });
  out.write(describeOutcome(outcome));
  const json = `${JSON.stringify(outcome, null, 2)}\n`;
  if (values.json === '-') process.stdout.write(json);
  else if (values.json !== undefined) writeFileSync(values.json, json);
  return outcome.status === 'Succeeded' ? 0 : 1;
}

function parse(args: readonly string[]): {
  values: Partial<Record<'root' | 'source-url' | 'logs' | 'json' | 'parallel', string>> &
    Partial<Record<'param' | 'variable' | 'image', string[]>> &
    Partial<Record<'quiet' | 'help', boolean>>;
  positionals: string[];
} {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        root: { type: 'string' },
        param: { type: 'string', multiple: true },
        variable: { type: 'string', multiple: true },
        image: { type: 'string', multiple: true },
        'source-url': { type: 'string' },
        logs: { type: 'string' },
        json: { type: 'string' },
        parallel: { type: 'string' },
        quiet: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new TektonLocalError('USAGE', error instanceof Error ? error.message : String(error), {
      hint: 'tekton-local --help',
    });
  }
}

function defaultRoot(file: string): string {
  const folder = dirname(resolve(file));
  return folder.endsWith('/.tekton') ? dirname(folder) : folder;
}

/** `NAME=VALUE`; an image may contain `=` nowhere, but its name ends at the last one to be safe with tags. */
function pairs(items: readonly string[] | undefined, option: string, last = false): [string, string][] {
  return (items ?? []).map((item) => {
    const at = last ? item.lastIndexOf('=') : item.indexOf('=');
    if (at > 0) return [item.slice(0, at), item.slice(at + 1)];
    throw new TektonLocalError('USAGE', `${option} needs NAME=VALUE`, { found: item });
  });
}

function paramValue(name: string, text: string): ParamValue {
  if (!/^[[{]/.test(text)) return text;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const items: unknown[] = typeof value === 'object' && value !== null ? Object.values(value) : [undefined];
  if (items.every((item) => typeof item === 'string')) return value as ParamValue;
  throw new TektonLocalError('USAGE', `--param ${name} is neither text nor JSON of strings`, { found: text });
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new TektonLocalError('USAGE', '--parallel needs a number from 1', { found: text });
}

function describeEvent(event: RunEvent, quiet: boolean): string | undefined {
  if (event.type === 'note') return `note: ${escapeText(event.message)}`;
  if (event.type === 'task-started') return `${event.task}: started`;
  if (event.type === 'log') return quiet ? undefined : `${event.task} | ${escapeText(event.line)}`;
  const why = event.status === 'Succeeded' || event.message === undefined ? '' : `: ${escapeText(event.message)}`;
  return `${event.task}: ${event.status}${why}`;
}

function describeOutcome(outcome: PipelineRunOutcome): string {
  const lines = outcome.tasks.map((task) => {
    const time =
      task.startedAt === undefined || task.finishedAt === undefined
        ? ''
        : formatDuration(task.finishedAt - task.startedAt);
    return `  ${task.status.padEnd(9)} ${time.padStart(7)}  ${task.name}`;
  });
  const results = Object.entries(outcome.results).map(([name, value]) => {
    return `  ${name} = ${escapeText(typeof value === 'string' ? value : JSON.stringify(value))}`;
  });
  const duration = formatDuration(outcome.finishedAt - outcome.startedAt);
  const message = outcome.message === undefined ? '' : ` (${escapeText(outcome.message)})`;
  const head = `${outcome.name}: ${outcome.status} after ${duration}${message}`;
  return `${['', ...lines, ...(results.length > 0 ? ['results', ...results] : []), head].join('\n')}\n`;
}

function describeError(error: unknown): string {
  if (!(error instanceof TektonLocalError)) return escapeText(String(error));
  const lines = [`tekton-local: ${error.code}`];
  if (error.problems.length > 0) lines.push(...error.problems.map((problem) => escapeText(formatProblem(problem))));
  else lines.push(escapeText(error.message));
  if (error.expected !== undefined) lines.push(`  expected: ${escapeText(error.expected)}`);
  if (error.found !== undefined) lines.push(`  found: ${escapeText(error.found)}`);
  if (error.hint !== undefined) lines.push(`  hint: ${escapeText(error.hint)}`);
  return lines.join('\n');
}

/** Text from files and containers must not command the terminal. */
function escapeText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) =>
    character === '\n' || character === '\t' ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

// Not import.meta.main: Node 22 does not have it.
if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
