import { DigestChainError } from '../errors.ts';
import {
  decodeString,
  field,
  type JsonMember,
  type JsonObject,
  type JsonValue,
  scanJson,
  textIn,
} from '../json/scan.ts';
import { atEnd, type Edit } from '../json/splice.ts';
import type { Container } from './record.ts';

/** Where the labels of an image config are, or would be. */
export interface Place {
  readonly root: JsonObject;
  readonly config: JsonValue | undefined;
  readonly value: JsonValue | undefined;
  readonly labels: readonly JsonMember[];
  /** Set where there is no label at all: in which way. */
  readonly container: Container | undefined;
}

/** Scans an image config (image-spec, config.md) and finds `config.Labels`; throws `NOT_AN_IMAGE` where it is none. */
export function locateLabels(bytes: Uint8Array): Place {
  const root = scanJson(bytes);
  if (root.type !== 'object') throw notAnImage('the config is not a JSON object');
  if (!isRootfs(bytes, field(root, 'rootfs'))) throw notAnImage('the config has no rootfs.diff_ids');
  const config = field(root, 'config');
  if (config !== undefined && config.type !== 'object' && config.type !== 'null') {
    throw notAnImage('"config" in the config is not an object');
  }
  const value = field(config, 'Labels');
  if (value !== undefined && value.type !== 'object' && value.type !== 'null') {
    throw notAnImage('"Labels" in the config is not an object');
  }
  const labels = value?.type === 'object' ? value.members : [];
  for (const label of labels) {
    if (label.value.type === 'string' || label.value.type === 'null') continue;
    throw notAnImage(`the label ${JSON.stringify(label.key)} is not a string`);
  }
  return { root, config, value, labels, container: containerOf(config, value) };
}

/** Docker leaves out the list of layers where there is none. */
function isRootfs(bytes: Uint8Array, rootfs: JsonValue | undefined): boolean {
  const diffIds = field(rootfs, 'diff_ids');
  if (diffIds !== undefined) return diffIds.type === 'array' || diffIds.type === 'null';
  return textIn(bytes, field(rootfs, 'type')) === 'layers';
}

/** Puts `block` (members, without a comma in front) at the end of the labels, making them where there are none. */
export function insertion({ root, config, value }: Place, block: string): Edit {
  if (config === undefined) return append(root, `"config":{"Labels":{${block}}}`);
  return value === undefined ? append(config, `"Labels":{${block}}`) : append(value, block);
}

/** Undoes an {@link insertion} into a config that had no labels; whatever does not fit is caught by sealing again. */
export function removal({ root, config, value }: Place, container: Container): Edit {
  switch (container) {
    case 'empty-labels':
      return { start: (value?.start ?? 0) + 1, end: lastEnd(value), text: '' };
    case 'null-labels':
      return replace(value, 'null');
    case 'no-labels':
      return truncation(config, 1);
    case 'empty-config':
      return { start: (config?.start ?? 0) + 1, end: lastEnd(config), text: '' };
    case 'null-config':
      return replace(config, 'null');
    case 'no-config':
      return truncation(root, 1);
  }
}

/** Takes the last `count` members out of an object; at least one stays. */
export function truncation(value: JsonValue | undefined, count: number): Edit {
  return { start: lastEnd(value, -1 - count), end: lastEnd(value), text: '' };
}

function containerOf(config: JsonValue | undefined, value: JsonValue | undefined): Container | undefined {
  if (config === undefined) return 'no-config';
  if (config.type !== 'object') return 'null-config';
  if (config.members.length === 0) return 'empty-config';
  if (value === undefined) return 'no-labels';
  if (value.type !== 'object') return 'null-labels';
  return value.members.length === 0 ? 'empty-labels' : undefined;
}

function lastEnd(value: JsonValue | undefined, index = -1): number {
  const member = value?.type === 'object' ? value.members.at(index) : undefined;
  if (member === undefined) throw new DigestChainError('SEAL_BROKEN', 'the labels are not where the seal says');
  return member.value.end;
}

/** Puts members at the end of an object, or makes one of them where there is none. */
function append(value: JsonValue | undefined, members: string): Edit {
  return value?.type === 'object' ? atEnd(value, members) : replace(value, `{${members}}`);
}

function replace(value: JsonValue | undefined, text: string): Edit {
  return { start: value?.start ?? 0, end: value?.end ?? 0, text };
}

function notAnImage(reason: string): DigestChainError {
  return new DigestChainError('NOT_AN_IMAGE', `not an image: ${reason}`);
}

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
