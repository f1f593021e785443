// `pnpm release --dry-run`: a release of the packages, as the workflow makes it, up to publishing, which goes to a registry
// on loopback: versions and changelogs by changesets, build, what the packages hold and export, their API reports, and each
// command run from an empty project on every Node.js that they are for.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT, runCommandLine } from '@multi-image/kit/command-line';
import { runOrThrow } from '@multi-image/kit/commands';
import { CodedError } from '@multi-image/kit/errors';
import { findProgram } from '@multi-image/kit/find-program';
import { sealedChain } from '@multi-image/testing/attested-chain';
import { REVISION } from '@multi-image/testing/chain';
import { startTestRegistry } from '@multi-image/testing/registry';
import { writeApiReports } from './api-report.ts';
import { copyRepository } from './copy-repository.ts';
import { installTools, type LocalNpm, startNpmRegistry } from './release-npm.ts';

const REPOSITORY = resolve(import.meta.dirname, '..');
/** The oldest that the packages are for, the one that pipelines have, and the newest. */
const NODES = ['22', '24', 'latest'];
const ACTIONLINT = 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12';

const help = `Usage: pnpm release --dry-run [options]

Makes a release of the packages in a copy of this repository and publishes it to a registry on
this machine alone. Publishing to npm is the workflow's (.github/workflows/release.yml).

  --dry-run        required
  --node VERSION   try the commands on this Node.js alone; may be given more than once
                   (default: 22, 24 and latest)
  --help           this text
`;

