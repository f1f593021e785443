#!/usr/bin/env node
import { writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { E2eError } from './errors.ts';
import { preflight } from './local/preflight.ts';
import { Progress } from './report/progress.ts';
import type { Report } from './report/report.ts';
import { renderReport } from './report/terminal.ts';
import { palette, printable, printableLines } from './report/terminal-text.ts';
import { TEKTON_HELP, TEKTON_OPTIONS } from './tekton/options.ts';
import { TENANT_HELP, TENANT_OPTIONS } from './tenant/options.ts';

const HELP = `Builds the chain of images on this machine with the pipelines that Konflux would run, and proves it.

Usage: pnpm e2e [options]
       pnpm e2e preflight     only checks the tools that it needs, and installs what is missing
       pnpm e2e verify IMAGE  proves published images, without building anything
       pnpm e2e --target tenant [options]
                              builds and proves the chain on a Konflux tenant
       pnpm e2e --target tekton [options]
                              does it on any cluster that has Tekton, without Konflux

Options:
  --config FILE  the chain to build (default konflux.config.ts at the root of the repository)
  --json FILE    write the report as JSON, too
  --html FILE    write it as one self-contained HTML page, too
  --junit FILE   write it as JUnit XML, too
  --open         show the HTML page in a browser
  --keep         leave the registry and the images; prints their addresses and how to remove them
  --port NUMBER  port of the throwaway registry on loopback (default 5480; 0: any free one).
                 Image 2 holds Image 1's address, so its digest depends on the port
  --no-install   never install a missing tool; print the command instead
  --help         this text

Of published images (verify):
  --key FILE     public keys of the build system, such as cosign.pub; can be repeated. On a tenant:
                 in place of the cluster's
  --revision SHA the commit that all images must have been built from
  --prefix TEXT  of the labels (default io.konflux.poc)
  --plain-http   the registry has no TLS; on loopback none is expected
  --registry-here HOST[:PORT]
                 how this machine reaches the registry that the images' links name otherwise

${TENANT_HELP}
${TEKTON_HELP}
Exit code: 0 no criterion failed, 1 a criterion failed, 2 the run could not be made.

Examples:
  pnpm e2e
  pnpm e2e --config examples/app-sidecar/konflux.config.ts
  pnpm e2e --keep --json report.json
  pnpm e2e verify quay.io/org/image1:latest --key cosign.pub
  pnpm e2e --target tenant --commit $(git rev-parse HEAD)
  pnpm e2e --target tekton --registry ghcr.io/me --stand-ins
`;

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
    const [{ verifyPublished }, { connect }, { readKeyFiles }] = await Promise.all([
      import('./published/verify-published.ts'),
      import('./images/connect.ts'),
      import('./cluster/key-files.ts'),
    ]);
    const { key, revision, prefix, 'plain-http': plainHttp, 'registry-here': to } = values;
    const from = image?.split('/')[0];
    const { registry, elsewhere } = connect({ from, to, plainHttp, signal });
    const keys = await readKeyFiles(key);
    return verifyPublished({ reference: image ?? '', keys, revision, prefix, registry, plainHttp, elsewhere });
  }
  if (values.target === 'tenant') {
    const { runTenantCommand } = await import('./tenant/command.ts');
    return runTenantCommand(values, progress, signal);
  }
  if (values.target === 'tekton') {
    const { runTektonCommand } = await import('./tekton/command.ts');
    return runTektonCommand(values, progress, signal);
  }
  const port = Number(values.port);
  if (!/^\d{1,5}$/.test(values.port) || port > 65535) {
    throw new E2eError('USAGE', 'not a port', { expected: '--port with a number from 0 to 65535', found: values.port });
  }
  const { runLocal } = await import('./local/local-run.ts');
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
