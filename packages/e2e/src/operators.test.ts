import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startForTest } from '@multi-image/testing/child';
import { ALL_WELL, statusOf } from '@multi-image/testing/criteria';
import { readCommands } from '@multi-image/testing/document-commands';
import { commitAll } from '@multi-image/testing/source';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from './report/report.ts';
import { repository } from './testing/cli-run.ts';
import { copyForRuns } from './testing/demo.ts';

const EXAMPLE = join(repository, 'examples/operator-with-daemon');
const blocks = readCommands(join(repository, 'docs/operators.md'));
let folder: string;
let fork: string;
let operator: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'operators-test-'));
  fork = join(folder, 'fork');
  operator = join(folder, 'operator');
  makeOperator();
  await makeFork();
  makeNpx();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A repository as an operator's team has it, in the usual layout, after `make bundle` and `opm render`. */
function makeOperator(): void {
  for (const path of ['cmd', 'go.mod', 'bundle', 'catalog'])
    cpSync(join(EXAMPLE, path), join(operator, path), { recursive: true });
  const csv = readFileSync(join(EXAMPLE, 'bundle/manifests/node-operator.clusterserviceversion.yaml'), 'utf8');
  const withoutAgent = csv.replace(/^ {4}- name: node-agent\n.*\n/m, '');
  expect(withoutAgent).not.toBe(csv);
  const write = (path: string, text: string): void => {
    mkdirSync(join(operator, path, '..'), { recursive: true });
    writeFileSync(join(operator, path), text);
  };
  write('bundle/manifests/node-operator.clusterserviceversion.yaml', withoutAgent);
  const configMap = 'bundle/manifests/node-operator-config_v1_configmap.yaml';
  write(configMap, readFileSync(join(EXAMPLE, configMap), 'utf8').replace(/^ {2}agent.*\n/m, ''));
  write(
    'config/manifests/bases/node-operator.clusterserviceversion.yaml',
    withoutAgent.replaceAll(/^.*image: .*\n/gim, ''),
  );
  const catalog = readFileSync(join(EXAMPLE, 'catalog/catalog.yaml'), 'utf8');
  write('catalog/catalog.yaml', catalog.replace(/^- image: .*node-agent.*\n.*\n/m, ''));
  write('Makefile', 'bundle:\n\toperator-sdk generate bundle --version 0.1.0\n');
  write('README.md', '# Node operator\n');
  // It has no base that would have to be fetched.
  write('Dockerfile', 'FROM scratch\nCOPY --chmod=0444 cmd/operator/main.go /src/main.go\nUSER 1001\n');
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', operator]);
  commitAll(operator);
}

/** This repository as it stands, as a fork that was just cloned; of its packages what is run from there. */
async function makeFork(): Promise<void> {
  await copyForRuns(repository, fork, () => true);
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', fork]);
  commitAll(fork);
  symlinkSync(join(repository, 'node_modules'), join(fork, 'node_modules'));
  writeFileSync(join(fork, '.git/info/exclude'), 'node_modules\n');
}

/** `npx --yes pnpm@12 run SCRIPT`, without installing anything: the script as package.json has it, with this repository's packages. */
function makeNpx(): void {
  const npx = join(folder, 'bin/npx');
  mkdirSync(join(folder, 'bin'));
  writeFileSync(
    npx,
    `#!/usr/bin/env bash
[[ "$1 $2 $3" == "--yes pnpm@12 run" ]] || exit 97
script=$(node -p 'require("${repository}/package.json").scripts[process.argv[1]]' "$4")
script=\${script/#tsx /node }
shift 4
exec \${script/ packages/ ${repository}/packages} "$@"
`,
  );
  chmodSync(npx, 0o755);
}

/** Runs the document's block of this name in the fork. */
async function run(
  name: string,
  change: (text: string) => string = (text) => text,
): Promise<{ status: number | null; output: string }> {
  const block = blocks.find(({ by }) => by?.endsWith(` ${name}`));
  if (block === undefined) throw new Error(`docs/operators.md has no ${name}`);
  const child = startForTest('bash', ['-euo', 'pipefail', '-c', change(block.text)], {
    cwd: fork,
    env: {
      ...process.env,
      PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
      TMPDIR: folder,
      CI: '1',
      ...Object.fromEntries(
        ['AUTHOR', 'COMMITTER'].flatMap((who) => [
          [`GIT_${who}_NAME`, 'Team'],
          [`GIT_${who}_EMAIL`, 'team@example.com'],
        ]),
      ),
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const [status] = await once(child, 'close');
  return { status, output };
}

async function succeed(...step: Parameters<typeof run>): Promise<void> {
  const { status, output } = await run(...step);
  expect(status, output).toBe(0);
}

test('an operator in its usual layout becomes a proven chain by the steps of docs/operators.md', async () => {
  await succeed('bring', (text) => text.replace(/https:\S+/, operator));
  expect(readFileSync(join(fork, 'README.md'), 'utf8')).toBe(readFileSync(join(repository, 'README.md'), 'utf8'));
  await succeed('config');
  await succeed('containerfiles');
  await succeed('configure');
  const { output } = await run('look');
  const problems = output.split('\n').filter((line) => line.startsWith('problem: '));
  expect(problems).toEqual(['problem: external.daemon.image is still a placeholder']);
  await succeed('commit');
  const file = join(folder, 'report.json');
  const ran = await run('run', (text) => `${text.trimEnd()} --port 0 --report ${file}\n`);
  expect(ran.output).toContain('5 passed, 0 failed, 1 skipped of 6 criteria');
  expect(ran.status).toBe(0);
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  expect(statusOf(report)).toEqual(ALL_WELL);
  expect(report.external).toMatchObject([{ role: 'daemon', digest: expect.stringMatching(/^sha256:/), standIn: true }]);
  // CSV, related images, ConfigMap and catalog name what was built, or found.
  const texts = report.criteria.flatMap(({ evidence }) => evidence.map(({ text }) => text));
  expect(texts.filter((text) => text.includes('named-in-files'))).toEqual([
    'bundle, named-in-files: operator: manifests/node-operator.clusterserviceversion.yaml:10,40,67',
    'bundle, named-in-files: daemon: manifests/node-operator-config_v1_configmap.yaml:7 manifests/node-operator.clusterserviceversion.yaml:42',
    'catalog, named-in-files: bundle: configs/node-operator/catalog.yaml:12,58',
    'catalog, named-in-files: operator: configs/node-operator/catalog.yaml:25,60',
    'catalog, named-in-files: daemon: configs/node-operator/catalog.yaml:54',
  ]);
  const daemon = `DAEMON_DIGEST=${report.external?.[0]?.digest}`;
  expect(texts).toContain(`build-bundle was called with daemon's digest: --build-arg ${daemon}`);
});
