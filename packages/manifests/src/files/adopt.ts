import { ManifestsError } from '../errors.ts';
import type { Pins } from '../pins.ts';
import type { ComparedFile } from './compare.ts';
import { compareTags, findPinned, isRepinned } from './stamp.ts';

/** A pin that a bot changed in a rendered file. */
export interface Adoption {
  readonly from: string;
  readonly to: string;
  /** The files that have it. */
  readonly files: readonly string[];
}

/**
 * Finds pins that were changed in rendered files since they were rendered. Bots update pipelines where they find them;
 * a renderer that puts the old digest back would fight them for ever, and undo a security update. What else was edited in
 * a file makes no difference. Of several values the newest counts; one that is older than the pin is not taken over.
 *
 * @param files Rendered files, with what is there in their place.
 * @throws ManifestsError PINS_CONFLICT where two files have different new values
 */
export function findAdoptions(files: readonly ComparedFile[], pins: Pins): Adoption[] {
  const all = [...Object.values(pins.tasks), ...Object.values(pins.images)].flatMap(findPinned);
  const byRepository = new Map(all.map(({ repository, reference }) => [repository, reference]));
  const changed = new Map<string, Map<string, string[]>>();
  for (const { path, found, sides = found === undefined ? [] : [found] } of files) {
    for (const { repository, reference } of sides.filter(isRepinned).flatMap(findPinned)) {
      const pin = byRepository.get(repository);
      if (pin === undefined || pin === reference || compareTags(reference, pin) < 0) continue;
      const values = changed.get(pin) ?? new Map<string, string[]>();
      values.set(reference, [...new Set([...(values.get(reference) ?? []), path])]);
      changed.set(pin, values);
    }
  }
  return [...changed].map(([from, values]) => {
    const newest = [...values.keys()].reduce((a, b) => (compareTags(b, a) > 0 ? b : a));
    const [[to, files] = [from, []], ...others] = [...values].filter(([value]) => compareTags(value, newest) === 0);
    if (others.length > 0) {
      throw new ManifestsError('PINS_CONFLICT', `rendered files disagree about ${from}`, {
        expected: 'one new value',
        found: [...values].map(([value, paths]) => `${value} in ${paths.join(', ')}`).join('; '),
        hint: 'put the one that you want into all of these files, and render again',
      });
    }
    return { from, to, files };
  });
}

/** The text of a file of pins with adopted pins; everything else stays as it is. */
export function adopt(pinsText: string, adoptions: readonly Adoption[]): string {
  return adoptions.reduce((text, { from, to }) => text.replaceAll(from, to), pinsText);
}
