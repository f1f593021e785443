import { readFileSync } from 'node:fs';
import type { LoadedConfig } from '../config/load.ts';
import { parsePins } from '../pins.ts';
import { render } from '../render/render.ts';
import { adopt, findAdoptions } from './adopt.ts';
import { compareFiles, type Drift, findDrift, findStale } from './drift.ts';

/**
 * Every rendered file below a folder that is not as the config says, by its path in there, and every one that is no
 * longer rendered. A pin that a bot moved is no drift: the next rendering takes it over.
 *
 * @param target The folder; that of the config where none is given
 */
export function findRenderedDrift(config: LoadedConfig, target: string = config.base): Drift[] {
  const { chain, folder, pins, pinsPath } = config;
  const files = compareFiles(render(chain, pins, folder), target);
  const stale = findStale(files, target);
  const text = adopt(readFileSync(pinsPath, 'utf8'), findAdoptions(files, pins));
  return [
    ...findDrift(compareFiles(render(chain, parsePins(text, pinsPath), folder), target)),
    ...stale.map((path) => ({ path, line: 1, expected: 'no such file', found: 'a file that is no longer rendered' })),
  ];
}
