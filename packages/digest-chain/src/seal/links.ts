import { type Digest, isDigest } from '../digest.ts';
import { DigestChainError, unexpected } from '../errors.ts';
import { isRole } from '../label-names.ts';

/** A labelled pointer from a sealed image to an image that embeds it. */
export interface Link {
  /** The linked image's part in the chain, such as `metadata`. */
  readonly role: string;
  /** Where it is: `repo:tag`, or `repo`. */
  readonly url: string;
  readonly digest: Digest;
}

// What a reference can be made of; no quotes, spaces or control characters.
const URL_TEXT = /^[A-Za-z0-9.[][A-Za-z0-9._:/[\]@-]{0,511}$/;

/** Validates links and puts them in the fixed order, by role; throws `LINK_INVALID`. */
export function orderLinks(links: readonly Link[]): readonly Link[] {
  if (links.length === 0) throw new DigestChainError('LINK_INVALID', 'a seal needs at least one link');
  const ordered = links.toSorted((a, b) => (a.role < b.role ? -1 : 1));
  for (const [index, link] of ordered.entries()) {
    checkLink(link);
    if (ordered[index + 1]?.role === link.role) {
      throw new DigestChainError('LINK_INVALID', 'two links have the same role', { found: link.role });
    }
  }
  return ordered;
}

function checkLink({ role, digest, url }: Link): void {
  const malformed = (what: string, expected: string, found: string): DigestChainError =>
    unexpected('LINK_INVALID', `the link's ${what} is malformed`, expected, found);
  if (!isRole(role)) throw malformed('role', 'lower-case letters, digits and "-"', role);
  if (!isDigest(digest)) throw malformed('digest', 'sha256:<64 hex digits>', digest);
  if (!URL_TEXT.test(url)) throw malformed('url', 'repository:tag', url);
}
