import {
  type ChainImage,
  type Digest,
  type Link,
  parseReference,
  type Reference,
  type Repository,
} from '@multi-image/digest-chain';
import type { ReportImage } from '../../report/report.ts';
import type { BuiltImage } from './built-image.ts';

export interface Member {
  /** As the proof or a statement calls it. */
  readonly role: string | undefined;
  readonly digest: Digest;
  readonly built: BuiltImage;
}

/** A statement about the images that were proved, in the image that it is attached to and the others. */
export interface Told {
  readonly own: ChainImage;
  readonly others: readonly ChainImage[];
}

/** What the labels of the others call each image; else what it is called by the proof. Each role once. */
export function rolesOf(members: readonly Member[]): readonly string[] {
  const [, ...links] = members;
  const labelled = members.map(({ digest, built }) => {
    const sealed = members.flatMap((other) => other.built.links).find((link) => link.digest === digest);
    return sealed ?? members.flatMap((other) => other.built.embeds).find((entry) => entry.digest === built.origin);
  });
  const roles = members.map(({ role }, index) => labelled[index]?.role ?? role ?? unnamed(links));
  const twice = (role: string): boolean => roles.indexOf(role) !== roles.lastIndexOf(role);
  return roles.map((role, index) => (twice(role) ? (links[index - 1]?.role ?? 'image') : role));
}

function unnamed(links: readonly Member[]): string {
  return links.some(({ role }) => role === 'primary') ? 'image' : 'primary';
}

type Place = Pick<ReportImage, 'repository' | 'revisionTag'>;

/** Where a linked image is: where it was looked for, as a label says, or as all statements say. */
export function linkedPlace(
  { role, url }: Link,
  { digest, built }: Member,
  members: readonly Member[],
  statements: readonly Told[],
  at: ReadonlyMap<string, Repository>,
): Place {
  const given = at.get(role);
  if (given !== undefined) return placeOf(given);
  const sealed = members.flatMap((other) => other.built.links).filter((link) => link.digest === digest);
  const embedded = members.flatMap((other) => other.built.embeds).filter((entry) => entry.digest === built.origin);
  const told = statements.flatMap(({ others }) => others.filter((image) => image.role === role));
  const said = [sealed, embedded, told].find((entries) => entries.length > 0) ?? [];
  const placesOf = (urls: readonly (string | undefined)[]): Place[] => urls.map((each) => placeOf(referenceOf(each)));
  const repository = agreed(placesOf(said.length > 0 ? said.map((entry) => entry.url) : [url]).map(nameOf)) ?? '';
  const there = placesOf([url, ...told.map((image) => image.url)]).filter((place) => place.repository === repository);
  return { repository, revisionTag: agreed(there.map(({ revisionTag }) => revisionTag)) ?? null };
}

export function placeOf(place: Reference | Repository | undefined): Place {
  if (place === undefined) return { repository: '', revisionTag: null };
  const tag = 'tag' in place ? place.tag : undefined;
  return { repository: `${place.registry}/${place.repository}`, revisionTag: tag ?? null };
}

function nameOf({ repository }: Place): string {
  return repository;
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
