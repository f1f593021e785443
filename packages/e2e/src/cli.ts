#!/usr/bin/env node
import { writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HELP } from './cli-help.ts';
import { E2eError } from './errors.ts';
import { Progress } from './report/progress.ts';
import type { Report } from './report/report.ts';
import { renderReport } from './report/terminal.ts';
import { palette, printable, printableLines } from './report/terminal-text.ts';
import { TEKTON_OPTIONS } from './targets/cluster/tekton/options.ts';
import { TENANT_OPTIONS } from './targets/cluster/tenant/options.ts';
import { preflight } from './targets/local/preflight.ts';

const stop = new AbortController();
const paint = palette(process.stdout);

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The second time the run is left to the janitor, which needs nobody to wait for it.
    if (stop.signal.aborted) process.exit(128 + constants.signals[signal]);
    stop.abort(new E2eError('INTERRUPTED', `stopped by ${signal}`));
    process.exitCode = 128 + constants.signals[signal];
    process.stderr.write(`\n${signal}: removing what this run made …\n`);
  });
}

// Whoever read the output is gone (`| head`): there is nobody to go on for.
process.stdout.on('error', (cause) => {
  stop.abort(new E2eError('INTERRUPTED', 'the output is read no more', { cause }));
});

try {
  await main();
} catch (error) {
  report(stop.signal.aborted ? stop.signal.reason : error);
  // A number that a signal's handler set stays.
  process.exitCode ??= 2;
}

async function main(): Promise<void> {
  const { values, positionals } = parse();
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const progress = new Progress(process.stdout, paint);
  const install = !values['no-install'];
  if (positionals[0] === 'preflight') {
    const { installed } = await preflight({
      install,
      signal: stop.signal,
      onInstall: (_, command) => progress.line(`installing: ${command}`),
    });
    progress.line(installed.length === 0 ? 'all tools are there' : `installed: ${installed.join(' ')}`);
    return;
  }
  // Before anything is built: a report that can't be written is better known now.
  const html = values.html ?? (values.open ? join(tmpdir(), `image-chain-${process.pid}.html`) : undefined);
  for (const file of [values.json, html, values.junit]) if (file !== undefined) await write(file, '', 'a');
  const result = await produce(values, positionals, progress);
  stop.signal.throwIfAborted();
  // A dry run or a clean-up: what there is to say was said.
  if (result === undefined) return;
  if (values.json !== undefined) await write(values.json, `${JSON.stringify(result, null, 2)}\n`, 'w');
  if (html !== undefined) {
    const { renderPage } = await import('./report/html/page.ts');
    await write(html, renderPage(result), 'w');
  }
  if (values.junit !== undefined) {
    const { renderJunit } = await import('./report/junit.ts');
    await write(values.junit, renderJunit(result), 'w');
  }
  for (const line of renderReport(result, paint)) console.log(line);
  process.exitCode = result.status === 'passed' ? 0 : 1;
  if (values.open && html !== undefined) {
    const { openInBrowser } = await import('./report/open.ts');
    await openInBrowser(html);
  }
}

type Values = ReturnType<typeof parse>['values'];

async function produce(
  values: Values,
  [command, image]: readonly string[],
  progress: Progress,
): Promise<Report | undefined> {
  const { signal } = stop;
  if (command === 'verify') {
    const [{ verifyPublished }, { parsePlaces }, { connect }, { readKeyFiles }] = await Promise.all([
      import('./targets/published/verify-published.ts'),
      import('./targets/published/places.ts'),
      import('./look/connect.ts'),
      import('./targets/cluster/key-files.ts'),
    ]);
    const { key, revision, prefix, 'plain-http': plainHttp, 'registry-here': to } = values;
    const from = image?.split('/')[0];
    const { registry, elsewhere } = connect({ from, to, plainHttp, signal });
    const at = parsePlaces(values.at);
    const keys = await readKeyFiles(key);
    return verifyPublished({ reference: image ?? '', keys, revision, prefix, at, registry, plainHttp, elsewhere });
  }
  if (values.target === 'tenant') {
    const { runTenantCommand } = await import('./targets/cluster/tenant/command.ts');
    return runTenantCommand(values, progress, signal);
  }
  if (values.target === 'tekton') {
    const { runTektonCommand } = await import('./targets/cluster/tekton/command.ts');
    return runTektonCommand(values, progress, signal);
  }
  const port = Number(values.port);
  if (!/^\d{1,5}$/.test(values.port) || port > 65535) {
    throw new E2eError('USAGE', 'not a port', { expected: '--port with a number from 0 to 65535', found: values.port });
  }
  const { runLocal } = await import('./targets/local/local-run.ts');
  return runLocal({
    cwd: process.cwd(),
    config: values.config,
    port,
    keep: values.keep,
    install: !values['no-install'],
    progress,
    signal,
  });
}

async function write(file: string, text: string, flag: 'a' | 'w'): Promise<void> {
  try {
    await writeFile(file, text, { flag });
  } catch (cause) {
    throw new E2eError('REPORT_UNWRITABLE', `the report can't be written to ${file}`, {
      expected: 'a file that can be written',
      found: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

function parse() {
  try {
    const parsed = parseArgs({
      allowPositionals: true,
      options: {
        config: { type: 'string', default: 'konflux.config.ts' },
        json: { type: 'string' },
        html: { type: 'string' },
        junit: { type: 'string' },
        open: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        port: { type: 'string', default: '5480' },
        'no-install': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        target: { type: 'string', default: 'local' },
        key: { type: 'string', multiple: true },
        revision: { type: 'string' },
        prefix: { type: 'string' },
        at: { type: 'string', multiple: true },
        ...TENANT_OPTIONS,
        ...TEKTON_OPTIONS,
      },
    });
    checkCommand(parsed.positionals, parsed.values.target);
    return parsed;
  } catch (cause) {
    throw new E2eError('USAGE', cause instanceof Error ? cause.message : String(cause), {
      hint: 'pnpm e2e --help lists the options',
      cause,
    });
  }
}

function checkCommand([command, image, ...more]: readonly string[], target: string): void {
  if (command !== undefined && command !== 'preflight' && command !== 'verify') {
    throw new Error(`unknown command '${command}'`);
  }
  const unknown = command === 'verify' ? more[0] : image;
  if (unknown !== undefined) throw new Error(`unexpected argument '${unknown}'`);
  if (command === 'verify' && image === undefined)
    throw new Error('verify needs an image, such as quay.io/org/image1:latest');
  if (!['local', 'tenant', 'tekton'].includes(target)) {
    throw new Error(`unknown target '${target}': local, tenant or tekton`);
  }
}

function report(error: unknown): void {
  const paintError = palette(process.stderr);
  const { code, message, expected, found, hint } = describe(error);
  const lines = [`${paintError.red(`error ${code}:`)} ${printable(message)}`];
  for (const [name, text] of Object.entries({ expected, found, hint })) {
    if (!text) continue;
    const [first = '', ...rest] = printableLines(text);
    lines.push(`  ${name.padEnd(9)} ${first}`, ...rest.map((line) => `  ${''.padEnd(9)} ${line}`));
  }
  process.stderr.write(`${lines.join('\n')}\n`);
}

/** Errors of every package have the same shape; anything else is a bug of ours, and its stack helps to find it. */
function describe(error: unknown): { code: string; message: string; expected?: string; found?: string; hint?: string } {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error as never;
  return {
    code: 'INTERNAL',
    message: 'a bug in this program',
    found: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}
