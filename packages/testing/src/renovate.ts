import { readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';

/** What a repository's renovate.json says of pins. */
export interface PinRules {
  /** Finds a pin, in groups named as Renovate names them. */
  readonly pattern: RegExp;
  /** Whether pins are moved in a file, by its path. */
  isMoved(file: string): boolean;
  /** Globs of files that are left out. */
  readonly ignored: readonly string[];
}

/** Reads what of renovate.json decides which pins Renovate moves, in the form in which this repository writes it. */
export function readPinRules(repository: string): PinRules {
  const { customManagers, ignorePaths } = JSON.parse(readFileSync(join(repository, 'renovate.json'), 'utf8')) as {
    customManagers: { matchStrings: string[]; managerFilePatterns: string[] }[];
    ignorePaths: string[];
  };
  const [{ matchStrings: [pattern = ''] = [], managerFilePatterns = [] } = {}] = customManagers;
  const files = managerFilePatterns.map((text) => new RegExp(text.slice(1, -1)));
  return {
    pattern: new RegExp(pattern, 'g'),
    isMoved: (file) =>
      files.some((one) => one.test(file)) && !ignorePaths.some((ignored) => matchesGlob(file, ignored)),
    ignored: ignorePaths,
  };
}
