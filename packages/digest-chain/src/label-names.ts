import { unexpected } from './errors.ts';

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
    if (!PREFIX.test(prefix)) {
      const expected = 'lower-case letters, digits, ".", "_" and "-", as in io.konflux.poc';
      throw unexpected('LABEL_PREFIX_INVALID', 'not a label prefix', expected, prefix);
    }
    this.prefix = prefix;
    this.sealedFrom = this.expand('sealed-from.digest');
    this.sealedOver = this.expand('sealed-over');
  }

  /** The label with the digest of the image of a role. */
  digestOf(role: string): string {
    return this.expand(`${role}-image.digest`);
  }

  /** The label with the place of the image of a role. */
  urlOf(role: string): string {
    return this.expand(`${role}-image.url`);
  }

  /** What {@link digestOf} or {@link urlOf} made of a role; undefined for every other label. */
  parseLink(label: string): { readonly role: string; readonly part: 'digest' | 'url' } | undefined {
    const [, role, part] = LINK_NAME.exec(this.shorten(label) ?? '') ?? [];
    return role !== undefined && isRole(role) ? { role, part: part === 'digest' ? 'digest' : 'url' } : undefined;
  }

  /** Whether a seal may write this label. */
  isSeal(label: string): boolean {
    return label === this.sealedFrom || label === this.sealedOver || this.parseLink(label) !== undefined;
  }

  /** A label of its name after the prefix. */
  expand(name: string): string {
    return `${this.prefix}.${name}`;
  }

  /** A label's name after the prefix; undefined where it has another prefix. */
  shorten(label: string): string | undefined {
    return label.startsWith(`${this.prefix}.`) ? label.slice(this.prefix.length + 1) : undefined;
  }
}

/** Whether this can be an image's part in a chain: up to 64 lower-case letters, digits and `-`. */
export function isRole(text: string): boolean {
  return ROLE.test(text);
}
