import { DigestChainError } from '../errors.ts';
import { parseLinkName, SEALED_FROM, SEALED_OVER } from './labels.ts';

/**
 * What stood where the seal is now. It is written to the label `<prefix>.sealed-over`, and only where the sealed bytes
 * alone could not tell:
 * - `container`: the config had no labels; which of the ways there are to have none.
 * - `keys`: labels of the seal's names were there already (inherited from a sealed base image). All names of the seal
 *   are listed; a name with a token had that token as its value, a name alone was not there.
 */
export type SealedOver = { readonly container: Container } | { readonly keys: ReadonlyMap<string, string | undefined> };

/** The ways in which a config can have no labels. */
export type Container = (typeof CONTAINERS)[number];
const CONTAINERS = ['no-config', 'null-config', 'empty-config', 'no-labels', 'null-labels', 'empty-labels'] as const;

// Percent-encoding, because `"` and `\` would double with each generation of base images that are sealed themselves.
const NOT_PLAIN = /[^A-Za-z0-9.:/@_-]/gu;
const ENTRY = /^([a-z0-9.-]+)(?:=([A-Za-z0-9.:/@_%-]+))?$/;

/** The label's text: `no-labels`, or `name,name=token,…` with tokens percent-encoded (UTF-8). */
export function formatRecord(over: SealedOver): string {
  if ('container' in over) return over.container;
  return [...over.keys].map(([name, token]) => (token === undefined ? name : `${name}=${encode(token)}`)).join(',');
}

/** Reads the label's text; throws `SEAL_BROKEN`. */
export function parseRecord(text: string): SealedOver {
  const container = CONTAINERS.find((word) => word === text);
  if (container !== undefined) return { container };
  const keys = new Map<string, string | undefined>();
  for (const entry of text.split(',')) {
    const match = ENTRY.exec(entry);
    const name = match?.[1];
    if (name === undefined || keys.has(name) || !isSealName(name)) throw broken(entry);
    keys.set(name, match?.[2] === undefined ? undefined : decode(match[2]));
  }
  return { keys };
}

/** Whether a seal may write a label of this name (without its prefix). */
export function isSealName(name: string): boolean {
  return name === SEALED_FROM || name === SEALED_OVER || parseLinkName(name) !== undefined;
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
  return new DigestChainError('SEAL_BROKEN', `the label ${SEALED_OVER} can't be read`, {
    expected: 'what this tool writes there',
    found: JSON.stringify(found.slice(0, 160)),
    cause,
  });
}
