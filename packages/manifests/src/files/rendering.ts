import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { parsePins } from '../pins.ts';
import { render } from '../render/render.ts';
import { type Adoption, adopt, findAdoptions } from './adopt.ts';
import { type ComparedFile, compareFiles } from './compare.ts';
import { findStale } from './drift.ts';
import { findMerge, isMergedPins, isMergedRendering, type Merge, settlePins } from './merge.ts';
import { isEdited } from './stamp.ts';

/** What one config renders, and where. */
export interface RenderedFolder {
  readonly config: LoadedConfig;
  readonly target: string;
  /** Every file as it should be, and as it is. */
  readonly files: readonly ComparedFile[];
  /** Rendered files that are no longer rendered. */
  readonly stale: readonly string[];
  /** Those of them that nobody here has: they came with a merge. */
  readonly brought: readonly string[];
}

/** A file of pins as it is, and with what was adopted and settled. */
export interface PinsFile {
  readonly config: LoadedConfig;
  readonly path: string;
  readonly found: string;
  readonly text: string;
}

/** What would be written for some configs; the only part that looks at pins and at merges. */
export interface Rendering {
  readonly folders: readonly RenderedFolder[];
  readonly adoptions: readonly Adoption[];
  readonly pins: readonly PinsFile[];
}

/**
 * Reads what is there, and decides what should be. Configs with the same file of pins share what bots moved.
 *
 * @param paths Of the configs
 * @param out Where the files go, where that is not beside the config
 */
export async function planRendering(paths: readonly string[], out?: string): Promise<Rendering> {
  const configs: LoadedConfig[] = [];
  for (const path of paths) configs.push(await loadConfig(path, settleMerged));
  const groups = Map.groupBy(configs, ({ pinsPath }) => pinsPath);
  const parts = await Promise.all([...groups.values()].map((group) => planGroup(group, out)));
  return {
    folders: parts.flatMap(({ folders }) => folders),
    adoptions: parts.flatMap(({ adoptions }) => adoptions),
    pins: parts.flatMap(({ pins }) => pins),
  };
}

async function planGroup(configs: readonly LoadedConfig[], out: string | undefined): Promise<Rendering> {
  const compared = await Promise.all(
    configs.map(async (config) => {
      const { chain, pins, folder, base } = config;
      const target = out ?? base;
      return { config, target, files: await withSides(compareFiles(render(chain, pins, folder), target), target) };
    }),
  );
  const [first] = configs;
  if (first === undefined) return { folders: [], adoptions: [], pins: [] };
  const { pinsPath: path, pinsText } = first;
  const moved = compared.flatMap(({ config, files }) =>
    files.map((file) => ({ ...file, path: `${config.folder}${file.path}` })),
  );
  const adoptions = findAdoptions(moved, first.pins);
  const text = adopt(pinsText, adoptions);
  const pins = parsePins(text, path);
  const folders = await Promise.all(
    compared.map(async ({ config, target, files }) => {
      const texts = new Map(render(config.chain, pins, config.folder).map((file) => [file.path, file.text]));
      const stale = findStale(files, target);
      return {
        config,
        target,
        files: files.map((file) => ({ ...file, text: texts.get(file.path) ?? file.text })),
        stale,
        brought: await findBrought(stale, target),
      };
    }),
  );
  return { folders, adoptions, pins: [{ config: first, path, found: readFileSync(path, 'utf8'), text }] };
}

/** Whether a file has what no rendering and no bot put there. */
export function isHandmade({ found, sides }: ComparedFile): boolean {
  if (found === undefined) return false;
  return sides === undefined ? isEdited(found) : sides.some(isEdited);
}

async function withSides(files: ComparedFile[], target: string): Promise<ComparedFile[]> {
  if (!files.some(({ found }) => found !== undefined && isMergedRendering(found))) return files;
  const merge = await findMerge(target);
  if (merge === undefined) return files;
  return Promise.all(
    files.map(async (file) => {
      if (file.found === undefined || !isMergedRendering(file.found)) return file;
      return { ...file, sides: await sidesOf(merge, file.path) };
    }),
  );
}

async function sidesOf(merge: Merge, path: string): Promise<string[]> {
  const sides = await Promise.all([merge.read('ours', path), merge.read('theirs', path)]);
  return sides.filter((side) => side !== undefined);
}

async function settleMerged(path: string, text: string): Promise<string> {
  if (!isMergedPins(text)) return text;
  const merge = await findMerge(dirname(path));
  if (merge === undefined) return text;
  const [ours, theirs, base] = await Promise.all(
    (['ours', 'theirs', 'base'] as const).map((side) => merge.read(side, basename(path))),
  );
  return ours === undefined || theirs === undefined ? text : settlePins(ours, theirs, base ?? '');
}

async function findBrought(stale: readonly string[], target: string): Promise<string[]> {
  const untouched = stale.filter((path) => !isEdited(readFileSync(join(target, path), 'utf8')));
  const merge = untouched.length === 0 ? undefined : await findMerge(target);
  if (merge === undefined) return [];
  const mine = await Promise.all(untouched.map((path) => merge.read('ours', path)));
  return untouched.filter((_, at) => mine[at] === undefined);
}
