import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabelNames } from '@multi-image/digest-chain/oci';
import type { ChainPlan, PlannedImage } from '../chain/plan.ts';
import { type Instruction, pairsOf, readContainerfile, stagesOfImage } from './read.ts';

/** What a Containerfile lacks, so that its image does not say what it embeds. */
export interface LinkGap {
  /** Role of the image that is built. */
  readonly role: string;
  /** Role of the image that it is to embed. */
  readonly embeds: string;
  /** From the root of the repository. */
  readonly containerfile: string;
  /** The line after which `add` belongs, from 1; the first that is wrong, where one is. */
  readonly line: number;
  /** `no ENV IMAGE1_DIGEST, no LABEL …`. */
  readonly lacks: string;
  /** The lines to add or to write instead, for the Containerfile. */
  readonly add: readonly string[];
}

/**
 * For each image that embeds others, what its Containerfile lacks: build arguments that are taken, and kept as variables and
 * as labels with the same value. The verifier wants all of them, under these names.
 *
 * @param root where the Containerfiles are
 */
export function findLinkGaps({ images, labelPrefix }: ChainPlan, root: string): readonly LinkGap[] {
  return images.flatMap((image) =>
    image.embeds.length + image.embedsExternal.length === 0
      ? []
      : gapsOf(image, readFileSync(join(root, image.containerfile), 'utf8'), labelPrefix),
  );
}

function gapsOf(image: PlannedImage, text: string, prefix: string): LinkGap[] {
  const instructions = stagesOfImage(readContainerfile(text)).flat();
  const names = new LabelNames(prefix);
  return [...image.embeds, ...image.embedsExternal].flatMap(({ role, argumentPrefix }) => {
    const wanted = (['DIGEST', 'URL'] as const).flatMap((part) => {
      const argument = `${argumentPrefix}_${part}`;
      const label = part === 'DIGEST' ? names.digestOf(role) : names.urlOf(role);
      return [
        wantedOf(instructions, 'ARG', argument, argument),
        wantedOf(instructions, 'ENV', argument, argument),
        wantedOf(instructions, 'LABEL', label, argument),
      ];
    });
    const missing = wanted.filter(({ lacks }) => lacks !== undefined);
    if (missing.length === 0) return [];
    // An argument that comes after its first use is as good as none, so the lines are given in the right order.
    const order = ['ARG', 'ENV', 'LABEL'];
    const sorted = missing.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
    const wrong = sorted.find(({ line }) => line !== undefined)?.line;
    const { line: from = 1 } = instructions.findLast(({ name }) => name === 'FROM') ?? {};
    const last = instructions.findLast(({ name, text: said }) => name === 'ARG' && said.startsWith(argumentPrefix));
    const { containerfile } = image;
    const lacks = sorted.map((entry) => entry.lacks).join(', ');
    const line = wrong ?? Math.max(from, last?.line ?? 0);
    return [{ role: image.role, embeds: role, containerfile, line, lacks, add: sorted.map(({ add }) => add) }];
  });
}

interface Wanted {
  kind: string;
  lacks: string | undefined;
  /** Of what is there and wrong. */
  line: number | undefined;
  add: string;
}

function wantedOf(instructions: readonly Instruction[], kind: string, name: string, argument: string): Wanted {
  const add = kind === 'ARG' ? `ARG ${name}` : `${kind} ${name}="\${${argument}}"`;
  const found = (lacks?: string, line?: number): Wanted => ({ kind, lacks, line, add });
  const sets = (instruction: Instruction, wanted: string, of: string): boolean =>
    instruction.name === of && pairsOf(instruction).some(([key]) => key === wanted);
  const set = instructions.findLast((instruction) => sets(instruction, name, kind));
  if (set === undefined) return found(`no ${kind} ${name}`);
  if (kind === 'ARG') return found();
  const value = pairsOf(set).findLast(([key]) => key === name)?.[1] ?? '';
  if (!new RegExp(`\\$(?:${argument}\\b|\\{${argument}[:}])`).test(value)) {
    return found(`${kind} ${name} is ${value || 'empty'} whatever is built`, set.line);
  }
  const isKnown = instructions
    .slice(0, instructions.indexOf(set))
    .some((instruction) => sets(instruction, argument, 'ARG') || sets(instruction, argument, 'ENV'));
  // Without the argument at all, that it is missing says it.
  const isThere = instructions.some((instruction) => sets(instruction, argument, 'ARG'));
  return isKnown || !isThere ? found() : found(`${kind} ${name} stands before ARG ${argument}`, set.line);
}
