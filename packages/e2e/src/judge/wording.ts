import type { ObservedImage } from './observation.ts';

/** `image-1` as people say it: `Image 1`. */
export function title({ name }: Pick<ObservedImage, 'name'>): string {
  return name.replace(/^image-(?=\d+$)/, 'Image ');
}

/** Milliseconds for people: `12 ms`, `6.2 s`, `12 min 5 s`. */
export function seconds(milliseconds: number): string {
  const whole = Math.round(milliseconds / 1000);
  if (whole >= 60) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return milliseconds > 0 && milliseconds < 100
    ? `${Math.round(milliseconds)} ms`
    : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
