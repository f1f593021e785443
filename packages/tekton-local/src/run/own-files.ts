import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { TektonLocalError } from '../errors.ts';
import { isInside } from '../plan/yaml-file.ts';

/** A file or a folder of the caller's, and the option that names it. */
export interface OwnFile {
  option: string;
  path: string | undefined;
}

/** The folders that steps write to: those of workspaces and claims, by their names. */
export type SharedFolders = readonly (Readonly<Record<string, string>> | undefined)[];

/**
 * Refuses a file that this program writes or reads, where steps write as well: one of them could put a link there, which
 * leads to any file of this machine.
 *
 * @throws TektonLocalError `USAGE`
 */
export function refuseAmongSteps(files: readonly OwnFile[], shared: SharedFolders): void {
  const folders = shared.flatMap((each) => Object.entries(each ?? {}));
  for (const { option, path } of files) {
    if (path === undefined) continue;
    const own = whereItIs(path);
    const found = folders.find(([, folder]) => {
      const steps = whereItIs(folder);
      return isInside(steps, own) || isInside(own, steps);
    });
    if (found === undefined) continue;
    throw new TektonLocalError('USAGE', `${option} is where steps write, who could lead it anywhere by a link`, {
      expected: `a place outside of ${found[1]}, which is shared with the steps as ${found[0]}`,
      found: path,
    });
  }
}

/** Without links, as far as it is there. */
function whereItIs(path: string): string {
  const whole = resolve(path);
  if (existsSync(whole)) return realpathSync(whole);
  const above = dirname(whole);
  return above === whole ? whole : join(whereItIs(above), basename(whole));
}