await runCommandLine(main, { isRefusal: (error) => error.code === 'USAGE' });

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      'dry-run': { type: 'boolean' },
      node: { type: 'string', multiple: true, default: NODES },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return EXIT.done;
  }
  if (!values['dry-run']) {
    throw new CodedError('USAGE', 'nothing is published from here', {
      expected: '--dry-run',
      hint: 'merging the pull request "Version packages" publishes: CONTRIBUTING.md, "Releases"',
    });
  }
  const folder = mkdtempSync(join(tmpdir(), 'release-'));
  let npm: LocalNpm | undefined;
  try {
    const bin = await step('tools', () => installTools(join(REPOSITORY, 'node_modules/.cache/release-tools')));
    const copy = join(folder, 'repository');
    const run = (program: string, ...rest: string[]): Promise<unknown> => runOrThrow(program, rest, { cwd: copy });
    await step('a copy of this repository', async () => {
      copyRepository(REPOSITORY, copy);
      await run('git', 'init', '--quiet');
      await run('pnpm', 'install', '--frozen-lockfile', '--prefer-offline');
    });
    await lintWorkflows(copy);
    const versions = await step('versions and changelogs', () => raiseVersions(copy, run));
    await step('build', () => run('pnpm', 'run', 'build'));
    await step('API reports', () => writeApiReports(copy, bin, 'check'));
    const archives = await step('pack', () => pack(copy, join(folder, 'archives')));
    await step('what the packages hold', async () => {
      for (const archive of archives) {
        await run(join(bin, 'publint'), 'run', archive, '--strict');
        if (!archive.includes('e2e')) await run(join(bin, 'attw'), archive, '--profile', 'esm-only');
      }
    });
    const { stdout } = await runOrThrow('npm', ['config', 'get', 'registry'], { cwd: folder });
    const local = await step('a registry on this machine', () =>
      startNpmRegistry(bin, join(folder, 'npm'), stdout.trim()),
    );
    npm = local;
    await step('publish there', async () => {
      for (const archive of archives)
        await runOrThrow('npm', ['publish', archive, '--access', 'public', '--userconfig', local.userconfig], {
          cwd: folder,
        });
    });
    for (const node of values.node) {
      await step(`install and run on Node.js ${node}`, () => tryOn(node, join(folder, `on-${node}`), local, versions));
    }
    return EXIT.done;
  } finally {
    await npm?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** actionlint comes as a program in Go; where there is no Go the workflows are not judged, and that is said. */
async function lintWorkflows(copy: string): Promise<void> {
  if (findProgram(['go']) === undefined) {
    process.stdout.write('release · – workflows: skipped, there is no Go to run actionlint with\n');
    return;
  }
  await step('workflows', () => runOrThrow('go', ['run', ACTIONLINT], { cwd: copy }));
}

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  process.stdout.write(`release · ✓ ${name}  ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  return result;
}

type Versions = ReadonlyMap<string, string>;

/** Takes all changesets, as the pull request "Version packages" does; answers with the versions. */
async function raiseVersions(
  copy: string,
  run: (program: string, ...args: string[]) => Promise<unknown>,
): Promise<Versions> {
  const pending = readdirSync(join(copy, '.changeset')).filter((name) => name.endsWith('.md') && name !== 'README.md');
  if (pending.length > 0) await run('pnpm', 'changeset', 'version');
  const versions = new Map<string, string>();
  for (const folder of published(copy)) {
    const { name, version } = readManifest(folder);
    if (pending.length > 0) readFileSync(join(folder, 'CHANGELOG.md'), 'utf8');
    versions.set(name, version);
  }
  return versions;
}

async function pack(copy: string, into: string): Promise<string[]> {
  mkdirSync(into);
  for (const folder of published(copy)) await runOrThrow('pnpm', ['pack', '--pack-destination', into], { cwd: folder });
  return readdirSync(into).map((name) => join(into, name));
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

function published(copy: string): string[] {
  const folders = readdirSync(join(copy, 'packages')).map((name) => join(copy, 'packages', name));
  return folders.filter((folder) => readManifest(folder).private !== true);
}

/** Installs the packages into an empty project and runs each command there: its version, and something real. */
async function tryOn(node: string, project: string, npm: LocalNpm, versions: Versions): Promise<void> {
  mkdirSync(join(project, 'image'), { recursive: true });
  const runtime = `node@npm:node-${process.platform}-${process.arch}@${node}`;
  const packages = [...versions].map(([name, version]) => `${name}@${version}`);
  const install = ['install', '--userconfig', npm.userconfig, '--loglevel=error', runtime, ...packages];
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  await runOrThrow('npm', install, { cwd: project });
  const program = join(project, 'node_modules/node/bin/node');
  const command = async (name: string, ...args: string[]): Promise<string> => {
    const { stdout } = await runOrThrow(program, [join(project, 'node_modules/.bin', name), ...args], { cwd: project });
    return stdout;
  };
  const version = (name: string): string => versions.get(`@multi-image/${name}`) ?? '';
  const commands = {
    'digest-chain': 'digest-chain',
    'multi-image-manifests': 'manifests',
    'tekton-local': 'tekton-local',
    'multi-image-e2e': 'e2e',
  };
  for (const [name, from] of Object.entries(commands)) {
    holds((await command(name, '--version')).includes(version(from)), `${name} --version says ${version(from)}`);
  }

  const config = { application: 'a', namespace: 'n', git: { url: 'https://git.example/a' }, registry: 'quay.io/o/n' };
  const images = [{ role: 'primary', component: 'a', repository: 'a', containerfile: 'image/Containerfile' }];
  const text = `import { defineConfig } from '@multi-image/manifests';\nexport default defineConfig(${JSON.stringify({ ...config, images })});\n`;
  writeFileSync(join(project, 'konflux.config.ts'), text);
  writeFileSync(join(project, 'image/Containerfile'), 'FROM scratch\n');
  holds((await command('multi-image-manifests', 'render')).includes('files written'), 'multi-image-manifests render');

  const task = {
    name: 'hello',
    taskSpec: { steps: [{ name: 's', image: 'example.com/image', script: 'echo hello' }] },
  };
  const run = {
    apiVersion: 'tekton.dev/v1',
    kind: 'PipelineRun',
    metadata: { name: 'r' },
    spec: { pipelineSpec: { tasks: [task] } },
  };
  writeFileSync(join(project, 'run.yaml'), JSON.stringify(run));
  holds((await command('tekton-local', 'plan', 'run.yaml')).includes('hello'), 'tekton-local plan');

  const registry = await startTestRegistry();
  try {
    const { image1 } = await sealedChain(registry.host, 'release');
    const image = `${image1}:${REVISION}`;
    holds((await command('digest-chain', 'verify', image)).includes('linked'), 'digest-chain verify');
    holds((await command('multi-image-e2e', 'verify', image)).includes('passed'), 'multi-image-e2e verify');
  } finally {
    await registry.stop();
  }
}

function holds(it: boolean, what: string): void {
  if (!it) throw new CodedError('FAILED', `not so: ${what}`);
}
