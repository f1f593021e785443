import type { ObservedImage } from './observation.ts';

/** `image-1` as people say it: `Image 1`. */
export function title({ name }: Pick<ObservedImage, 'name'>): string {
  return name.replace(/^image-(?=\d+$)/, 'Image ');
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
