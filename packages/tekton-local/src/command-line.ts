import { readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { TektonLocalError } from './errors.ts';
import { LiveTree } from './live-tree.ts';
import type { Selection } from './plan/selection.ts';
import { runPipeline } from './run-pipeline.ts';
import { errorText, eventLine, outcomeText } from './show.ts';
import type { ParamValue } from './stand-in.ts';

const USAGE = `tekton-local run FILE [options]      run a PipelineRun on this machine

  FILE                     the PipelineRun, e.g. .tekton/app-push.yaml
  --root FOLDER            the checkout folder (default: the folder above .tekton, or FILE's folder)
  --param NAME=VALUE       a param of the pipeline; a value that starts with [ or { is JSON
  --variable NAME=VALUE    a {{ variable }} of Pipelines as Code (default: from the git state)
  --image FROM=TO          use the local image TO instead of FROM
  --workspace NAME=FOLDER  share FOLDER with the steps as that workspace, to read and write
  --network host|none      the network of the steps' containers (default: host)
  --source-url URL         fetch git from here instead of from the pipeline's url
  --logs FOLDER            write each step's log to FOLDER/<task>/step-<step>.log
  --json FILE              keep FILE up to date with the PipelineRun and TaskRuns as a cluster would show them
  --only TASK              run this task alone, with the results of the earlier run in FILE of --json
  --from TASK              the same, with all that come after it
  --sign                   sign and attest like Tekton Chains, once the run has succeeded
  --key FILE               with this private key (PEM, ECDSA P-256) instead of a throwaway one
  --public-key FILE        write the public key there
  --keep                   leave the folder with volumes and results where it is
  --parallel N             run at most N tasks at the same time
  --plain                  plain lines, even on a terminal
  --quiet                  do not show what the steps say

Exit code: 0 succeeded, 1 failed, 2 refused before it started, 130 or 143 interrupted.
`;

/** Stands for 128 and the number of the signal that ended the run. */
const CANCELLED = 128;

/** Runs the command line and resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const stop = new AbortController();
  let received: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    received ??= signal;
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    const code = await run(args, stop.signal);
    return code === CANCELLED
      ? 128 + (received === undefined ? constants.signals.SIGINT : constants.signals[received])
      : code;
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n`);
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
  const tree = process.stdout.isTTY === true && values.plain !== true ? new LiveTree(process.stdout) : undefined;
  const outcome = await runPipeline({
    root,
    file: relative(root, resolve(file)),
    params: Object.fromEntries(pairs(values.param, '--param').map(([name, text]) => [name, paramValue(name, text)])),
    variables: Object.fromEntries(pairs(values.variable, '--variable')),
    images: Object.fromEntries(pairs(values.image, '--image')),
    workspaces: Object.fromEntries(pairs(values.workspace, '--workspace')),
    ...(values.network === undefined ? {} : { network: networkFrom(values.network) }),
    ...(values['source-url'] === undefined ? {} : { sourceUrl: values['source-url'] }),
    ...(values.logs === undefined ? {} : { logs: resolve(values.logs) }),
    ...(values.parallel === undefined ? {} : { parallel: wholeNumber(values.parallel) }),
    ...(values.json === undefined ? {} : { statusFile: resolve(values.json) }),
    ...(values.sign === true || values.key !== undefined ? { chains: keyFrom(values.key) } : {}),
    ...selectionFrom(values),
    keep: values.keep === true,
    signal,
    onEvent: (event) => {
      if (tree !== undefined) return tree.show(event);
      const line = eventLine(event, values.quiet === true);
      if (line !== undefined) process.stdout.write(`${line}\n`);
    },
  }).finally(() => tree?.end());
  process.stdout.write(outcomeText(outcome));
  if (values['public-key'] !== undefined && outcome.chains !== undefined) {
    writeFileSync(values['public-key'], outcome.chains.publicKey);
  }
  if (outcome.status === 'Cancelled') return CANCELLED;
  return outcome.status === 'Succeeded' ? 0 : 1;
}

function parse(args: readonly string[]): {
  values: Partial<
    Record<
      'root' | 'source-url' | 'network' | 'logs' | 'json' | 'parallel' | 'key' | 'public-key' | 'only' | 'from',
      string
    >
  > &
    Partial<Record<'param' | 'variable' | 'image' | 'workspace', string[]>> &
    Partial<Record<'quiet' | 'plain' | 'keep' | 'sign' | 'help', boolean>>;
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
        workspace: { type: 'string', multiple: true },
        network: { type: 'string' },
        'source-url': { type: 'string' },
        logs: { type: 'string' },
        json: { type: 'string' },
        parallel: { type: 'string' },
        key: { type: 'string' },
        only: { type: 'string' },
        from: { type: 'string' },
        'public-key': { type: 'string' },
        sign: { type: 'boolean' },
        keep: { type: 'boolean' },
        plain: { type: 'boolean' },
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

/** `NAME=VALUE`. */
function pairs(items: readonly string[] | undefined, option: string): [string, string][] {
  return (items ?? []).map((item) => {
    const at = item.indexOf('=');
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

function selectionFrom(values: { only?: string; from?: string; json?: string }): { selection?: Selection } {
  const { only, from, json } = values;
  if (only === undefined && from === undefined) return {};
  if (json === undefined || (only !== undefined && from !== undefined)) {
    throw new TektonLocalError('USAGE', 'expected --only or --from, with --json FILE of an earlier run');
  }
  const last = resolve(json);
  return { selection: { last, ...(only === undefined ? {} : { only }), ...(from === undefined ? {} : { from }) } };
}

function keyFrom(file: string | undefined): { privateKey?: string } {
  if (file === undefined) return {};
  try {
    return { privateKey: readFileSync(file, 'utf8') };
  } catch (error) {
    throw new TektonLocalError('FILE_NOT_READABLE', `cannot read ${file}`, { cause: error });
  }
}

function networkFrom(text: string): 'host' | 'none' {
  if (text === 'host' || text === 'none') return text;
  throw new TektonLocalError('USAGE', '--network needs host or none', { found: text });
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new TektonLocalError('USAGE', '--parallel needs a number from 1', { found: text });
}
