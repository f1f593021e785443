import type { ChainImage, Link } from '@multi-image/digest-chain';
import {
  type Digest,
  parseReference,
  type Reference,
  type Repository,
  repositoryName,
} from '@multi-image/digest-chain/oci';
import type { ReportImage } from '../../report/report.ts';
import type { BuiltImage } from './built-image.ts';

/** An image of a chain that was proved. */
export interface Member {
  /** What led to it; nothing for the image that the proof started from. */
  readonly link: Link | undefined;
  /** As the proof or a statement calls it. */
  readonly called: string | undefined;
  readonly digest: Digest;
  readonly built: BuiltImage;
}

export interface NamedMember extends Member {
  readonly role: string;
}

/** A statement about the images that were proved, in the image that it is attached to and the others. */
export interface Told {
  readonly own: ChainImage;
  readonly others: readonly ChainImage[];
}

/** What the labels of the others call each image; else what it is called by the proof. Each role once. */
export function withRoles(members: readonly Member[]): readonly NamedMember[] {
  const unnamed = members.some(({ link }) => link?.role === 'primary') ? 'image' : 'primary';
  const named = members.map((member) => ({
    ...member,
    role: labelsAbout(member, members)[0]?.role ?? member.called ?? unnamed,
  }));
  const isTaken = (role: string): boolean => named.filter((other) => other.role === role).length > 1;
  return named.map((member) => (isTaken(member.role) ? { ...member, role: member.link?.role ?? 'image' } : member));
}

/** What the labels of the others say of an image: those of a seal, else those of a build. */
function labelsAbout(
  { digest, built }: Member,
  members: readonly Member[],
): readonly { role: string; url?: string | undefined }[] {
  const sealed = members.flatMap((other) => other.built.links).filter((link) => link.digest === digest);
  if (sealed.length > 0) return sealed;
  return members.flatMap((other) => other.built.embeds).filter((entry) => entry.digest === built.origin);
}

type Place = Pick<ReportImage, 'repository' | 'revisionTag'>;

/** Where a linked image is: where it was looked for, as a label says, or as all statements say. */
export function linkedPlace(
  member: Member,
  { role, url }: Link,
  members: readonly Member[],
  statements: readonly Told[],
  at: ReadonlyMap<string, Repository>,
): Place {
  const given = at.get(role);
  if (given !== undefined) return placeOf(given);
  const placesOf = (all: readonly { url?: string | undefined }[]): Place[] =>
    all.map((each) => placeOf(referenceOf(each.url)));
  const told = statements.flatMap(({ others }) => others.filter((image) => image.role === role));
  const said = [labelsAbout(member, members), told].find((all) => all.length > 0) ?? [{ url }];
  const repository = agreed(placesOf(said).map((place) => place.repository)) ?? '';
  const there = placesOf([{ url }, ...told]).filter((place) => place.repository === repository);
  return { repository, revisionTag: agreed(there.map(({ revisionTag }) => revisionTag)) ?? null };
}

export function placeOf(place: Reference | Repository | undefined): Place {
  if (place === undefined) return { repository: '', revisionTag: null };
  const tag = 'tag' in place ? place.tag : undefined;
  return { repository: repositoryName(place), revisionTag: tag ?? null };
}

/** A label's text need not be a reference. */
export function referenceOf(url = ''): Reference | undefined {
  try {
    return parseReference(url);
  } catch {
    return undefined;
  }
}

/** What all say alike. */
export function agreed<T>([first, ...others]: readonly T[]): T | undefined {
  return others.every((other) => other === first) ? first : undefined;
}
