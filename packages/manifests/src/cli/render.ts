import { readFileSync, rmSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { EXIT } from '@multi-image/kit/command-line';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { ManifestsError } from '../errors.ts';
import { type Adoption, adopt, findAdoptions } from '../files/adopt.ts';
import { unifiedDiff } from '../files/diff.ts';
import { type ComparedFile, compareFiles, findDrift, findStale } from '../files/drift.ts';
import { isEdited, isRendered } from '../files/stamp.ts';
import { findTaskParams, saysTheSame, taskParamsText } from '../files/task-params.ts';
import { writeFiles } from '../files/write.ts';
import { parsePins } from '../pins.ts';
import { render } from '../render/render.ts';
import { readOptions } from './options.ts';
import { print } from './terminal.ts';

const help = `Usage: multi-image-manifests render [options]

Writes what konflux.config.ts says into .tekton/, pipeline/ and konflux/, beside it.
Digests that a bot updated in those files are taken over into the file of pins.

  --config FILE   the config (default: konflux.config.ts)
  --out FOLDER    write below this folder instead
  --check         write nothing; exit 1 where a file is not what would be written
  --diff          write nothing; show what would change
  --force         overwrite files that were edited by hand, and delete files that are no
                  longer rendered; pins that a bot updated are taken over all the same
  --help          this text

Examples:
  multi-image-manifests render --diff
  multi-image-manifests render --config examples/app-sidecar/konflux.config.ts --check
`;

interface Rendering {
  /** Every file as it should be, and as it is. */
  readonly files: readonly ComparedFile[];
  /** Rendered files that are no longer rendered. */
  readonly stale: readonly string[];
  readonly adoptions: readonly Adoption[];
  /** The file of pins with what was adopted. */
  readonly pins: { readonly path: string; readonly text: string };
  readonly target: string;
}

export async function runRender(args: readonly string[]): Promise<number> {
  const options = readOptions({ name: 'render', help }, args, {
    config: { type: 'string', default: 'konflux.config.ts' },
    out: { type: 'string' },
    check: { type: 'boolean', default: false },
    diff: { type: 'boolean', default: false },
    force: { type: 'boolean', default: false },
  });
  if (options === undefined) return EXIT.done;
  const config = await loadConfig(options.config);
  const target = options.out === undefined ? config.base : resolve(options.out);
  const rendering = renderInto(target, config);
  for (const { from, to, files } of rendering.adoptions) {
    print(`taken over from ${files.join(', ')}:\n  - ${from}\n  + ${to}`);
  }
  if (options.diff) showDiff(rendering);
  if (options.check) check(rendering);
  else if (!options.diff) write(rendering, config, options.force);
  return EXIT.done;
}

/** Reads what is there, and decides what should be: the only part that looks at the pins. */
function renderInto(target: string, { chain, folder, pins, pinsPath }: LoadedConfig): Rendering {
  const files = compareFiles(render(chain, pins, folder), target);
  const stale = findStale(files, target);
  const adoptions = findAdoptions(files, pins);
  const text = adopt(readFileSync(pinsPath, 'utf8'), adoptions);
  const result = { stale, adoptions, pins: { path: pinsPath, text }, target };
  if (adoptions.length === 0) return { ...result, files };
  return { ...result, files: compareFiles(render(chain, parsePins(text, pinsPath), folder), target) };
}

function showDiff({ files, stale }: Rendering): void {
  for (const { path, text, found = '' } of files) if (found !== text) print(unifiedDiff(path, found, text));
  for (const path of stale) print(`no longer rendered: ${path}`);
}

function check({ files, stale, adoptions, pins, target }: Rendering): void {
  const pinLines = pins.text.split('\n');
  const drifts = [
    ...findDrift(files),
    ...stale.map((path) => ({ path, line: 1, expected: 'no such file', found: 'a file that is no longer rendered' })),
    ...adoptions.map(({ from, to }) => ({
      path: relative(target, pins.path),
      line: pinLines.findIndex((line) => line.includes(to)) + 1,
      expected: to,
      found: from,
    })),
  ];
  for (const { path, line, expected, found } of drifts) {
    const text = `${path}:${line}: differs from konflux.config.ts\n  expected: ${expected}\n  found:    ${found}`;
    print(text, process.stderr);
  }
  if (drifts.length > 0) {
    const message = `${drifts.length} of ${files.length} rendered files are not as konflux.config.ts says`;
    throw new ManifestsError('DRIFT', message, { hint: 'pnpm render, and commit what it writes' });
  }
  print(`${files.length} rendered files are as konflux.config.ts says`);
}

function write({ files, stale, adoptions, pins, target }: Rendering, config: LoadedConfig, force: boolean): void {
  const changed = files.filter(({ text, found }) => found !== text);
  const edited = changed.filter(
    ({ text, found }) => found !== undefined && isEdited(found) && !(isRendered(found) && saysTheSame(text, found)),
  );
  if (edited.length > 0 && !force) {
    for (const { path, text, found = '' } of edited) print(shorten(unifiedDiff(path, found, text)), process.stderr);
    throw new ManifestsError('TARGET_EDITED', `edited by hand: ${edited.map(({ path }) => path).join(', ')}`, {
      expected: 'files as they were rendered',
      found: 'the lines above that start with -',
      hint: hintFor(edited, config),
    });
  }
  const adopted = adoptions.length > 0 ? [pins] : [];
  if (adopted.length > 0) checkPinsAreOurs(config);
  writeFiles([...changed.map(({ path, text }) => ({ path: join(target, path), text })), ...adopted]);
  for (const { path } of changed) print(path);
  for (const path of stale) {
    if (force) rmSync(join(target, path));
    print(`${force ? 'deleted' : 'no longer rendered, delete it or render --force'}: ${path}`);
  }
  print(`${changed.length} of ${files.length} files written`);
}

/** What a bot that migrates a task changes has a place in the config. */
function hintFor(edited: readonly ComparedFile[], { chain }: LoadedConfig): string {
  const tasks = findTaskParams(edited, chain.tasks);
  if (Object.keys(tasks).length === 0) return 'put what you need into konflux.config.ts, then render --force';
  const text = taskParamsText({ ...chain.tasks, ...tasks });
  return `put this into konflux.config.ts, then render; what else was edited goes with --force:\n${text}`;
}

function checkPinsAreOurs({ pinsPath, root }: LoadedConfig): void {
  const inside = relative(root, pinsPath);
  if (!inside.startsWith('..') && !inside.split(sep).includes('node_modules')) return;
  const message = 'a bot updated digests, and the pins are those that came with the package';
  throw new ManifestsError('PINS_BUILT_IN', message, {
    expected: 'a file of pins in the repository',
    found: pinsPath,
    hint: `copy that file to konflux.pins.yaml, beside konflux.config.ts, and set pins: 'konflux.pins.yaml'`,
  });
}

/** The start of a long diff: enough to recognise one's edit. */
function shorten(diff: string): string {
  const lines = diff.split('\n');
  return lines.length <= 40
    ? diff
    : [...lines.slice(0, 40), `… ${lines.length - 40} more lines: render --diff`].join('\n');
}
