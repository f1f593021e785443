import { mapConcurrently } from './concurrent.ts';
import type { Digest } from './digest.ts';
import { checkPlaces, findEmbeddings } from './embedding.ts';
import { checkTag, type LinkedImage, placeOf, readLinked } from './linked-image.ts';
import { readTree } from './read-image.ts';
import type { DigestReference, TagReference } from './reference.ts';
import type { Registry } from './registry/registry.ts';
import { DEFAULT_PREFIX, type Link, orderLinks, parsePrefix } from './seal/labels.ts';
import type { StatementOptions } from './seal.ts';
import { publishStatement } from './statement/publish.ts';

export interface LinkOptions {
  /** Where the image is published, in its own repository; written last. Without it no tag is written. */
  readonly tag?: TagReference;
  readonly prefix?: string;
  readonly statement?: StatementOptions;
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
  registry: Registry,
  image: DigestReference,
  linked: readonly LinkedImage[],
  options: LinkOptions = {},
): Promise<LinkResult> {
  const { tag, statement = {} } = options;
  const prefix = parsePrefix(options.prefix ?? DEFAULT_PREFIX);
  const links = orderLinks(
    linked.map(({ role, image }) => ({ role, url: placeOf(image, image.tag), digest: image.digest })),
  );
  checkTag(image, tag);
  const [tree, trees] = await Promise.all([
    readTree(registry, image, image.digest),
    mapConcurrently(linked, (each) => readLinked(registry, each)),
  ]);
  const said = trees.map((each) => findEmbeddings(each, image.digest, prefix));
  checkPlaces(said.flat(), image);
  const url = placeOf(image, tag?.tag ?? image.tag);
  const artifacts = await publishStatement(
    registry,
    [{ url, tree, said, originIsThere: true }, linked, trees, prefix],
    statement.pipelineRun,
  );
  if (tag !== undefined) await registry.putManifest(image, tag.tag, tree.manifest);
  return { url, digest: image.digest, links, artifacts };
}
