import { readFileSync, rmSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { ManifestsError } from '../errors.ts';
import { unifiedDiff } from '../files/diff.ts';
import { findDrift, readIfThere } from '../files/drift.ts';
import { findStale } from '../files/stale.ts';
import { isEdited } from '../files/stamp.ts';
import { writeFiles } from '../files/write.ts';
import { type Adoption, adopt, findAdoptions } from '../pins/adopt.ts';
import { parsePins } from '../pins/pins.ts';
import { type RenderedFile, render } from '../render/render.ts';
import { print, printError } from './terminal.ts';

const HELP = `Usage: multi-image-manifests render [options]

Writes what konflux.config.ts says into .tekton/, pipeline/ and konflux/, beside it.
Digests that a bot updated in those files are taken over into the file of pins.

  --config FILE   the config (default: konflux.config.ts)
  --out FOLDER    write below this folder instead
  --check         write nothing; exit 1 where a file is not what would be written
  --diff          write nothing; show what would change
  --force         overwrite files that were edited by hand, put the pins' own digests
                  back, and delete files that are no longer rendered
  --help          this text

Examples:
  multi-image-manifests render --diff
  multi-image-manifests render --config examples/app-sidecar/konflux.config.ts --check
`;

interface Plan {
  /** Every file as it should be. */
  readonly files: readonly RenderedFile[];
  /** Rendered files that are no longer rendered. */
  readonly stale: readonly string[];
  readonly adoptions: readonly Adoption[];
  readonly target: string;
}

export async function runRender(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const config = await loadConfig(options.config);
  const plan = makePlan(config, options.out === undefined ? config.base : resolve(options.out), options.force);
  for (const { from, to, files } of plan.adoptions) {
    print(`taken over from ${files.join(', ')}:\n  - ${from}\n  + ${to}`);
  }
  if (options.diff) showDiff(plan);
  if (options.check) return check(plan, config.pinsPath);
  if (options.diff) return 0;
  return write(plan, config, options.force);
}

/** Reads what is there, and decides what should be: the only part that looks at the pins. */
function makePlan(config: LoadedConfig, target: string, force: boolean): Plan {
  const { chain, folder, pins, pinsPath } = config;
  const before = render(chain, pins, folder);
  const present = before.flatMap(({ path }) => {
    const text = readIfThere(join(target, path));
    return text === undefined ? [] : [{ path, text }];
  });
  const adoptions = force ? [] : findAdoptions(present, pins);
  const adopted = adoptions.length === 0 ? pins : parsePins(adopt(readFileSync(pinsPath, 'utf8'), adoptions), pinsPath);
  const files = adoptions.length === 0 ? before : render(chain, adopted, folder);
  return { files, stale: findStale(files, target), adoptions, target };
}

function showDiff({ files, stale, target }: Plan): void {
  for (const { path, text } of files) {
    const diff = unifiedDiff(path, readIfThere(join(target, path)) ?? '', text);
    if (diff !== '') print(diff);
  }
  for (const path of stale) print(`no longer rendered: ${path}`);
}

function check({ files, stale, adoptions, target }: Plan, pinsPath: string): number {
  const drifts = [
    ...findDrift(files, target),
    ...stale.map((path) => ({ path, line: 1, expected: 'no such file', found: 'a file that is no longer rendered' })),
    ...adoptions.map(({ from, to }) => ({
      path: relative(target, pinsPath),
      line:
        readFileSync(pinsPath, 'utf8')
          .split('\n')
          .findIndex((line) => line.includes(from)) + 1,
      expected: to,
      found: from,
    })),
  ];
  for (const { path, line, expected, found } of drifts) {
    printError(`${path}:${line}: differs from konflux.config.ts\n  expected: ${expected}\n  found:    ${found}`);
  }
  if (drifts.length > 0) {
    throw new ManifestsError(
      'DRIFT',
      `${drifts.length} of ${files.length} rendered files are not as konflux.config.ts says`,
      {
        hint: 'pnpm render, and commit what it writes',
      },
    );
  }
  print(`${files.length} rendered files are as konflux.config.ts says`);
  return 0;
}

function write({ files, stale, adoptions, target }: Plan, config: LoadedConfig, force: boolean): number {
  const changed = files.filter(({ path, text }) => readIfThere(join(target, path)) !== text);
  const edited = changed.filter(
    ({ path }) => isEdited(readIfThere(join(target, path)) ?? '') && exists(join(target, path)),
  );
  if (edited.length > 0 && !force) {
    for (const { path, text } of edited)
      printError(shorten(unifiedDiff(path, readIfThere(join(target, path)) ?? '', text)));
    throw new ManifestsError('TARGET_EDITED', `edited by hand: ${edited.map(({ path }) => path).join(', ')}`, {
      expected: 'files as they were rendered',
      found: 'the lines above that start with -',
      hint: 'put what you need into konflux.config.ts, then render --force',
    });
  }
  if (adoptions.length > 0) checkPinsAreOurs(config);
  writeFiles([
    ...changed.map(({ path, text }) => ({ path: join(target, path), text })),
    ...(adoptions.length > 0
      ? [{ path: config.pinsPath, text: adopt(readFileSync(config.pinsPath, 'utf8'), adoptions) }]
      : []),
  ]);
  for (const { path } of changed) print(path);
  for (const path of stale) {
    if (force) rmSync(join(target, path));
    print(`${force ? 'deleted' : 'no longer rendered, delete it or render --force'}: ${path}`);
  }
  print(`${changed.length} of ${files.length} files written`);
  return 0;
}

function checkPinsAreOurs({ pinsPath, root }: LoadedConfig): void {
  const inside = relative(root, pinsPath);
  if (!inside.startsWith('..') && !inside.split(sep).includes('node_modules')) return;
  throw new ManifestsError(
    'PINS_BUILT_IN',
    'a bot updated digests, and the pins are those that came with the package',
    {
      expected: 'a file of pins in the repository',
      found: pinsPath,
      hint: `copy that file to konflux.pins.yaml, beside konflux.config.ts, and set pins: 'konflux.pins.yaml'`,
    },
  );
}

/** The start of a long diff: enough to recognise one's edit. */
function shorten(diff: string): string {
  const lines = diff.split('\n');
  return lines.length <= 40
    ? diff
    : [...lines.slice(0, 40), `… ${lines.length - 40} more lines: render --diff`].join('\n');
}

function exists(path: string): boolean {
  return readIfThere(path) !== undefined;
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        config: { type: 'string', default: 'konflux.config.ts' },
        out: { type: 'string' },
        check: { type: 'boolean', default: false },
        diff: { type: 'boolean', default: false },
        force: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch (cause) {
    throw new ManifestsError('USAGE', (cause as Error).message, { hint: 'render --help shows the options', cause });
  }
}
