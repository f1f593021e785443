import type { Digest } from '../digest.ts';
import type { Embedding } from '../embedding.ts';
import type { RawManifest, Repository } from '../registry/registry.ts';

/** An image of a chain whose attestations are checked. */
export interface AttestedImage {
  readonly role: string;
  readonly repository: Repository;
  /** Built elsewhere: who signed it, and of which run, is another question. */
  readonly external?: boolean | undefined;
  /** As it is published: what is signed. */
  readonly manifest: RawManifest;
  /** As it was built: what other images embed. */
  readonly origin: Digest;
  /** What its build tasks returned: the origin, or the origin's images where it is an index. */
  readonly built: readonly RawManifest[];
  /** The images that it embeds, and how each of those that were built says so, in the same order. */
  readonly embeds: readonly { readonly role: string; readonly embeddings: readonly Embedding[] }[];
}
