import { DigestChainError } from './errors.ts';

/** Where labels live when nothing else is said: `io.konflux.poc.metadata-image.digest`. */
export const DEFAULT_PREFIX: string = 'io.konflux.poc';

const PREFIX = /^[a-z0-9](?:[a-z0-9._-]{0,126}[a-z0-9])?$/;
const ROLE = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;
const LINK_NAME = /^([a-z0-9-]+)-image\.(digest|url)$/;

/**
 * The names of all labels under one prefix (docs/digest-chain.md, "Names"). Made once, of the prefix alone.
 *
 * ```ts
 * const names = new LabelNames(); // io.konflux.poc
 * names.digestOf('metadata'); // io.konflux.poc.metadata-image.digest
 * names.parseLink('io.konflux.poc.metadata-image.url'); // { role: 'metadata', part: 'url' }
 * ```
 */
export class LabelNames {
  readonly prefix: string;
  /** Of the digest that an image had before it was sealed. */
  readonly sealedFrom: string;
  /** Of what stood where the seal is now. */
  readonly sealedOver: string;

  /** Throws `LABEL_PREFIX_INVALID` for a prefix that is not in reverse-DNS style. */
  constructor(prefix: string = DEFAULT_PREFIX) {
    this.prefix = parsePrefix(prefix);
    this.sealedFrom = `${prefix}.sealed-from.digest`;
    this.sealedOver = `${prefix}.sealed-over`;
  }

  /** The label with the digest of the image of a role. */
  digestOf(role: string): string {
    return `${this.prefix}.${role}-image.digest`;
  }

  /** The label with the place of the image of a role. */
  urlOf(role: string): string {
    return `${this.prefix}.${role}-image.url`;
  }

  /** What {@link digestOf} or {@link urlOf} made of a role; undefined for every other label. */
  parseLink(label: string): { readonly role: string; readonly part: 'digest' | 'url' } | undefined {
    if (!label.startsWith(`${this.prefix}.`)) return undefined;
    const [, role, part] = LINK_NAME.exec(label.slice(this.prefix.length + 1)) ?? [];
    return role !== undefined && isRole(role) ? { role, part: part === 'digest' ? 'digest' : 'url' } : undefined;
  }

  /** Whether a seal may write this label. */
  isSeal(label: string): boolean {
    return label === this.sealedFrom || label === this.sealedOver || this.parseLink(label) !== undefined;
  }
}

/** Validates a label prefix; throws `LABEL_PREFIX_INVALID`. */
export function parsePrefix(text: string): string {
  if (PREFIX.test(text)) return text;
  throw new DigestChainError('LABEL_PREFIX_INVALID', 'not a label prefix', {
    expected: 'lower-case letters, digits, ".", "_" and "-", as in io.konflux.poc',
    found: JSON.stringify(text.slice(0, 160)),
  });
}

/** Whether this can be an image's part in a chain: up to 64 lower-case letters, digits and `-`. */
export function isRole(text: string): boolean {
  return ROLE.test(text);
}
