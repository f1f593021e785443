import { readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isCommit } from '@multi-image/kit/git-commit';
import { parseDocument } from 'yaml';
import { ManifestsError } from './errors.ts';
import { isMergedPins } from './files/merge.ts';
import { findPinned } from './files/stamp.ts';

/** The tasks of Konflux' catalog that a rendered pipeline may call: each has a pin, and a stand-in in `stand-ins`. */
export const CATALOG_TASKS = [
  'init',
  'git-clone-oci-ta',
  'prefetch-dependencies-oci-ta',
  'buildah-oci-ta',
  'buildah-remote-oci-ta',
  'build-image-index',
  'clair-scan',
  'clamav-scan',
  'deprecated-image-check',
  'rpms-signature-scan',
  'apply-tags',
] as const;
export const STEP_IMAGES = ['trusted-artifacts', 'node', 'task-runner'] as const;

export type CatalogTask = (typeof CATALOG_TASKS)[number];
export type StepImage = (typeof STEP_IMAGES)[number];

/** The references that pipelines run: `repository:tag@sha256:…` for each name. */
export interface Pins {
  readonly tasks: Readonly<Record<CatalogTask, string>>;
  readonly images: Readonly<Record<StepImage, string>>;
  /** The commit of the repository whose digest-chain judges Snapshots; undefined for whatever its branch has. */
  readonly verifier: string | undefined;
}

/** The pins that come with this package: one folder up, from here and from what this is compiled to. */
export const BUILT_IN_PINS: string = fileURLToPath(new URL('../pins.yaml', import.meta.url));

/** How a repository gets pins of its own, where it has those that came with the package. */
export const HOW_TO_OWN_PINS = `copy that file to konflux.pins.yaml, beside konflux.config.ts, and set pins: 'konflux.pins.yaml'`;

/** The path of a file of pins in a repository; undefined where it came with a package, and goes with its next version. */
export function ownPins(path: string, root: string): string | undefined {
  const inside = relative(root, path);
  return inside.startsWith('..') || inside.split(sep).includes('node_modules') ? undefined : inside;
}

/** Reads a file of pins; every name has to be there, with a tag and a digest. */
export function readPins(path: string = BUILT_IN_PINS): Pins {
  return parsePins(readPinsText(path), path);
}

/** The text of a file of pins. */
export function readPinsText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ManifestsError('PINS_INVALID', `the pins can't be read: ${path}`, {
      expected: 'a readable file',
      found: (cause as NodeJS.ErrnoException).code ?? String(cause),
      cause,
    });
  }
}

export function parsePins(text: string, path: string): Pins {
  if (isMergedPins(text)) {
    throw new ManifestsError('PINS_INVALID', `${path} is what a merge made of two files`, {
      expected: 'one pin for each name',
      found: 'conflict markers, or a name twice',
      hint: 'pnpm render takes the newer pin of both sides',
    });
  }
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) {
    throw new ManifestsError('PINS_INVALID', `${path} is no YAML: ${error.message}`, { cause: error });
  }
  const take = <Name extends string>(kind: 'tasks' | 'images', names: readonly Name[]): Record<Name, string> => {
    const entries = names.map((name) => {
      const value: unknown = document.getIn([kind, name]);
      if (typeof value === 'string' && findPinned(value)[0]?.reference === value) return [name, value];
      throw new ManifestsError('PINS_INVALID', `${path}: ${kind}.${name} is no pin`, {
        expected: 'repository:tag@sha256:<64 hex digits>',
        found: value === undefined ? 'nothing' : JSON.stringify(value),
        hint: 'a tag can move: take the digest too',
      });
    });
    return Object.fromEntries(entries) as Record<Name, string>;
  };
  const verifier: unknown = document.get('verifier');
  if (verifier !== undefined && !(typeof verifier === 'string' && isCommit(verifier))) {
    throw new ManifestsError('PINS_INVALID', `${path}: verifier is no commit`, {
      expected: '40 or 64 hex digits',
      found: JSON.stringify(verifier),
      hint: 'a branch can move: git rev-parse HEAD prints a commit; in quotes where it is digits alone',
    });
  }
  return { tasks: take('tasks', CATALOG_TASKS), images: take('images', STEP_IMAGES), verifier };
}
