import { ManifestsError } from '../errors.ts';
import type { Pins } from '../pins.ts';
import type { ComparedFile } from './drift.ts';
import { findPinned, isEdited, isRepinned } from './stamp.ts';

/** A pin that a bot changed in a rendered file. */
export interface Adoption {
  readonly from: string;
  readonly to: string;
  /** The files that have it. */
  readonly files: readonly string[];
}

/**
 * Finds pins that were changed in rendered files since they were rendered. Bots update pipelines where they find them;
 * a renderer that puts the old digest back would fight them for ever.
 *
 * @param files Rendered files, with what is there in their place.
 * @throws ManifestsError PINS_CONFLICT where two files have different new values
 */
export function findAdoptions(files: readonly ComparedFile[], pins: Pins): Adoption[] {
  const byRepository = new Map(
    [...Object.values(pins.tasks), ...Object.values(pins.images)].map((pin) => [pin.replace(/:[^:/]+@.*$/, ''), pin]),
  );
  const changed = new Map<string, Map<string, string[]>>();
  for (const { path, found } of files) {
    if (found === undefined || isEdited(found) || !isRepinned(found)) continue;
    for (const { repository, reference } of findPinned(found)) {
      const pin = byRepository.get(repository);
      if (pin === undefined || pin === reference) continue;
      const values = changed.get(pin) ?? new Map<string, string[]>();
      values.set(reference, [...new Set([...(values.get(reference) ?? []), path])]);
      changed.set(pin, values);
    }
  }
  return [...changed].map(([from, values]) => {
    const [[to, files] = [from, []], ...others] = [...values];
    if (others.length > 0) {
      throw new ManifestsError('PINS_CONFLICT', `rendered files disagree about ${from}`, {
        expected: 'one new value',
        found: [...values].map(([value, paths]) => `${value} in ${paths.join(', ')}`).join('; '),
        hint: 'decide in the file of pins, and render with --force',
      });
    }
    return { from, to, files };
  });
}

/** The text of a file of pins with adopted pins; everything else stays as it is. */
export function adopt(pinsText: string, adoptions: readonly Adoption[]): string {
  return adoptions.reduce((text, { from, to }) => text.replaceAll(from, to), pinsText);
}
