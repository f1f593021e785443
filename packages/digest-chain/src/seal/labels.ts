import { type Digest, isDigest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';

/** Where labels live when nothing else is said: `io.konflux.poc.metadata-image.digest`. */
export const DEFAULT_PREFIX: string = 'io.konflux.poc';

/** A labelled pointer from a sealed image to an image that embeds it. */
export interface Link {
  /** The linked image's part in the chain, such as `metadata`. */
  readonly role: string;
  /** Where it is: `repo:tag`, or `repo`. */
  readonly url: string;
  readonly digest: Digest;
}

/** The short names (without the prefix) of the labels that a seal is made of. */
export const SEALED_FROM: string = 'sealed-from.digest';
export const SEALED_OVER: string = 'sealed-over';

const PREFIX = /^[a-z0-9](?:[a-z0-9._-]{0,126}[a-z0-9])?$/;
const ROLE = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;
const LINK_NAME = /^([a-z0-9-]+)-image\.(digest|url)$/;
// What a reference can be made of; no quotes, spaces or control characters.
const URL_TEXT = /^[A-Za-z0-9.[][A-Za-z0-9._:/[\]@-]{0,511}$/;

/** Validates a label prefix (reverse-DNS style); throws `LABEL_PREFIX_INVALID`. */
export function parsePrefix(text: string): string {
  if (PREFIX.test(text)) return text;
  throw new DigestChainError('LABEL_PREFIX_INVALID', 'not a label prefix', {
    expected: 'lower-case letters, digits, ".", "_" and "-", as in io.konflux.poc',
    found: JSON.stringify(text.slice(0, 160)),
  });
}

export function isRole(text: string): boolean {
  return ROLE.test(text);
}

/** `metadata` → `metadata-image.digest` */
export function linkDigestName(role: string): string {
  return `${role}-image.digest`;
}

export function linkUrlName(role: string): string {
  return `${role}-image.url`;
}

/** What `<role>-image.digest` or `<role>-image.url` is made of; undefined for every other name. */
export function parseLinkName(name: string): { role: string; part: 'digest' | 'url' } | undefined {
  const match = LINK_NAME.exec(name);
  const role = match?.[1];
  if (role === undefined || !isRole(role)) return undefined;
  return { role, part: match?.[2] === 'digest' ? 'digest' : 'url' };
}

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

function checkLink(link: Link): void {
  const check = (ok: boolean, what: string, expected: string, found: string): void => {
    if (ok) return;
    const quoted = JSON.stringify(found.slice(0, 160));
    throw new DigestChainError('LINK_INVALID', `the link's ${what} is malformed`, { expected, found: quoted });
  };
  check(isRole(link.role), 'role', 'lower-case letters, digits and "-"', link.role);
  check(isDigest(link.digest), 'digest', 'sha256:<64 hex digits>', link.digest);
  check(URL_TEXT.test(link.url), 'url', 'repository:tag', link.url);
}
