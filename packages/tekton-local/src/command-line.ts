import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT, runCommandLine } from '@multi-image/kit/command-line';
import { reasonOf } from '@multi-image/kit/errors';
import { Progress } from '@multi-image/kit/progress';
import { printableJson } from '@multi-image/kit/terminal';
import { TektonLocalError } from './errors.ts';
import type { ParamValue } from './plan/model.ts';
import type { Selection } from './plan/selection.ts';
import { eventLine, outcomeText, showEvent } from './show.ts';

const USAGE = `tekton-local run FILE [options]      run a PipelineRun on this machine

  FILE                     the PipelineRun, e.g. .tekton/app-push.yaml
  --root FOLDER            the checkout folder (default: the folder above .tekton, or FILE's folder)
  --param NAME=VALUE       a param of the pipeline; a value that starts with [ or { is JSON
  --variable NAME=VALUE    a {{ variable }} of Pipelines as Code (default: from the git state)
  --image FROM=TO          use the local image TO instead of FROM
  --workspace NAME=FOLDER  share FOLDER with the steps as that workspace, to read and write
  --network host|none      the network of the steps' containers (default: host)
  --task NAME=FILE         run the Task in FILE for the bundle's task NAME: bundles are not fetched
  --logs FOLDER            write each step's log to FOLDER/<task>/step-<step>.log
  --status FILE            keep FILE up to date with the PipelineRun and TaskRuns as a cluster would show them
  --json                   the outcome as JSON on standard output, and what happens on standard error
  --only TASK              run this task alone, with the results of the earlier run in FILE of --status
  --from TASK              the same, with all that come after it
  --sign                   sign and attest like Tekton Chains, once the run has succeeded
  --signing-key FILE       with this private key (PEM, ECDSA P-256) instead of a throwaway one
  --public-key FILE        write the public key there
  --keep                   leave the folder with volumes and results where it is
  --parallel N             run at most N tasks at the same time
  --plain                  plain lines, even on a terminal
  --quiet                  do not show what the steps say

Exit code: 0 succeeded, 1 failed, 2 refused before it started; 129, 130 or 143 ended by a signal.
`;

/** Runs the command line of this process, and sets its exit code. */
export function main(): Promise<void> {
  return runCommandLine(run, {
    isRefusal: ({ code }) => code !== 'INTERRUPTED' && code !== 'FILE_UNWRITABLE',
  });
}

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help) {
    process.stdout.write(USAGE);
    return EXIT.done;
  }
  const [verb, file, ...rest] = positionals;
  if (verb !== 'run' || file === undefined || rest.length > 0) {
    throw new TektonLocalError('USAGE', 'expected: tekton-local run FILE', { hint: 'tekton-local --help' });
  }
  const root = resolve(values.root ?? defaultRoot(file));
  const stream = values.json ? process.stderr : process.stdout;
  const progress = stream.isTTY && !values.plain ? new Progress(stream) : undefined;
  // Not for the help, and not for a call that is wrong.
  const { runPipeline } = await import('./run-pipeline.ts');
  const outcome = await runPipeline({
    root,
    file: relative(root, resolve(file)),
    params: named('--param', values.param, paramValue),
    variables: named('--variable', values.variable, String),
    images: named('--image', values.image, String),
    workspaces: named('--workspace', values.workspace, String),
    network: networkFrom(values.network),
    tasks: named('--task', values.task, (path) => ({ task: resolve(path) })),
    logs: values.logs && resolve(values.logs),
    parallel: wholeNumber(values.parallel),
    statusFile: values.status && resolve(values.status),
    chains:
      values.sign || values['signing-key'] !== undefined ? { privateKey: keyFrom(values['signing-key']) } : undefined,
    selection: selectionFrom(values),
    keep: values.keep,
    signal,
    onEvent: (event) => {
      if (progress !== undefined) return showEvent(progress, event);
      const line = eventLine(event, values.quiet === true);
      if (line !== undefined) stream.write(`${line}\n`);
    },
  }).finally(() => progress?.stop());
  process.stdout.write(values.json ? `${printableJson(outcome)}\n` : outcomeText(outcome));
  if (values['public-key'] !== undefined && outcome.chains !== undefined) {
    writeKey(values['public-key'], outcome.chains.publicKey);
  }
  return outcome.status === 'Succeeded' ? EXIT.done : EXIT.failed;
}

const OPTIONS = {
  root: { type: 'string' },
  param: { type: 'string', multiple: true },
  variable: { type: 'string', multiple: true },
  image: { type: 'string', multiple: true },
  workspace: { type: 'string', multiple: true },
  network: { type: 'string' },
  task: { type: 'string', multiple: true },
  logs: { type: 'string' },
  status: { type: 'string' },
  json: { type: 'boolean' },
  parallel: { type: 'string' },
  only: { type: 'string' },
  from: { type: 'string' },
  sign: { type: 'boolean' },
  'signing-key': { type: 'string' },
  'public-key': { type: 'string' },
  keep: { type: 'boolean' },
  plain: { type: 'boolean' },
  quiet: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Parsed = ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>;

function parse(args: readonly string[]): Parsed {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  } catch (error) {
    throw new TektonLocalError('USAGE', reasonOf(error), { hint: 'tekton-local --help' });
  }
}

function defaultRoot(file: string): string {
  const folder = dirname(resolve(file));
  return folder.endsWith('/.tekton') ? dirname(folder) : folder;
}

/** What `NAME=VALUE` gives, by the names. */
function named<Value>(
  option: string,
  items: readonly string[] = [],
  read: (text: string, name: string) => Value,
): Record<string, Value> {
  const pairs = items.map((item): [string, Value] => {
    const at = item.indexOf('=');
    if (at > 0) return [item.slice(0, at), read(item.slice(at + 1), item.slice(0, at))];
    throw new TektonLocalError('USAGE', `${option} needs NAME=VALUE`, { found: item });
  });
  return Object.fromEntries(pairs);
}

function paramValue(text: string, name: string): ParamValue {
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

function selectionFrom({ only, from, status }: Parsed['values']): Selection | undefined {
  if (only === undefined && from === undefined) return undefined;
  if (status === undefined || (only !== undefined && from !== undefined)) {
    throw new TektonLocalError('USAGE', 'expected --only or --from, with --status FILE of an earlier run');
  }
  return { last: resolve(status), only, from };
}

function keyFrom(file: string | undefined): string | undefined {
  try {
    return file === undefined ? undefined : readFileSync(file, 'utf8');
  } catch (error) {
    throw new TektonLocalError('FILE_NOT_READABLE', `cannot read ${file}`, { cause: error });
  }
}

function writeKey(file: string, key: string): void {
  try {
    writeFileSync(file, key);
  } catch (error) {
    throw new TektonLocalError('FILE_UNWRITABLE', `cannot write ${file}`, { found: reasonOf(error), cause: error });
  }
}

function networkFrom(text: string | undefined): 'host' | 'none' | undefined {
  if (text === undefined || text === 'host' || text === 'none') return text;
  throw new TektonLocalError('USAGE', '--network needs host or none', { found: text });
}

function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new TektonLocalError('USAGE', '--parallel needs a number from 1', { found: text });
}
