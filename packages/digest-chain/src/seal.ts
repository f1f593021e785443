import { mapConcurrently } from './concurrent.ts';
import type { Digest } from './digest.ts';
import { findEmbedding } from './embedding.ts';
import { DigestChainError } from './errors.ts';
import { factsOf, readTree } from './read-tree.ts';
import { type DigestReference, formatReference, type TagReference } from './reference.ts';
import type { Registry, Repository } from './registry/registry.ts';
import { isIndex } from './seal/image-index.ts';
import { DEFAULT_PREFIX, type Link, orderLinks, parsePrefix } from './seal/labels.ts';
import { readImageManifest } from './seal/manifest.ts';
import { type ImageTree, type SealedTree, sealTree } from './seal/tree.ts';

export interface SealOptions {
  /** Where the sealed image is published, in the origin's repository; without it the image is pushed by digest only. */
  readonly tag?: TagReference;
  readonly prefix?: string;
  /** Whether the linked images are checked before the tag is written; true by default. */
  readonly check?: boolean;
}

export interface SealResult {
  /** The sealed image: `repo:tag`, or `repo` where no tag was asked for. */
  readonly url: string;
  readonly digest: Digest;
  /** The digest of the image as it was built. */
  readonly origin: Digest;
  readonly links: readonly Link[];
}

/** An image to be linked, and its part in the chain. */
export interface LinkedImage {
  readonly role: string;
  readonly image: DigestReference;
}

/**
 * Seals `origin`: writes the digests of the images that embed it into its labels and pushes the result to the same
 * repository. Four requests, whatever the number of layers: GET manifest, GET config, upload config, PUT manifest; for an
 * index as many for each of its images, at the same time, and two for itself. With a tag, each linked image is read
 * first, and the last PUT writes the tag: nothing is uploaded before all is proved. Throws `LINK_MISSING`,
 * `LINK_MISMATCH`, `LINK_INVALID` about linked images, and what {@link sealTree} throws.
 */
export async function seal(
  registry: Registry,
  origin: DigestReference,
  linked: readonly LinkedImage[],
  options: SealOptions = {},
): Promise<SealResult> {
  const { tag, check = true } = options;
  const prefix = parsePrefix(options.prefix ?? DEFAULT_PREFIX);
  const links = orderLinks(linked.map(({ role, image }) => ({ role, url: linkUrl(image), digest: image.digest })));
  checkTag(origin, tag);
  const [tree, linkedTrees] = await Promise.all([
    readTree(registry, origin, origin.digest),
    mapConcurrently(tag !== undefined && check ? linked : [], (link) => readLinked(registry, link)),
  ]);
  const sealed = sealTree(tree, links, prefix);
  for (const facts of linkedTrees.flatMap(factsOf)) {
    findEmbedding(facts, { ...origin, digest: sealed.seal.sealedFrom }, prefix);
  }
  await push(registry, origin, sealed, tag?.tag ?? sealed.manifest.digest);
  return {
    url: formatReference({ registry: origin.registry, repository: origin.repository, ...tagOf(tag) }),
    digest: sealed.manifest.digest,
    origin: sealed.seal.sealedFrom,
    links,
  };
}

/** What is pointed to goes first: configs, then the images of an index, then what the reference names. */
async function push(registry: Registry, repository: Repository, tree: SealedTree, reference: string): Promise<void> {
  await mapConcurrently(tree.images, async ({ config, manifest }) => {
    const uploaded = await registry.putBlob(repository, config);
    const { digest } = readImageManifest(manifest.bytes, manifest.mediaType).config;
    if (uploaded.digest !== digest) {
      throw new DigestChainError('SEAL_REFUSED', 'the registry client can not upload under the digest of the config', {
        expected: digest,
        found: uploaded.digest,
      });
    }
    if (isIndex(tree.manifest.mediaType)) await registry.putManifest(repository, manifest.digest, manifest);
  });
  await registry.putManifest(repository, reference, tree.manifest);
}

function linkUrl(image: DigestReference): string {
  return formatReference({ registry: image.registry, repository: image.repository, ...tagOf(image) });
}

// exactOptionalPropertyTypes or not: an absent tag stays absent.
function tagOf(reference: { tag?: string } | undefined): { tag?: string } {
  return reference?.tag === undefined ? {} : { tag: reference.tag };
}

function checkTag(origin: DigestReference, tag: TagReference | undefined): void {
  if (tag === undefined) return;
  if (tag.registry === origin.registry && tag.repository === origin.repository) return;
  throw new DigestChainError('USAGE', 'the tag is in another repository than the origin', {
    expected: `${origin.registry}/${origin.repository}:<tag>`,
    found: formatReference(tag),
  });
}

async function readLinked(registry: Registry, { role, image }: LinkedImage): Promise<ImageTree> {
  try {
    return await readTree(registry, image, image.digest);
  } catch (error) {
    if (!(error instanceof DigestChainError) || error.code !== 'NOT_FOUND') throw error;
    throw new DigestChainError('LINK_MISSING', `the linked image (${role}) does not exist`, {
      expected: formatReference(image),
      found: 'nothing there',
      hint: 'push it before the image that links to it is sealed',
      cause: error,
    });
  }
}
