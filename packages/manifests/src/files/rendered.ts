import type { LoadedConfig } from '../config/load.ts';
import { render } from '../render/render.ts';
import { compareFiles } from './compare.ts';
import { type Drift, findDrift, findStale, staleDrift } from './drift.ts';

/**
 * Every rendered file that is not as the config says, and in a folder every one that is no longer rendered. A pin that a bot
 * moved is no drift: the next rendering takes it over.
 *
 * @param target The folder, by default that of the config; or the texts of the files by their paths, below the config's folder
 */
export function findRenderedDrift(
  config: LoadedConfig,
  target: string | ReadonlyMap<string, string> = config.base,
): Drift[] {
  const { chain, folder, pins } = config;
  const files = render(chain, pins, folder);
  if (typeof target !== 'string')
    return findDrift(
      files.map((file) => ({ ...file, found: target.get(file.path) })),
      pins,
    );
  const compared = compareFiles(files, target);
  return [...findDrift(compared, pins), ...findStale(compared, target).map(staleDrift)];
}
