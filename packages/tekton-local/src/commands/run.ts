import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EXIT } from '@multi-image/kit/command-line';
import { reasonOf } from '@multi-image/kit/errors';
import { Progress } from '@multi-image/kit/progress';
import { printable, printableJson } from '@multi-image/kit/terminal';
import { TektonLocalError } from '../errors.ts';
import type { PipelineRunOutcome, RunEvent } from '../outcome.ts';
import type { Selection } from '../plan/selection.ts';
import { refuseAmongSteps } from '../run/own-files.ts';
import { type RunOptions, runPipeline } from '../run-pipeline.ts';
import { eventLine, outcomeText, showEvent } from '../show.ts';
import { junitOf } from './junit.ts';
import {
  COMMON,
  EVENT,
  GIVEN,
  givenOptions,
  isJson,
  named,
  parseOptions,
  RUNNING,
  type Values,
  wholeNumber,
} from './options.ts';
import { rerunOnChange } from './watch.ts';
import { type Choice, type Chosen, whichRuns } from './which-runs.ts';

/** What is put in the place of what the files name. */
export const GIVEN_TEXT = `  --image FROM=TO          use the local image TO instead of FROM: an image, a repository, or the start of one with *
  --task NAME=FILE         run the Task in FILE for the bundle's task NAME: nothing is fetched
  --resolve FROM=PATH      what is in the file or folder PATH, in place of what would be fetched from FROM: a URL, a git
                           repository, an image or the start of one, or git, http, hub, cluster, bundles
  --secret NAME=FOLDER, --configmap NAME=FOLDER  a folder that stands for it: a file for each key
  --claim NAME=FOLDER      a folder that stands for a PersistentVolumeClaim, to read and write
  --skip TASK              do not run that task: it succeeds, with the results of --result
  --result TASK.NAME=VALUE a result of a task that is skipped
`;

/** How it runs, and what it leaves. */
export const RUN_TEXT = `  --registry own|named     where images go that FILE names in registries of others: to one of this run, on this
                           machine and gone after it (default), or there
  --network host|none      the network of the steps' containers (default: host)
  --logs FOLDER            write each step's log to FOLDER/<task>/step-<step>.log
  --status FILE            keep FILE up to date with the PipelineRun and TaskRuns as a cluster would show them
  --junit FILE             write a report for CI systems in JUnit's XML: a case for each TaskRun
  --json, -o json          the outcome as JSON on standard output, and what happens on standard error
  --only TASK              run this task alone, with the results of the earlier run in FILE of --status
  --from TASK              the same, with all that come after it
  --rerun-failed           those that did not succeed then, with all that come after them
  --sign                   sign and attest like Tekton Chains, once the run has succeeded
  --signing-key FILE       with this private key (PEM, ECDSA P-256) instead of a throwaway one
  --public-key FILE        write the public key there
  --keep                   leave the folder with volumes and results where it is
  --parallel N             run at most N TaskRuns at the same time (default: 32)
  --plain                  plain lines, even on a terminal
  --quiet                  do not show what the steps say
`;

export const USAGE = `tekton-local run [FILE|FOLDER]… [options]   run PipelineRuns and TaskRuns on this machine

  FILE, FOLDER             where they are, and what they name (default: .tekton). One run in them is run; of several,
                           those that the event starts, one after the other
  --name NAME              the run of that name, whatever the event
  --event …                the event, with its options as in tekton-local list --help
  --root FOLDER            the checkout folder (default: the folder above .tekton, or the one that all FILEs are in)
  --watch                  run again whenever FILE or FOLDER changes, until Ctrl-C
  -p, --param NAME=VALUE   a param of the pipeline; a value that starts with [ or { is JSON
  -w, --workspace NAME=FOLDER  share FOLDER with the steps as that workspace, to read and write
${GIVEN_TEXT}${RUN_TEXT}`;

const OPTIONS = { ...COMMON, ...EVENT, ...GIVEN, ...RUNNING, watch: { type: 'boolean' } } as const;
type ShownValues = Values<typeof RUNNING>;
type GivenValues = Values<typeof GIVEN> & { secret?: string[] | undefined };

/** Runs what the arguments name, one after the other; done where all have succeeded. */
export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseOptions(args, OPTIONS);
  const once = async (): Promise<number> =>
    await runAll(await whichRuns(positionals, values), values, runOptionsOf(values), signal);
  if (values.watch !== true) return await once();
  const paths = positionals.length > 0 ? positionals : ['.tekton'];
  return await rerunOnChange(
    paths.map((path) => resolve(path)),
    signal,
    once,
  );
}

