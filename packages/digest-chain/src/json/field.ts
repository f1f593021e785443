import { DigestChainError } from '../errors.ts';
import type { JsonValue } from './scan.ts';

/**
 * A member that decides what is sealed. Go's encoding/json, which most registries and runtimes use, also takes a key
 * that differs only by case (and two letters that fold to ASCII): a document that has such a key means one thing to us
 * and another to them, so it is refused (`SEAL_REFUSED`).
 */
export function field(value: JsonValue | undefined, key: string): JsonValue | undefined {
  if (value?.type !== 'object') return undefined;
  let found: JsonValue | undefined;
  for (const member of value.members) {
    if (member.key === key) found = member.value;
    else if (fold(member.key) === fold(key)) {
      throw new DigestChainError('SEAL_REFUSED', `a key differs from "${key}" only by case`, {
        expected: `"${key}"`,
        found: JSON.stringify(member.key),
        hint: 'readers disagree about such a key; build the image without it',
      });
    }
  }
  return found;
}

function fold(key: string): string {
  return key.replaceAll('\u017f', 's').replaceAll('\u212a', 'k').toLowerCase();
}
