// What `pnpm test` runs. A fork's tests are about what is the fork's: its config, its rendered files, its Containerfiles,
// its programs, and whether its chain is built and proved. The template's own tests follow where nothing was configured
// yet; in a fork `pnpm test:template` runs them.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { EXIT, runCommandLine } from '@multi-image/kit/command-line';
import { printable } from '@multi-image/kit/terminal';
import { findPlaceholders, loadConfig } from '@multi-image/manifests';

/** Fields of the config that every fork sets, and the template does not. */
const UNSET_IN_THE_TEMPLATE = ['namespace', 'git.url', 'registry'];
const MANIFESTS = 'packages/manifests/src/cli.ts';

await runCommandLine(main, { isRefusal: () => true });

async function main(args: readonly string[]): Promise<number> {
  const { chain } = await loadConfig('konflux.config.ts');
  const unset = findPlaceholders(chain).map(({ field }) => field);
  const isTemplate = UNSET_IN_THE_TEMPLATE.every((field) => unset.includes(field));
  if (args.includes('--which')) {
    process.stdout.write(`${isTemplate ? 'template' : 'fork'}\n`);
    return EXIT.done;
  }
  const what = isTemplate ? 'the chain and the template' : 'the chain alone; pnpm test:template tests the template';
  say(`${printable(chain.application)}: ${what}`);
  const steps: readonly (readonly [string, () => boolean])[] = [
    ['rendered files', () => runs(process.execPath, MANIFESTS, 'render', '--config', 'konflux.config.ts', '--check')],
    ['config and Containerfiles', hasNoProblem],
    [
      'programs in apps/',
      () => globSync('apps/*/package.json').length === 0 || runs('turbo', 'run', 'test', '--filter=./apps/*'),
    ],
    ['the chain, built and proved', () => runs(process.execPath, 'packages/e2e/src/cli.ts')],
    ...(isTemplate ? [['the template', () => runs('pnpm', 'run', 'test:template')] as const] : []),
  ];
  for (const [name, passes] of steps) {
    say(name);
    if (passes()) continue;
    say(`failed: ${name}`);
    return EXIT.failed;
  }
  return EXIT.done;
}

function runs(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'inherit' }).status === 0;
}

/** What the doctor finds, but for what only a tenant needs: names that are not set yet. */
function hasNoProblem(): boolean {
  const { stdout, stderr } = spawnSync(process.execPath, [MANIFESTS, 'doctor', '--json'], { encoding: 'utf8' });
  process.stderr.write(stderr);
  if (stdout === '') return false;
  const { findings } = JSON.parse(stdout) as {
    findings: { level: string; about: string; found: string; hint: string }[];
  };
  const problems = findings.filter(({ level, about }) => level === 'problem' && !about.includes('placeholder'));
  for (const { about, found, hint } of problems) say(`${about}\n  found: ${found}\n  hint:  ${hint}`);
  return problems.length === 0;
}

function say(text: string): void {
  process.stdout.write(`pnpm test · ${text}\n`);
}
