import { type DigestChainError, unexpected } from '../errors.ts';
import type { LabelNames } from '../label-names.ts';

/**
 * What stood where the seal is now. It is written to the label `<prefix>.sealed-over`, and only where the sealed bytes
 * alone could not tell:
 * - `container`: the config had no labels; which of the ways there are to have none.
 * - `labels`: labels of the seal's names were there already (inherited from a sealed base image). All labels of the seal
 *   are listed; one with a token had that token as its value, one alone was not there.
 */
export type SealedOver =
  | { readonly container: Container }
  | { readonly labels: ReadonlyMap<string, string | undefined> };

/** The ways in which a config can have no labels. */
export type Container = (typeof CONTAINERS)[number];
const CONTAINERS = ['no-config', 'null-config', 'empty-config', 'no-labels', 'null-labels', 'empty-labels'] as const;

// Percent-encoding, because `"` and `\` would double with each generation of base images that are sealed themselves.
const NOT_PLAIN = /[^A-Za-z0-9.:/@_-]/gu;
const ENTRY = /^([a-z0-9.-]+)(?:=([A-Za-z0-9.:/@_%-]+))?$/;

/** The label's text: `no-labels`, or `name,name=token,…`, names without the prefix, tokens percent-encoded (UTF-8). */
export function formatRecord(over: SealedOver, names: LabelNames): string {
  if ('container' in over) return over.container;
  return [...over.labels]
    .map(([label, token]) => `${names.shorten(label)}${token === undefined ? '' : `=${encode(token)}`}`)
    .join(',');
}

/** Reads the label's text; throws `SEAL_BROKEN`. */
export function parseRecord(text: string, names: LabelNames): SealedOver {
  const container = CONTAINERS.find((word) => word === text);
  if (container !== undefined) return { container };
  const labels = new Map<string, string | undefined>();
  for (const entry of text.split(',')) {
    const [, name, token] = ENTRY.exec(entry) ?? [];
    const label = names.expand(name ?? '');
    if (labels.has(label) || !names.isSeal(label)) throw broken(entry);
    labels.set(label, token === undefined ? undefined : decode(token));
  }
  return { labels };
}

function encode(token: string): string {
  return token.replace(NOT_PLAIN, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw broken(text, cause);
  }
}

function broken(found: string, cause?: unknown): DigestChainError {
  return unexpected('SEAL_BROKEN', "the label sealed-over can't be read", 'what this tool writes there', found, cause);
}
