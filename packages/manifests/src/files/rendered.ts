import type { LoadedConfig } from '../config/load.ts';
import { render } from '../render/render.ts';
import { compareFiles } from './compare.ts';
import { type Drift, findDrift, findStale, staleDrift } from './drift.ts';

/**
 * Every rendered file below a folder that is not as the config says, by its path in there, and every one that is no
 * longer rendered. A pin that a bot moved is no drift: the next rendering takes it over.
 *
 * @param target The folder; that of the config where none is given
 */
export function findRenderedDrift(config: LoadedConfig, target: string = config.base): Drift[] {
  const { chain, folder, pins } = config;
  const files = compareFiles(render(chain, pins, folder), target);
  return [...findDrift(files, pins), ...findStale(files, target).map(staleDrift)];
}