/** Runs what was chosen, one after the other, and tells what becomes of it. */
export async function runAll(
  choice: Choice,
  values: ShownValues,
  options: Omit<RunOptions, 'root' | 'file'>,
  signal: AbortSignal,
): Promise<number> {
  const json = isJson(values.output) || values.json === true;
  const stream = json ? process.stderr : process.stdout;
  const { runs, notes, ...where } = choice;
  if (runs.length > 1) refuseForSeveral(values, runs);
  const files = (['junit', 'public-key', 'signing-key'] as const).map((name) => ({
    option: `--${name}`,
    path: values[name],
  }));
  refuseAmongSteps(files, [options.workspaces, options.claims]);
  for (const note of notes) stream.write(`${eventLine({ type: 'note', message: note }, false)}\n`);
  const outcomes: PipelineRunOutcome[] = [];
  for (const { file, name, run: given } of runs) {
    if (runs.length > 1) stream.write(`\n${printable(`${name} in ${file}`)}\n`);
    const logs = values.logs && join(resolve(values.logs), runs.length > 1 ? (name ?? '') : '');
    const outcome = await showing(stream, values, (onEvent) =>
      runPipeline({ ...where, ...options, file, name, run: given, logs, signal, onEvent }),
    );
    outcomes.push(outcome);
    if (!json) process.stdout.write(outcomeText(outcome));
    if (values['public-key'] !== undefined && outcome.chains !== undefined) {
      writeReport(values['public-key'], outcome.chains.publicKey);
    }
    if (signal.aborted) break;
  }
  if (values.junit !== undefined) writeReport(values.junit, junitOf(outcomes));
  if (json) process.stdout.write(`${printableJson(outcomes.length === 1 ? outcomes[0] : outcomes)}\n`);
  return outcomes.every(({ status }) => status === 'Succeeded') ? EXIT.done : EXIT.failed;
}

/** One file can't say what became of several runs. */
function refuseForSeveral(values: ShownValues, runs: readonly Chosen[]): void {
  const option = (['status', 'only', 'from', 'rerun-failed', 'public-key'] as const).find(
    (name) => values[name] !== undefined,
  );
  if (option === undefined) return;
  throw new TektonLocalError('USAGE', `--${option} is for one run, and these are ${runs.length}`, {
    found: runs.map(({ name }) => name).join(', '),
    hint: '--name NAME',
  });
}

/** Shows what happens during a run, as lines or, on a terminal, as what goes on now. */
async function showing(
  stream: NodeJS.WriteStream,
  { plain, quiet }: ShownValues,
  start: (onEvent: (event: RunEvent) => void) => Promise<PipelineRunOutcome>,
): Promise<PipelineRunOutcome> {
  const progress = stream.isTTY && !plain ? new Progress(stream) : undefined;
  return await start((event) => {
    if (progress !== undefined) return showEvent(progress, event);
    const line = eventLine(event, quiet === true);
    if (line !== undefined) stream.write(`${line}\n`);
  }).finally(() => progress?.stop());
}

/** What the options say of how it runs. */
export function runOptionsOf(values: ShownValues & GivenValues): Omit<RunOptions, 'root' | 'file'> {
  const signs = values.sign === true || values['signing-key'] !== undefined;
  return {
    ...givenOptions(values),
    images: named('--image', values.image, String),
    ownRegistry: isOwn(values.registry),
    network: networkFrom(values.network),
    parallel: wholeNumber('--parallel', values.parallel),
    statusFile: values.status && resolve(values.status),
    chains: signs ? { privateKey: keyFrom(values['signing-key']) } : undefined,
    selection: selectionFrom(values),
    keep: values.keep,
  };
}

function selectionFrom({ only, from, status, ...values }: ShownValues): Selection | undefined {
  const failed = values['rerun-failed'];
  const said = [only, from, failed].filter((value) => value !== undefined);
  if (said.length === 0) return undefined;
  if (status === undefined || said.length > 1) {
    throw new TektonLocalError(
      'USAGE',
      'expected one of --only, --from and --rerun-failed, with --status FILE of an earlier run',
    );
  }
  return { last: resolve(status), only, from, failed };
}

function keyFrom(file: string | undefined): string | undefined {
  try {
    return file === undefined ? undefined : readFileSync(file, 'utf8');
  } catch (error) {
    throw new TektonLocalError('FILE_NOT_READABLE', `cannot read ${file}`, { cause: error });
  }
}

function writeReport(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new TektonLocalError('FILE_UNWRITABLE', `cannot write ${file}`, { found: reasonOf(error), cause: error });
  }
}

function networkFrom(text: string | undefined): 'host' | 'none' | undefined {
  if (text === undefined || text === 'host' || text === 'none') return text;
  throw new TektonLocalError('USAGE', '--network needs host or none', { found: text });
}

function isOwn(text = 'own'): boolean {
  if (text === 'own' || text === 'named') return text === 'own';
  throw new TektonLocalError('USAGE', '--registry needs own or named', { found: text });
}
