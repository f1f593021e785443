import { type Digest, isDigest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { decodeString, type JsonMember, rawText } from '../json/scan.ts';
import { type Edit, splice } from '../json/splice.ts';
import { refuseEmbeds } from './embeds.ts';
import {
  type Link,
  linkDigestName,
  linkUrlName,
  orderLinks,
  parseLinkName,
  parsePrefix,
  SEALED_FROM,
  SEALED_OVER,
} from './labels.ts';
import { insertion, locateLabels, type Place, removal, truncation } from './place.ts';
import { formatRecord, isSealName, parseRecord, type SealedOver } from './record.ts';

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
export function sealConfig(config: Uint8Array, seal: Seal, prefix: string): Uint8Array {
  const place = locateLabels(config);
  const values = sealValues(seal);
  const own = ownNames(place, parsePrefix(prefix));
  const present = [...own].filter(([name]) => values.has(name));
  refuseEmbeds(config, place, present);
  const over = sealedOver(config, place, values, new Map(present));
  if (over === undefined) values.delete(SEALED_OVER);
  else values.set(SEALED_OVER, formatRecord(over));

  const edits: Edit[] = [];
  const appended: string[] = [];
  for (const [name, value] of values) {
    const member = own.get(name);
    const token = JSON.stringify(value);
    if (member === undefined) appended.push(`"${prefix}.${name}":${token}`);
    else edits.push({ start: member.value.start, end: member.value.end, text: token });
  }
  if (appended.length > 0) edits.push(insertion(place, appended.join(',')));
  const sealed = splice(config, edits);
  if (sealed.length > MAX_CONFIG_SIZE) {
    throw new DigestChainError('SEAL_REFUSED', 'the sealed config would be too large', {
      expected: `at most ${MAX_CONFIG_SIZE} bytes`,
      found: `${sealed.length} bytes`,
    });
  }
  return sealed;
}

/** Reads the seal of a config without checking where it leads. Throws `NOT_SEALED`, `SEAL_BROKEN`, `LINK_INVALID`. */
export function readSeal(config: Uint8Array, prefix: string): Seal {
  return readPlaced(config, locateLabels(config), prefix).seal;
}

/**
 * Takes the seal out again: the config's bytes as they were before. The result is sealed once more and compared, so a
 * config that differs from its origin by anything but the seal's own labels is never accepted (`SEAL_BROKEN`).
 */
export function unsealConfig(config: Uint8Array, prefix: string): { readonly config: Uint8Array; readonly seal: Seal } {
  const place = locateLabels(config);
  const { seal, over } = readPlaced(config, place, prefix);
  const edits = 'container' in over ? [removal(place, over.container)] : restoration(place, over.keys, prefix);
  const origin = splice(config, edits);
  if (Buffer.compare(sealAgain(origin, seal, prefix), config) !== 0) {
    throw new DigestChainError('SEAL_BROKEN', 'the config is not what sealing its origin gives', {
      hint: 'it was changed after it was sealed, or its seal was inherited from a base image',
    });
  }
  return { config: origin, seal };
}

function sealAgain(origin: Uint8Array, seal: Seal, prefix: string): Uint8Array {
  try {
    return sealConfig(origin, seal, prefix);
  } catch (cause) {
    throw new DigestChainError('SEAL_BROKEN', 'the seal leads back to no config that can be sealed', { cause });
  }
}

/** The seal's labels by name, in the order in which they are written. */
function sealValues(seal: Seal): Map<string, string> {
  const values = new Map<string, string>([
    [SEALED_FROM, seal.sealedFrom],
    [SEALED_OVER, ''],
  ]);
  for (const link of orderLinks(seal.links)) {
    values.set(linkDigestName(link.role), link.digest).set(linkUrlName(link.role), link.url);
  }
  return values;
}

/** The labels under the prefix that have a name a seal can write. */
function ownNames(place: Place, prefix: string): Map<string, JsonMember> {
  const names = new Map<string, JsonMember>();
  for (const member of place.labels) {
    const name = nameOf(member, prefix);
    if (name !== undefined) names.set(name, member);
  }
  return names;
}

function nameOf(member: JsonMember, prefix: string): string | undefined {
  if (!member.key.startsWith(`${prefix}.`)) return undefined;
  const name = member.key.slice(prefix.length + 1);
  return isSealName(name) ? name : undefined;
}

function sealedOver(
  config: Uint8Array,
  place: Place,
  values: ReadonlyMap<string, string>,
  present: ReadonlyMap<string, JsonMember>,
): SealedOver | undefined {
  if (place.container !== undefined) return { container: place.container };
  if (present.size === 0) return undefined;
  const keys = new Map<string, string | undefined>();
  for (const name of values.keys()) {
    const member = present.get(name);
    if (member !== undefined) keys.set(name, rawText(config, member.value));
    else if (name !== SEALED_OVER) keys.set(name, undefined);
  }
  return { keys };
}

function readPlaced(config: Uint8Array, place: Place, prefix: string): { seal: Seal; over: SealedOver } {
  const own = ownNames(place, parsePrefix(prefix));
  const text = (name: string): string => {
    const member = own.get(name);
    if (member === undefined) throw new DigestChainError('SEAL_BROKEN', `the label ${prefix}.${name} is gone`);
    return member.value.type === 'string' ? decodeString(config, member.value) : '';
  };
  if (!own.has(SEALED_FROM)) {
    throw new DigestChainError('NOT_SEALED', 'the image is not sealed', {
      expected: `a label ${prefix}.${SEALED_FROM}`,
      found: 'none',
    });
  }
  const over: SealedOver = own.has(SEALED_OVER)
    ? parseRecord(text(SEALED_OVER))
    : { keys: new Map(trailingNames(place, prefix).map((name) => [name, undefined])) };
  const names = 'container' in over ? [...own.keys()] : [...over.keys.keys()];
  const sealedFrom = text(SEALED_FROM);
  if (!isDigest(sealedFrom)) throw malformed(`${prefix}.${SEALED_FROM}`, sealedFrom);
  return { seal: { links: readLinks(names, text), sealedFrom }, over };
}

/** Without a record the seal is the end of the labels, from sealed-from on. */
function trailingNames(place: Place, prefix: string): string[] {
  const start = place.labels.findIndex((member) => nameOf(member, prefix) === SEALED_FROM);
  return place.labels.slice(start).map((member) => {
    const name = nameOf(member, prefix);
    if (name !== undefined) return name;
    throw new DigestChainError('SEAL_BROKEN', "other labels stand among the seal's", {
      expected: `nothing after the label ${prefix}.${SEALED_FROM} but the seal's own`,
      found: JSON.stringify(member.key.slice(0, 160)),
      hint: 'the image was changed after it was sealed, or its seal was inherited from a base image',
    });
  });
}

function readLinks(names: readonly string[], text: (name: string) => string): readonly Link[] {
  const roles = new Set<string>();
  for (const name of names) {
    const role = parseLinkName(name)?.role;
    if (role !== undefined) roles.add(role);
  }
  const links = [...roles].map((role): Link => {
    const digest = text(linkDigestName(role));
    if (!isDigest(digest)) throw malformed(linkDigestName(role), digest);
    return { role, url: text(linkUrlName(role)), digest };
  });
  return orderLinks(links);
}

function restoration(place: Place, keys: ReadonlyMap<string, string | undefined>, prefix: string): Edit[] {
  const own = ownNames(place, prefix);
  const edits: Edit[] = [];
  for (const [name, token] of keys) {
    const member = own.get(name);
    if (member !== undefined && token !== undefined) {
      edits.push({ start: member.value.start, end: member.value.end, text: token });
    }
  }
  // The record's own label is listed only where it replaced one.
  const appended = keys.size - edits.length + (own.has(SEALED_OVER) && !keys.has(SEALED_OVER) ? 1 : 0);
  if (appended > 0) edits.push(truncation(place, appended));
  return edits;
}

function malformed(label: string, found: string): DigestChainError {
  return new DigestChainError('LINK_INVALID', `the label ${label} is malformed`, {
    expected: 'a digest',
    found: JSON.stringify(found.slice(0, 160)),
  });
}
