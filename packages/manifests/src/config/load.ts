import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type ChainPlan, planChain } from '../chain/plan.ts';
import { ManifestsError } from '../errors.ts';
import { hasConflictMarkers } from '../files/merge.ts';
import { BUILT_IN_PINS, type Pins, parsePins, readPinsText } from '../pins.ts';
import { checkConfig } from './check.ts';
import { formatValue } from './issue.ts';
import type { ChainConfig } from './schema.ts';

export interface LoadedConfig {
  /** As it was written, and checked. */
  readonly given: ChainConfig;
  readonly chain: ChainPlan;
  readonly pins: Pins;
  /** Where the files go: the folder of the config. */
  readonly base: string;
  /** The root of the repository. */
  readonly root: string;
  /** `base` as seen from `root`: empty, or with a slash at its end. */
  readonly folder: string;
  readonly pinsPath: string;
  /** What is in that file; what it was settled to, where a merge had made something else of it. */
  readonly pinsText: string;
}

/**
 * Imports a config, checks it, and looks for the files it names.
 *
 * @throws ManifestsError CONFIG_NOT_FOUND, CONFIG_FAILED (it threw), CONFIG_INVALID (everything wrong with it at once),
 *   CONTAINERFILE_MISSING, PINS_INVALID
 * @param settle What to take a file of pins for, by its path and its text; where it can't be used as it is
 */
export async function loadConfig(
  path: string,
  settle: (path: string, text: string) => Promise<string> = async (_, text) => text,
): Promise<LoadedConfig> {
  const file = resolve(path);
  if (!isFile(file)) {
    const inside = join(file, 'konflux.config.ts');
    throw new ManifestsError('CONFIG_NOT_FOUND', `no config at ${file}`, {
      expected: 'konflux.config.ts',
      found: existsSync(file) ? 'a folder' : 'no such file',
      hint: isFile(inside)
        ? `name the file in it: --config ${inside}`
        : 'run this where konflux.config.ts is, or name the file with --config',
    });
  }
  const { config, issues } = checkConfig(await importDefault(file));
  if (config === undefined) {
    const head = `${file} has ${issues.length} error${issues.length === 1 ? '' : 's'}:`;
    const lines = issues.map(({ path, expected, found }) => {
      return `${path || '(the config)'}: expected ${expected}; found ${found}`;
    });
    throw new ManifestsError('CONFIG_INVALID', [head, ...lines].join('\n'));
  }
  const base = dirname(file);
  const root = resolve(base, config.root ?? '.');
  const folder = relative(root, base).split(sep).join('/');
  const missing = config.images.filter((image) => !isFile(join(root, image.containerfile)));
  if (missing.length > 0) {
    throw new ManifestsError('CONTAINERFILE_MISSING', 'a Containerfile that the config names is not there', {
      expected: missing.map((image) => image.containerfile).join(', '),
      found: `no such file in ${root}`,
      hint: 'paths start at the root of the repository',
    });
  }
  const pinsPath = config.pins === undefined ? BUILT_IN_PINS : join(base, config.pins);
  const pinsText = await settle(pinsPath, readPinsText(pinsPath));
  return {
    given: config,
    chain: planChain(config),
    pins: parsePins(pinsText, pinsPath),
    base,
    root,
    folder: folder === '' ? '' : `${folder}/`,
    pinsPath,
    pinsText,
  };
}

async function importDefault(file: string): Promise<unknown> {
  try {
    // Modules are cached by URL, and a config may have been edited since it was last loaded.
    const module = await import(`${pathToFileURL(file).href}?changed=${statSync(file).mtimeMs}`);
    return module.default;
  } catch (cause) {
    const at = readFileSync(file, 'utf8')
      .split('\n')
      .findIndex((line) => hasConflictMarkers(line));
    if (at >= 0) {
      throw new ManifestsError('CONFIG_FAILED', `${file}:${at + 1} holds both sides of a merge`, {
        expected: 'a config without the lines <<<<<<<, ======= and >>>>>>> of git',
        found: 'conflict markers',
        hint: 'keep what you want of both sides, delete those lines, then pnpm render: it settles the rendered files',
        cause,
      });
    }
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : `it threw ${formatValue(cause)}`;
    // What `npm init` writes.
    const isCommonJs = cause instanceof SyntaxError && /outside a module|Unexpected token 'export'/.test(cause.message);
    throw new ManifestsError('CONFIG_FAILED', `${file} can't be loaded: ${reason}`, {
      expected: 'a module that exports a config by default',
      hint: isCommonJs
        ? 'npm pkg set type=module, in the folder of the nearest package.json; or name the file konflux.config.mts, and that with --config'
        : 'export default defineConfig({ … })',
      cause,
    });
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
