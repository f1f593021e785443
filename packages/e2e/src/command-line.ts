import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT, runCommandLine } from '@multi-image/kit/command-line';
import { errorFacts } from '@multi-image/kit/error-text';
import { reasonOf } from '@multi-image/kit/errors';
import { Progress } from '@multi-image/kit/progress';
import { palette, printableJson } from '@multi-image/kit/terminal';
import { COMMAND, HELP } from './cli-help.ts';
import { E2eError } from './errors.ts';
import { nameFullDisk } from './full-disk.ts';
import { ISOLATIONS, OPTIONS, type Values } from './options.ts';
import type { Report } from './report/report.ts';
import { renderReport } from './report/terminal.ts';

/** Does what the command line asks for, and sets the exit code of this process. */
export function main(): Promise<void> {
  return runCommandLine(run, {
    help: `${COMMAND} --help lists the options`,
    // A criterion that falls is a result; an error is a run that could not be made.
    isRefusal: () => true,
    needsReader: true,
    onSignal: (signal) => process.stderr.write(`\n${signal}: ${atStop()} …\n`),
    onError: (error) => {
      if (process.argv.includes('--json')) printJson({ error: errorFacts(error) });
    },
  });
}

/** What becomes of a run that is stopped. */
let atStop = (): string => 'removing what this run made';

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help) {
    process.stdout.write(HELP);
    return EXIT.done;
  }
  if (values.target !== 'local' && !values.cleanup) {
    atStop = () => 'what was begun on the cluster goes on; --resume takes it up again, --cleanup deletes it';
  }
  // Standard output is either for people or for programs.
  const output = values.json ? process.stderr : process.stdout;
  const progress = new Progress(output);
  if (positionals[0] === 'preflight') {
    await checkTools(!values['no-install'], progress, signal);
    return EXIT.done;
  }
  const html = values.html ?? (values.open ? join(tmpdir(), `image-chain-${process.pid}.html`) : undefined);
  const files: readonly [string | undefined, (report: Report) => string | Promise<string>][] = [
    [values.report, (report) => `${JSON.stringify(report, null, 2)}\n`],
    [html, async (report) => (await import('./report/html/page.ts')).renderPage(report)],
    [values.junit, async (report) => (await import('./report/junit.ts')).renderJunit(report)],
  ];
  const reports = files.flatMap(([file]) => file ?? []);
  // Of a run that made no report nothing stays.
  const made = reports.filter((file) => !existsSync(file));
  let report: Report | undefined;
  try {
    // Before anything is built: a report that can't be written is better known now.
    for (const file of reports) await write(file, '', 'a');
    report = await produce(values, positionals, reports, progress, signal);
  } catch (error) {
    for (const file of made) await rm(file, { force: true });
    throw nameFullDisk(error);
  }
  signal.throwIfAborted();
  // A dry run or a clean-up: what there is to say was said.
  if (report === undefined) return EXIT.done;
  for (const [file, render] of files) if (file !== undefined) await write(file, await render(report), 'w');
  output.write(
    `${renderReport(report, palette(output), output.isTTY ? output.columns || undefined : undefined).join('\n')}\n`,
  );
  if (values.json) printJson(report);
  if (values.open && html !== undefined) {
    const { openInBrowser } = await import('./report/open.ts');
    await openInBrowser(html);
  }
  return report.status === 'passed' ? EXIT.done : EXIT.failed;
}

async function produce(
  values: Values,
  [command, image = '']: readonly string[],
  reports: readonly string[],
  progress: Progress,
  signal: AbortSignal,
): Promise<Report | undefined> {
  if (command === 'verify') {
    const { runVerifyCommand } = await import('./targets/published/command.ts');
    return runVerifyCommand(image, values, signal);
  }
  if (values.target === 'tenant') {
    const { runTenantCommand } = await import('./targets/cluster/tenant/command.ts');
    return runTenantCommand(values, progress, signal);
  }
  if (values.target === 'tekton') {
    const { runTektonCommand } = await import('./targets/cluster/tekton/command.ts');
    return runTektonCommand(values, progress, signal);
  }
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && (!/^\d{1,5}$/.test(values.port ?? '') || port > 65535)) {
    throw new E2eError('USAGE', 'not a port', { expected: '--port with a number from 0 to 65535', found: values.port });
  }
  const isolation = ISOLATIONS.find((known) => known === values.isolation);
  if (values.isolation !== undefined && isolation === undefined) {
    throw new E2eError('USAGE', 'unknown isolation', { expected: ISOLATIONS.join(' or '), found: values.isolation });
  }
  const { runLocal } = await import('./targets/local/local-run.ts');
  return runLocal({
    cwd: process.cwd(),
    config: values.config,
    port,
    keep: values.keep,
    allowDrift: values['allow-drift'],
    install: !values['no-install'],
    isolation,
    external: values.external,
    reports,
    progress,
    signal,
  });
}

async function checkTools(install: boolean, progress: Progress, signal: AbortSignal): Promise<void> {
  const { preflight } = await import('./targets/local/preflight.ts');
  const { checkContainers } = await import('./targets/local/machine.ts');
  const onInstall = (command: string): void => progress.line(`installing: ${command}`);
  const { installed } = await preflight({ install, signal, onInstall });
  progress.line(installed.length === 0 ? 'all tools are there' : `installed: ${installed.join(' ')}`);
  const { description } = await checkContainers(signal);
  progress.line(`containers can be run: ${description}`);
}

async function write(file: string, text: string, flag: 'a' | 'w'): Promise<void> {
  try {
    await writeFile(file, text, { flag });
  } catch (cause) {
    throw new E2eError('REPORT_UNWRITABLE', `the report can't be written to ${file}`, {
      expected: 'a file that can be written',
      found: reasonOf(cause),
      cause,
    });
  }
}

function printJson(value: unknown): void {
  process.stdout.write(`${printableJson(value)}\n`);
}

function parse(args: readonly string[]) {
  try {
    const parsed = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
    checkCommand(parsed.positionals, parsed.values);
    return parsed;
  } catch (cause) {
    throw new E2eError('USAGE', reasonOf(cause), { cause });
  }
}

function checkCommand([command, image, ...more]: readonly string[], values: Values): void {
  if (command !== undefined && command !== 'preflight' && command !== 'verify') {
    throw new Error(`unknown command '${command}'`);
  }
  const unknown = command === 'verify' ? more[0] : image;
  if (unknown !== undefined) throw new Error(`unexpected argument '${unknown}'`);
  if (command === 'verify' && image === undefined)
    throw new Error('verify needs an image, such as quay.io/org/image1:latest');
  if (!['local', 'tenant', 'tekton'].includes(values.target)) {
    throw new Error(`unknown target '${values.target}': local, tenant or tekton`);
  }
  if (values.external !== undefined && (command !== undefined || values.target !== 'local')) {
    throw new Error('--external is for a run on this machine: elsewhere what the config names is reached itself');
  }
  if (values.json && (command === 'preflight' || values['dry-run'] || values.cleanup)) {
    throw new Error('--json prints a report, and this makes none');
  }
}
