import { type Evidence, passed } from './criterion.ts';
import type { ImageView } from './observation.ts';

/**
 * What an image for several platforms is, and which of its platforms were built without their base: those have links and
 * digests like the others, but were never run. Nothing for an image without an index.
 */
export function platformEvidence(title: string, { platforms = [] }: ImageView): Evidence[] {
  if (platforms.length === 0) return [];
  const names = platforms.map(({ platform }) => platform).join(', ');
  return [
    passed('platforms', `${title}: one index over ${names}; its labels and environment were read from each`),
    ...platforms.flatMap(({ platform, withoutBase }) =>
      withoutBase === undefined ? [] : [passed('platform', `${title} for ${platform} was not run: ${withoutBase}`)],
    ),
  ];
}
