import { parseReference, type Repository } from '@multi-image/digest-chain';
import { E2eError } from '../../errors.ts';

/** Where the images of a chain that was copied are now, from `ROLE=REPOSITORY`. Throws `USAGE`, `REFERENCE_INVALID`. */
export function parsePlaces(texts: readonly string[] = []): ReadonlyMap<string, Repository> {
  const places = new Map<string, Repository>();
  for (const text of texts) {
    const [, role, place = ''] = /^([a-z0-9-]+)=(.+)$/.exec(text) ?? [];
    if (role === undefined || places.has(role)) throw usage(text);
    const { registry, repository, tag, digest } = parseReference(place);
    if (tag !== undefined || digest !== undefined) throw usage(text);
    places.set(role, { registry, repository });
  }
  return places;
}

function usage(found: string): E2eError {
  return new E2eError('USAGE', '--at says where the image of a role is now, once for a role', {
    expected: '--at metadata=quay.io/org/image2, without tag and digest',
    found,
  });
}
