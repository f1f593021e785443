import { type Digest, isDigest } from '../digest.ts';
import { DigestChainError, quoted, tooLarge, unexpected } from '../errors.ts';
import { type JsonMember, rawText, textIn } from '../json/scan.ts';
import { type Edit, splice } from '../json/splice.ts';
import { isRole, type LabelNames } from '../label-names.ts';
import { insertion, locateLabels, type Place, refuseEmbeds, removal, truncation } from './place.ts';
import { formatRecord, parseRecord, type SealedOver } from './record.ts';

/** A config larger than this is refused, sealed or not. Bytes. */
export const MAX_CONFIG_SIZE: number = 8 * 1024 * 1024;

/** What a seal says. */
export interface Seal {
  readonly links: readonly Link[];
  /** The digest of the origin: of its manifest, or of its index. */
  readonly sealedFrom: Digest;
}

/**
 * Writes a seal into an image config (image-spec, config.md; the same in Docker's format): bytes in, bytes out, a splice.
 * Labels of the seal that were there already are replaced in place; the others go to the end of `config.Labels` in the
 * order sealed-from, sealed-over (where needed, see {@link SealedOver}), then each link's digest and url, by role.
 * Throws `NOT_AN_IMAGE`, `SEAL_REFUSED`, `JSON_INVALID`, `JSON_DUPLICATE_KEY`, `LINK_INVALID`.
 */
export function sealConfig(config: Uint8Array, seal: Seal, names: LabelNames): Uint8Array {
  const place = locateLabels(config);
  const values = sealValues(seal, names);
  const present = new Map([...ownLabels(place, names)].filter(([label]) => values.has(label)));
  refuseEmbeds(config, place, present);
  const over = sealedOver(config, place, [...values.keys()], present, names);
  if (over === undefined) values.delete(names.sealedOver);
  else values.set(names.sealedOver, formatRecord(over, names));

  const edits: Edit[] = [];
  const appended: string[] = [];
  for (const [label, value] of values) {
    const token = JSON.stringify(value);
    const there = present.get(label)?.value;
    if (there === undefined) appended.push(`"${label}":${token}`);
    else edits.push({ start: there.start, end: there.end, text: token });
  }
  if (appended.length > 0) edits.push(insertion(place, appended.join(',')));
  const sealed = splice(config, edits);
  if (sealed.length <= MAX_CONFIG_SIZE) return sealed;
  throw tooLarge('SEAL_REFUSED', 'the sealed config would be too large', MAX_CONFIG_SIZE, sealed.length);
}

/** Reads the seal of a config without checking where it leads. Throws `NOT_SEALED`, `SEAL_BROKEN`, `LINK_INVALID`. */
export function readSeal(config: Uint8Array, names: LabelNames): Seal {
  return readPlaced(config, locateLabels(config), names).seal;
}

/**
 * Takes the seal out again: the config's bytes as they were before. The result is sealed once more and compared, so a
 * config that differs from its origin by anything but the seal's own labels is never accepted (`SEAL_BROKEN`).
 */
export function unsealConfig(
  config: Uint8Array,
  names: LabelNames,
): { readonly config: Uint8Array; readonly seal: Seal } {
  const place = locateLabels(config);
  const { seal, over } = readPlaced(config, place, names);
  const edits = 'container' in over ? [removal(place, over.container)] : restoration(place, over.labels, names);
  const origin = splice(config, edits);
  if (Buffer.compare(sealAgain(origin, seal, names), config) !== 0) {
    throw new DigestChainError('SEAL_BROKEN', 'the config is not what sealing its origin gives', {
      hint: 'it was changed after it was sealed, or its seal was inherited from a base image',
    });
  }
  return { config: origin, seal };
}

function sealAgain(origin: Uint8Array, seal: Seal, names: LabelNames): Uint8Array {
  try {
    return sealConfig(origin, seal, names);
  } catch (cause) {
    throw new DigestChainError('SEAL_BROKEN', 'the seal leads back to no config that can be sealed', { cause });
  }
}

