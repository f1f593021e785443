// A fork's first hour and its first year, by the commands of the documents alone: cloned, configured, given two images of its
// own, rendered, tested, committed, bumped by a bot and brought to the template's next version twice, once with conflicts.
// Nothing outside a temporary folder is touched, and no network but that of the packages' registry.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { EXIT, runCommandLine } from '@multi-image/kit/command-line';
import { CodedError } from '@multi-image/kit/errors';
import { type Commands, readCommands } from '@multi-image/testing/document-commands';
import { readPinRules } from '@multi-image/testing/renovate';
import { copyRepository } from './copy-repository.ts';

const REPOSITORY = resolve(import.meta.dirname, '..');
const DOCUMENTS = ['docs/fork.md', 'docs/your-images.md', 'docs/konflux.md'];
const SELF = 'scripts/fork-year.ts';
const folder = mkdtempSync(join(tmpdir(), 'fork-year-'));
const at = (...path: string[]): string => join(folder, ...path);
const fork = at('my-fork');
const started = performance.now();
const done = new Set<string>();

const environment: NodeJS.ProcessEnv = {
  ...process.env,
  CI: '1',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: at('gitconfig'),
  GIT_AUTHOR_NAME: 'Fork',
  GIT_AUTHOR_EMAIL: 'fork@example.com',
  GIT_COMMITTER_NAME: 'Fork',
  GIT_COMMITTER_EMAIL: 'fork@example.com',
  // `pnpm exec` tells its children that everything is installed; in a fork that was just cloned it is not.
  pnpm_config_verify_deps_before_run: undefined,
};

await runCommandLine(main, { isRefusal: () => false });

