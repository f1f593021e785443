import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TektonLocalError } from '../errors.ts';
import { fileInside, pathInside } from './contained.ts';

/**
 * The build context and its Containerfile, both inside the source: the Containerfile is looked for in the context
 * first, then in the source, as the catalog's tasks do.
 */
export async function findContainerfile(
  source: string,
  context: string,
  dockerfile: string,
): Promise<{ folder: string; containerfile: string }> {
  const folder = await pathInside(source, context, 'the param CONTEXT');
  if (!(await stat(folder)).isDirectory()) {
    throw new TektonLocalError('INVALID', 'the param CONTEXT is not a folder', { found: JSON.stringify(context) });
  }
  const containerfile =
    (await fileInside(source, join(context, dockerfile), 'the param DOCKERFILE')) ??
    (await fileInside(source, dockerfile, 'the param DOCKERFILE'));
  if (containerfile !== undefined) return { folder, containerfile };
  throw new TektonLocalError('NOT_FOUND', 'there is no such Containerfile in the source', {
    expected: `a file in ${JSON.stringify(context)} or in the source`,
    found: JSON.stringify(dockerfile),
  });
}

/** What a Containerfile takes from other images. */
export interface BaseImages {
  /** Every image it names, with its build arguments filled in; neither stages nor `scratch`. */
  images: readonly string[];
  /** The build arguments whose value is the whole name of an image of a `FROM`. */
  byArgument: ReadonlyMap<string, string>;
  /** The image that a stage stands on in the end, by the stage's name or number; nothing for `scratch`. */
  byStage: ReadonlyMap<string, string | undefined>;
  /** The last stage's name or number. */
  lastStage: string;
}

/**
 * Reads the images that a Containerfile is built from. It heeds what decides that: `ARG` before the first `FROM`,
 * `FROM`, `COPY --from` and `RUN --mount=…from=`. The build itself is buildah's.
 */
export function readBaseImages(containerfile: string, buildArguments: ReadonlyMap<string, string>): BaseImages {
  const global = new Map<string, string>();
  const byStage = new Map<string, string | undefined>([['scratch', undefined]]);
  const images = new Set<string>();
  const byArgument = new Map<string, string>();
  let stage = 0;
  const add = (name: string): void => {
    const known = byStage.has(name.toLowerCase()) || /^[0-9]+$/.test(name);
    if (name !== '' && !known && !name.includes('$')) images.add(name);
  };
  for (const { instruction, words } of instructions(containerfile)) {
    if (instruction === 'ARG' && stage === 0) {
      for (const word of words) {
        const equals = word.indexOf('=');
        const name = equals === -1 ? word : word.slice(0, equals);
        const value = buildArguments.get(name) ?? (equals === -1 ? undefined : expand(word.slice(equals + 1), global));
        if (value !== undefined) global.set(name, value);
      }
    } else if (instruction === 'FROM') {
      const operands = words.filter((word) => !word.startsWith('--'));
      const operand = unquote(operands[0] ?? '');
      const name = /^\$(?:\{(\w+)\}|(\w+))$/.exec(operand);
      const argument = name?.[1] ?? name?.[2];
      const image = expand(operand, global);
      if (argument !== undefined && global.has(argument)) byArgument.set(argument, image);
      add(image);
      const base = byStage.has(image.toLowerCase()) ? byStage.get(image.toLowerCase()) : image;
      byStage.set(String(stage), base);
      if (operands[1]?.toUpperCase() === 'AS' && operands[2] !== undefined)
        byStage.set(operands[2].toLowerCase(), base);
      stage++;
    } else if (instruction === 'COPY' || instruction === 'ADD' || instruction === 'RUN') {
      for (const word of words) {
        if (!word.startsWith('--')) break;
        const from = /^--from=(.*)$/.exec(word)?.[1] ?? /^--mount=(?:.*,)?from=([^,]*)/.exec(word)?.[1];
        if (from !== undefined) add(expand(unquote(from), global));
      }
    }
  }
  return { images: [...images], byArgument, byStage, lastStage: String(stage - 1) };
}

function instructions(containerfile: string): { instruction: string; words: string[] }[] {
  const found: { instruction: string; words: string[] }[] = [];
  let line = '';
  for (const raw of containerfile.split(/\r?\n/)) {
    if (/^\s*#/.test(raw)) continue;
    const continued = /\\\s*$/.exec(raw);
    line += continued === null ? raw : `${raw.slice(0, continued.index)} `;
    if (continued !== null) continue;
    const [instruction, ...words] = line.trim().split(/\s+/);
    if (instruction) found.push({ instruction: instruction.toUpperCase(), words });
    line = '';
  }
  return found;
}

function expand(value: string, known: ReadonlyMap<string, string>): string {
  return unquote(value).replace(
    /\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))/g,
    (all: string, braced: string | undefined, otherwise: string | undefined, plain: string | undefined) =>
      known.get(braced ?? plain ?? '') ?? otherwise ?? all,
  );
}

function unquote(value: string): string {
  return /^(["'])(.*)\1$/.exec(value)?.[2] ?? value;
}
