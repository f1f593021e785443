import { mapConcurrently } from '../../kit/src/concurrent.ts';
import type { Digest } from './digest.ts';
import { LabelNames } from './label-names.ts';
import { checkTag, embeddingTrees, type LinkedImage, linksTo, readLinked } from './linked-image.ts';
import { readTree } from './read-image.ts';
import { type DigestReference, placeOf, type TagReference } from './reference.ts';
import type { CallOptions, Registry } from './registry/registry.ts';
import { withSignal } from './registry/with-call-options.ts';
import type { Link } from './seal/config.ts';
import type { StatementOptions } from './seal.ts';
import { publishStatement } from './statement/publish.ts';

export interface LinkOptions extends CallOptions {
  /** Where the image is published, in its own repository; written last. Without it no tag is written. */
  readonly tag?: TagReference | undefined;
  readonly prefix?: string | undefined;
  readonly statement?: StatementOptions | undefined;
}

export interface LinkResult {
  /** The image: `repo:tag`, or `repo` where no tag was asked for. */
  readonly url: string;
  /** Unchanged: what the linked images embed. */
  readonly digest: Digest;
  readonly links: readonly Link[];
  /** The digests of the artifacts that attach the chain statement. */
  readonly artifacts: readonly Digest[];
}

/**
 * Links an image to the images that embed it without changing a byte of it: the link back is the chain statement, which
 * is attached to each of them. Every linked image is checked first, and the tag is written last. Throws `LINK_MISSING`,
 * `LINK_MISMATCH`, `LINK_INVALID` about linked images.
 */
export async function link(
  client: Registry,
  image: DigestReference,
  linked: readonly LinkedImage[],
  { tag, prefix, statement, signal }: LinkOptions = {},
): Promise<LinkResult> {
  const names = new LabelNames(prefix);
  const links = linksTo(linked);
  checkTag(image, tag);
  const registry = withSignal(client, signal);
  const [tree, trees] = await Promise.all([
    readTree(registry, image, image.digest),
    mapConcurrently(linked, (each) => readLinked(registry, each)),
  ]);
  const url = placeOf(image, tag?.tag ?? image.tag);
  const artifacts = await publishStatement(registry, {
    embedded: { url, tree, originIsThere: true },
    linked: embeddingTrees(trees, image, names),
    names,
    pipelineRun: statement?.pipelineRun,
    leaveOut: 'seal the image instead: labels need no statement',
  });
  if (tag !== undefined) await registry.putManifest(image, tag.tag, tree.manifest);
  return { url, digest: image.digest, links, artifacts };
}