async function main(): Promise<number> {
  try {
    publishTemplate();
    document('clone', folder);
    document('configure');
    document('own-images');
    document('delete-demo');
    writePrograms();
    document('render');
    document('more-images');
    shell(fork, 'npx --yes pnpm@12 run render --check && git reset --quiet --hard && git clean --quiet -fd');
    document('tenant');
    document('look');
    document('verifier');
    shell(fork, 'git commit --all --quiet --message "Move the verifier"');
    expect(shell(fork, 'npx --yes pnpm@12 --silent test --which') === 'fork\n', 'pnpm test knows that this is a fork');
    bumpAsRenovate();
    bumpAsBot();
    document('bot');
    document('upstream');
    nextVersion('0.9.1', '1');
    document('merge');
    checkMerged('0.9.1');
    nextVersion('0.9.3', '3');
    // The fork's bot was there too: both have moved the same pins.
    repin(fork, '0.9.2', '2', ['packages/manifests/pins.yaml']);
    shell(fork, 'npx --yes pnpm@12 run render && git commit --all --quiet --message "Move pins"');
    document('merge');
    checkMerged('0.9.3');
    shell(fork, 'npx --yes pnpm@12 run check', true);
    const all = commandsOfDocuments().flatMap(({ by }) => (by?.startsWith(SELF) ? [by] : []));
    const left = all.filter((by) => !done.has(by));
    expect(left.length === 0, `every step of the documents was done; left: ${left.join(', ')}`);
    say(`green in ${Math.round((performance.now() - started) / 1000)} s`);
    return EXIT.done;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Makes this repository as it stands what the addresses of the document lead to. */
function publishTemplate(): void {
  copyRepository(REPOSITORY, at('template'));
  shell(
    at('template'),
    'git init --quiet --initial-branch=main && git add --all && git commit --quiet --message=Template',
  );
  for (const [name, url] of [
    ['my-fork', 'https://github.com/my-org/my-fork'],
    ['upstream', 'https://github.com/template-org/template'],
  ] as const) {
    shell(folder, `git clone --quiet --bare template ${name}.git`);
    shell(folder, `git config --global url.file://${at(name)}.git.insteadOf ${url}`);
  }
}

/** What the images hold: two programs of no language in particular. */
function writePrograms(): void {
  for (const name of ['service', 'worker']) {
    const program = `images/${name}/main.js`;
    write(program, `console.log('${name} ' + (process.env.SERVICE_DIGEST ?? ''));\n`);
    edit(fork, `images/${name}/Containerfile`, /# COPY.*/, `COPY --chmod=0444 ${program} /main.js`);
    edit(fork, `images/${name}/Containerfile`, /# ENTRYPOINT.*/, 'ENTRYPOINT ["node", "/main.js"]');
    edit(fork, `images/${name}/Containerfile`, /(FROM \S+):[^:@]+@/, '$1:of-our-own@');
  }
}

/** What a pull request of Renovate's changes: a pin, wherever renovate.json says that there is one. It leaves nothing to do. */
function bumpAsRenovate(): void {
  const files = shell(fork, 'git ls-files').split('\n').filter(readPinRules(fork).isMoved);
  repin(fork, '0.8.9', '8', files);
  shell(fork, 'git commit --all --quiet --message "Update Konflux references"');
  shell(fork, 'npx --yes pnpm@12 run check', true);
  const before = shell(fork, 'cat packages/manifests/pins.yaml');
  shell(fork, 'npx --yes pnpm@12 run render');
  expect(shell(fork, 'cat packages/manifests/pins.yaml') === before, 'the pins are what Renovate wrote');
  shell(fork, 'git diff --quiet || git commit --all --quiet --message "Render"');
}

/** What a bot's pull request changes that knows nothing of pins.yaml: a pin, in the rendered pipelines alone. */
function bumpAsBot(): void {
  const pipelines = shell(fork, 'git ls-files pipeline').split('\n').filter(Boolean);
  repin(fork, '0.9.0', '0', pipelines, ['init']);
  shell(fork, 'git commit --all --quiet --message "Update task-init"');
}

/** The template's next version: pins, a renderer that writes another header, the demo's base, a document. */
function nextVersion(tag: string, digit: string): void {
  const template = at('template');
  repin(template, tag, digit, ['packages/manifests/pins.yaml']);
  edit(template, 'packages/manifests/src/render/render.ts', /Rendered from konflux\.config\.ts(?: again)*/, '$& again');
  edit(template, 'image1/Containerfile', /$/, `# version ${tag}\n`);
  edit(template, 'docs/architecture.md', /$/, `\nVersion ${tag}.\n`);
  shell(template, 'npx --yes pnpm@12 run render');
  shell(template, `git add --all && git commit --quiet --message ${tag} && git push --quiet ../upstream.git main`);
}

function checkMerged(tag: string): void {
  const pins = readFileSync(join(fork, 'packages/manifests/pins.yaml'), 'utf8');
  expect(pins.includes(`task-git-clone-oci-ta:${tag}@`), `the newer pins stay: ${tag}`);
  expect(shell(fork, 'git status --porcelain') === '', 'everything is in a commit');
  expect(!existsSync(join(fork, 'image1')), 'what was deleted stays deleted');
  expect(readFileSync(join(fork, '.tekton/service-push.yaml'), 'utf8').includes('again'), 'the next renderer rendered');
  shell(fork, 'npx --yes pnpm@12 run render --check');
}

function repin(
  root: string,
  tag: string,
  digit: string,
  files: readonly string[],
  names = ['init', 'git-clone-oci-ta', 'apply-tags'],
): void {
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8');
    const to = `:${tag}@sha256:${digit.repeat(64)}`;
    const moved = names.reduce(
      (all, name) => all.replaceAll(new RegExp(`(/task-${name}):[^@\\s]+@sha256:[0-9a-f]{64}`, 'g'), `$1${to}`),
      text,
    );
    writeFileSync(join(root, file), moved);
  }
}

function edit(root: string, file: string, from: RegExp, to: string): void {
  const text = readFileSync(join(root, file), 'utf8');
  const changed = text.replace(from, to);
  expect(changed !== text, `${file} could be changed`);
  writeFileSync(join(root, file), changed);
}

function write(file: string, text: string): void {
  mkdirSync(dirname(join(fork, file)), { recursive: true });
  writeFileSync(join(fork, file), text);
}

function commandsOfDocuments(): Commands[] {
  return DOCUMENTS.flatMap((file) => readCommands(join(REPOSITORY, file)));
}

/** Runs the block of a document that has this name, as a shell would run it line by line. */
function document(name: string, cwd: string = fork): void {
  const by = `${SELF} ${name}`;
  const block = commandsOfDocuments().find((commands) => commands.by === by);
  if (block === undefined) throw new CodedError('FAILED', `no document has commands for ${by}`);
  const before = performance.now();
  shell(cwd, block.text, true);
  done.add(by);
  say(`${name}: ${Math.round((performance.now() - before) / 1000)} s`);
}

function shell(cwd: string, script: string, shown = false): string {
  const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
    cwd,
    env: environment,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (shown && process.argv.includes('--verbose')) process.stdout.write(stdout + stderr);
  if (status !== 0) throw new CodedError('FAILED', `${script}\n${stdout.slice(-6000)}${stderr.slice(-6000)}`);
  return stdout;
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new CodedError('FAILED', `not so: ${what}`);
}

function say(text: string): void {
  process.stdout.write(`fork-year · ${text}\n`);
}
