import { isRole } from '../label-names.ts';
import type { LinkedImage } from '../linked-image.ts';
import { parseDigestReference } from '../reference.ts';
import { usage } from './arguments.ts';

/** Reads `<role>=<image>`. */
export function parseLinked(verb: string, text: string): LinkedImage {
  const at = text.indexOf('=');
  const role = text.slice(0, at);
  if (at <= 0 || !isRole(role)) throw usage(verb, `not <role>=<image>: ${text}`);
  return { role, image: parseDigestReference(text.slice(at + 1)) };
}
