import { DigestChainError } from '../errors.ts';
import { field } from '../json/field.ts';
import { decodeString, type JsonMember } from '../json/scan.ts';
import type { Place } from './place.ts';

/** The environment that an image config sets, in order; names may repeat. Entries that are no strings are left out. */
export function readEnvironment(config: Uint8Array, place: Place): readonly (readonly [name: string, value: string])[] {
  const env = field(place.config, 'Env');
  if (env?.type !== 'array') return [];
  return env.items.flatMap((item) => {
    if (item.type !== 'string') return [];
    const [name = '', ...value] = decodeString(config, item).split('=');
    return [[name, value.join('=')] as const];
  });
}

/**
 * `<prefix>.<role>-image.digest` is also how an image says what it embeds. A link of that role would overwrite it, and
 * with it the proof of the other direction: refused. An inherited link has no environment variable of its own.
 */
export function refuseEmbeds(config: Uint8Array, place: Place, present: ReadonlyMap<string, JsonMember>): void {
  if (present.size === 0) return;
  const embedded = new Set(
    readEnvironment(config, place).flatMap(([name, value]) => (name.endsWith('_DIGEST') ? [value] : [])),
  );
  for (const [label, member] of present) {
    if (member.value.type !== 'string' || !embedded.has(decodeString(config, member.value))) continue;
    throw new DigestChainError('SEAL_REFUSED', 'the image already names an image of this role: the one it embeds', {
      expected: 'a role that the image does not embed',
      found: label,
    });
  }
}
