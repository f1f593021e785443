import type { Digest } from './digest.ts';
import { findEmbedding } from './embedding.ts';
import { DigestChainError } from './errors.ts';
import { readImageFacts } from './image-facts.ts';
import { readImage } from './read-image.ts';
import { type DigestReference, formatReference, type TagReference } from './reference.ts';
import type { Registry } from './registry/registry.ts';
import { type Image, sealImage } from './seal/image.ts';
import { DEFAULT_PREFIX, type Link, orderLinks, parsePrefix } from './seal/labels.ts';

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
 * repository. Four requests, whatever the number of layers: GET manifest, GET config, upload config, PUT manifest. With
 * a tag, each linked image is read first (two requests each, at the same time) and the one PUT writes the tag: nothing
 * is uploaded before all is proved. Throws `LINK_MISSING`, `LINK_MISMATCH`, `LINK_INVALID` about linked images, and what
 * {@link sealImage} throws.
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
  const [image, ...linkedImages] = await Promise.all([
    readImage(registry, origin, origin.digest),
    ...(tag !== undefined && check ? linked.map((link) => readLinked(registry, link)) : []),
  ]);
  const sealed = sealImage(image, links, prefix);
  for (const config of linkedImages.map((found) => found.config)) {
    findEmbedding(readImageFacts(config), { ...origin, digest: sealed.seal.sealedFrom }, prefix);
  }
  await registry.putBlob(origin, sealed.config);
  const { digest } = sealed.manifest;
  await registry.putManifest(origin, tag?.tag ?? digest, sealed.manifest);
  return {
    url: formatReference({ registry: origin.registry, repository: origin.repository, ...tagOf(tag) }),
    digest,
    origin: sealed.seal.sealedFrom,
    links,
  };
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

async function readLinked(registry: Registry, { role, image }: LinkedImage): Promise<Image> {
  try {
    return await readImage(registry, image, image.digest);
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
