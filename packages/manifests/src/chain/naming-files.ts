import { linkingsOf } from './linking.ts';
import type { ChainPlan, PlannedImage } from './plan.ts';

/** Files of an image that have to name others that it embeds, as digest-chain's `verify` takes them. */
export interface NamingFiles {
  readonly role: string;
  readonly embeds: readonly string[];
  readonly in: readonly string[];
}

/**
 * The files that a proof from this image can be asked about: from one that links by labels, those of what embeds it; from
 * one that carries the statement, those of every image that is in there; from any other, none, since its proof is the same.
 */
export function namingFiles(image: PlannedImage, chain: ChainPlan): readonly NamingFiles[] {
  const linking = linkingsOf(chain).find((each) => each.image === image);
  if (linking === undefined) return [];
  const { by, linked } = linking;
  return [image, ...linked].flatMap(({ role, namedIn }) =>
    namedIn
      .filter(({ embeds }) => by === 'referrer' || embeds === image.role)
      .map((named) => ({ role, embeds: [named.embeds], in: named.in })),
  );
}

/** By role, the other repository that files may name an image by, where it is released there. */
export function releasedNames({ images, external }: ChainPlan): ReadonlyMap<string, string> {
  return new Map(
    [...images, ...external].flatMap(({ role, releaseRepository }) =>
      releaseRepository === undefined ? [] : [[role, releaseRepository]],
    ),
  );
}

/** Both as options of digest-chain's verbs that prove; none where no file is asked about. */
export function fileOptions(image: PlannedImage, chain: ChainPlan): readonly string[] {
  const files = namingFiles(image, chain).flatMap(({ role, embeds, in: patterns }) =>
    patterns.map((pattern) => `--files=${role}/${embeds}=${pattern}`),
  );
  const released = [...releasedNames(chain)].map(([role, repository]) => `--released=${role}=${repository}`);
  return files.length === 0 ? [] : [...files, ...released];
}
