import { globSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { EXIT } from '@multi-image/kit/command-line';
import { ManifestsError } from '../errors.ts';
import type { ComparedFile } from '../files/compare.ts';
import { unifiedDiff } from '../files/diff.ts';
import { isMergedPins } from '../files/merge.ts';
import { findRenderedDrift } from '../files/rendered.ts';
import { isHandmade, type PinsFile, planRendering, type RenderedFolder, type Rendering } from '../files/rendering.ts';
import { isRendered } from '../files/stamp.ts';
import { findTaskParams, saysTheSame, taskParamsText } from '../files/task-params.ts';
import { writeFiles } from '../files/write.ts';
import { HOW_TO_OWN_PINS, ownPins } from '../pins.ts';
import { readOptions } from './options.ts';
import { print } from './terminal.ts';

const help = `Usage: multi-image-manifests render [options]

Writes what konflux.config.ts says into .tekton/, pipeline/ and konflux/, beside it, and so for
every examples/*/konflux.config.ts. Digests that a bot updated in those files are taken over
into the file of pins. What a merge made of rendered files and pins is settled: conflict
markers go, and of two pins the newer one stays.

  --config FILE   this config alone (default: konflux.config.ts, and those of the examples)
  --out FOLDER    write below this folder instead, and no examples
  --check         write nothing; exit 1 where a file is not what would be written, but for pins
                  that a bot moved
  --diff          write nothing; show what would change
  --force         overwrite files that were edited by hand, and delete files that are no
                  longer rendered; pins that a bot updated are taken over all the same
  --help          this text

Examples:
  multi-image-manifests render --diff
  multi-image-manifests render --config examples/app-sidecar/konflux.config.ts --check
`;

export async function runRender(args: readonly string[]): Promise<number> {
  const options = readOptions({ name: 'render', help }, args, {
    config: { type: 'string' },
    out: { type: 'string' },
    check: { type: 'boolean', default: false },
    diff: { type: 'boolean', default: false },
    force: { type: 'boolean', default: false },
  });
  if (options === undefined) return EXIT.done;
  const examples = options.config === undefined && options.out === undefined;
  const paths = [
    options.config ?? 'konflux.config.ts',
    ...(examples ? globSync('examples/*/konflux.config.ts').sort() : []),
  ];
  const rendering = await planRendering(paths, options.out === undefined ? undefined : resolve(options.out));
  const does = options.check ? '`render` takes over' : 'taken over';
  for (const { from, to, files } of rendering.adoptions) {
    print(`${does} from ${files.join(', ')}:\n  - ${from}\n  + ${to}`);
  }
  if (options.diff) showDiff(rendering);
  if (options.check) check(rendering);
  else if (!options.diff) write(rendering, options.force);
  return EXIT.done;
}

/** How a file is called: from the root of the repository, or from the folder that was asked for. */
function nameIn({ config, target }: RenderedFolder, path: string): string {
  return target === config.base ? `${config.folder}${path}` : path;
}

function showDiff({ folders }: Rendering): void {
  for (const folder of folders) {
    for (const { path, text, found = '' } of folder.files) {
      if (found !== text) print(unifiedDiff(nameIn(folder, path), found, text));
    }
    for (const path of folder.stale) print(`no longer rendered: ${nameIn(folder, path)}`);
  }
}

function check({ folders, pins }: Rendering): void {
  const drifts = [
    ...pins
      .filter(({ found }) => isMergedPins(found))
      .map(({ path, config }) => ({
        path: relative(config.root, path),
        line: 1,
        expected: 'one pin for each name',
        found: 'both sides of a merge: render settles it',
      })),
    ...folders.flatMap((folder) =>
      findRenderedDrift(folder.config, folder.target).map((drift) => ({ ...drift, path: nameIn(folder, drift.path) })),
    ),
  ];
  for (const { path, line, expected, found } of drifts) {
    const text = `${path}:${line}: differs from konflux.config.ts\n  expected: ${expected}\n  found:    ${found}`;
    print(text, process.stderr);
  }
  if (drifts.length > 0) {
    const message = `${drifts.length} file${drifts.length === 1 ? ' is' : 's are'} not as konflux.config.ts says`;
    throw new ManifestsError('DRIFT', message, { hint: 'pnpm render, and commit what it writes' });
  }
  print(`${folders.flatMap(({ files }) => files).length} rendered files are as konflux.config.ts says`);
}

function write({ folders, pins }: Rendering, force: boolean): void {
  const changed = folders.map((folder) => ({
    folder,
    files: folder.files.filter(({ text, found }) => found !== text),
  }));
  if (!force) refuseHandmade(changed);
  const newPins = pins.filter(({ text, found }) => found !== text);
  for (const file of newPins) checkPinsAreOurs(file);
  const written = changed.flatMap(({ folder, files }) =>
    files.map(({ path, text }) => ({ name: nameIn(folder, path), path: join(folder.target, path), text })),
  );
  writeFiles([...written, ...newPins]);
  for (const { name } of written) print(name);
  for (const folder of folders) removeStale(folder, force);
  print(`${written.length} of ${folders.flatMap(({ files }) => files).length} files written`);
}

function removeStale(folder: RenderedFolder, force: boolean): void {
  for (const path of folder.stale) {
    const isBrought = folder.brought.includes(path);
    if (force || isBrought) rmSync(join(folder.target, path));
    const why = isBrought ? 'deleted, since it came with the merge and this config does not render it' : 'deleted';
    print(`${force || isBrought ? why : 'no longer rendered, delete it or render --force'}: ${nameIn(folder, path)}`);
  }
}

interface ChangedFolder {
  readonly folder: RenderedFolder;
  readonly files: readonly ComparedFile[];
}

function refuseHandmade(changed: readonly ChangedFolder[]): void {
  const edited = changed.map(({ folder, files }) => ({
    folder,
    files: files.filter((file) => {
      const { text, found = '' } = file;
      return isHandmade(file) && !(isRendered(found) && saysTheSame(text, found));
    }),
  }));
  const names = edited.flatMap(({ folder, files }) => files.map(({ path }) => nameIn(folder, path)));
  if (names.length === 0) return;
  for (const { folder, files } of edited) {
    for (const { path, text, found = '' } of files) {
      print(shorten(unifiedDiff(nameIn(folder, path), found, text)), process.stderr);
    }
  }
  throw new ManifestsError('TARGET_EDITED', `edited by hand: ${names.join(', ')}`, {
    expected: 'files as they were rendered',
    found: 'the lines above that start with -',
    hint: hintFor(edited),
  });
}

/** What a bot that migrates a task changes has a place in the config. */
function hintFor(edited: readonly ChangedFolder[]): string {
  for (const { folder, files } of edited) {
    const { chain } = folder.config;
    const tasks = findTaskParams(files, chain.tasks);
    if (Object.keys(tasks).length === 0) continue;
    const text = taskParamsText({ ...chain.tasks, ...tasks });
    return `put this into konflux.config.ts, then render; what else was edited goes with --force:\n${text}`;
  }
  return 'put what you need into konflux.config.ts, then render --force';
}

function checkPinsAreOurs({ path, config }: PinsFile): void {
  if (ownPins(path, config.root) !== undefined) return;
  const message = 'a bot updated digests, and the pins are those that came with the package';
  throw new ManifestsError('PINS_BUILT_IN', message, {
    expected: 'a file of pins in the repository',
    found: path,
    hint: HOW_TO_OWN_PINS,
  });
}

/** The start of a long diff: enough to recognise one's edit. */
function shorten(diff: string): string {
  const lines = diff.split('\n');
  return lines.length <= 40
    ? diff
    : [...lines.slice(0, 40), `… ${lines.length - 40} more lines: render --diff`].join('\n');
}