/** The seal's labels, in the order in which they are written. */
function sealValues(seal: Seal, names: LabelNames): Map<string, string> {
  const values = new Map<string, string>([
    [names.sealedFrom, seal.sealedFrom],
    [names.sealedOver, ''],
  ]);
  for (const { role, digest, url } of orderLinks(seal.links)) {
    values.set(names.digestOf(role), digest).set(names.urlOf(role), url);
  }
  return values;
}

/** The labels that have a name which a seal can write. */
function ownLabels(place: Place, names: LabelNames): ReadonlyMap<string, JsonMember> {
  return new Map(place.labels.filter(({ key }) => names.isSeal(key)).map((member) => [member.key, member]));
}

function sealedOver(
  config: Uint8Array,
  { container }: Place,
  labels: readonly string[],
  present: ReadonlyMap<string, JsonMember>,
  names: LabelNames,
): SealedOver | undefined {
  if (container !== undefined) return { container };
  if (present.size === 0) return undefined;
  const listed = labels.filter((label) => label !== names.sealedOver || present.has(label));
  const tokenOf = (label: string): string | undefined => {
    const value = present.get(label)?.value;
    return value && rawText(config, value);
  };
  return { labels: new Map(listed.map((label) => [label, tokenOf(label)])) };
}

function readPlaced(config: Uint8Array, place: Place, names: LabelNames): { seal: Seal; over: SealedOver } {
  const own = ownLabels(place, names);
  const text = (label: string): string => {
    const value = own.get(label)?.value;
    if (value === undefined) throw new DigestChainError('SEAL_BROKEN', `the label ${label} is gone`);
    return textIn(config, value);
  };
  if (!own.has(names.sealedFrom)) {
    throw new DigestChainError('NOT_SEALED', 'the image is not sealed', {
      expected: `a label ${names.sealedFrom}`,
      found: 'none',
    });
  }
  const over: SealedOver = own.has(names.sealedOver)
    ? parseRecord(text(names.sealedOver), names)
    : { labels: new Map(trailingLabels(place, names).map((label) => [label, undefined])) };
  const written = 'container' in over ? own : over.labels;
  const roles = new Set([...written.keys()].flatMap((label) => names.parseLink(label)?.role ?? []));
  const digest = (label: string): Digest => {
    const found = text(label);
    if (isDigest(found)) return found;
    throw unexpected('LINK_INVALID', `the label ${label} is malformed`, 'a digest', found);
  };
  const sealedFrom = digest(names.sealedFrom);
  const links = [...roles].map((role) => ({
    role,
    digest: digest(names.digestOf(role)),
    url: text(names.urlOf(role)),
  }));
  return { seal: { links: orderLinks(links), sealedFrom }, over };
}

/** Without a record the seal is the end of the labels, from sealed-from on. */
function trailingLabels({ labels }: Place, names: LabelNames): string[] {
  const start = labels.findIndex(({ key }) => key === names.sealedFrom);
  return labels.slice(start).map(({ key }) => {
    if (names.isSeal(key)) return key;
    throw new DigestChainError('SEAL_BROKEN', "other labels stand among the seal's", {
      expected: `nothing after the label ${names.sealedFrom} but the seal's own`,
      found: quoted(key),
      hint: 'the image was changed after it was sealed, or its seal was inherited from a base image',
    });
  });
}

function restoration(place: Place, labels: ReadonlyMap<string, string | undefined>, names: LabelNames): Edit[] {
  const own = ownLabels(place, names);
  const edits = [...labels].flatMap(([label, token]): Edit[] => {
    const there = own.get(label)?.value;
    return there === undefined || token === undefined ? [] : [{ start: there.start, end: there.end, text: token }];
  });
  // The record's own label is listed only where it replaced one.
  const appended = labels.size - edits.length + (own.has(names.sealedOver) && !labels.has(names.sealedOver) ? 1 : 0);
  if (appended > 0) edits.push(truncation(place.value, appended));
  return edits;
}

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
