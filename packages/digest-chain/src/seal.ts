import type { CarryResult } from './carry/carry.ts';
import { mapConcurrently } from './concurrent.ts';
import type { Digest } from './digest.ts';
import { checkPlaces, findEmbeddings } from './embedding.ts';
import { checkTag, isSameRepository, type LinkedImage, placeOf, readLinked } from './linked-image.ts';
import { readTree } from './read-image.ts';
import type { DigestReference, TagReference } from './reference.ts';
import type { Registry, Repository, Upload } from './registry/registry.ts';
import { isIndex } from './seal/image-index.ts';
import { DEFAULT_PREFIX, type Link, orderLinks, parsePrefix } from './seal/labels.ts';
import { readImageManifest } from './seal/manifest.ts';
import { type ImageTree, type SealedTree, sealTree } from './seal/tree.ts';

export interface SealOptions {
  /** Where the sealed image is published; without it the image is pushed by digest only. */
  readonly tag?: TagReference;
  /** The repository that the sealed image is pushed to: the tag's, else the origin's. */
  readonly to?: Repository;
  readonly prefix?: string;
  /** Whether the linked images are checked before the tag is written; true by default. */
  readonly check?: boolean;
  /** What the chain statement says beside the images; `false` for none. It is attached before the tag is written. */
  readonly statement?: StatementOptions | false;
  /**
   * Whether SBOMs that are attached to the origin are attached to the sealed image as well; by default where it is
   * published under a tag after its links were checked.
   */
  readonly carry?: boolean;
}

export interface StatementOptions {
  /** The name of the pipeline run that built the images. */
  readonly pipelineRun?: string;
}

export interface SealResult {
  /** The sealed image: `repo:tag`, or `repo` where no tag was asked for. */
  readonly url: string;
  readonly digest: Digest;
  /** The digest of the image as it was built. */
  readonly origin: Digest;
  readonly links: readonly Link[];
  /** The SBOMs that were carried over, and what else is attached to the origin; undefined where that was not asked for. */
  readonly attachments: CarryResult | undefined;
}

/**
 * Seals `origin`: writes the digests of the images that embed it into its labels and pushes the result to the same
 * repository. Four requests, whatever the number of layers: GET manifest, GET config, upload config, PUT manifest; for an
 * index as many for each of its images, at the same time, and two for itself. Into another repository, one more for each
 * layer, which is mounted there or else streamed. With a tag, each linked image is read first, SBOMs are carried over, the
 * chain statement is attached to each image, and the last PUT writes the tag: nothing is uploaded before all is proved,
 * and the tag is never there without the statement. Throws `LINK_MISSING`, `LINK_MISMATCH`, `LINK_INVALID` about linked
 * images, and what {@link sealTree} throws.
 */
export async function seal(
  registry: Registry,
  origin: DigestReference,
  linked: readonly LinkedImage[],
  options: SealOptions = {},
): Promise<SealResult> {
  const prefix = parsePrefix(options.prefix ?? DEFAULT_PREFIX);
  const links = orderLinks(
    linked.map(({ role, image }) => ({ role, url: placeOf(image, image.tag), digest: image.digest })),
  );
  const { registry: host, repository } = options.to ?? options.tag ?? origin;
  const to = { registry: host, repository };
  checkTag(to, options.tag);
  // Opened while the origin is read: so four round trips in a row are enough.
  const upload = registry.startUpload(to);
  try {
    return await sealWith({ registry, origin, to, linked, links, prefix, upload }, options);
  } catch (error) {
    // Nobody waits for it: what matters is why there is nothing to upload.
    void upload.cancel();
    throw error;
  }
}

interface Sealing {
  readonly registry: Registry;
  readonly origin: DigestReference;
  /** Where the sealed image goes. */
  readonly to: Repository;
  readonly linked: readonly LinkedImage[];
  readonly links: readonly Link[];
  readonly prefix: string;
  /** For the first config. */
  readonly upload: Upload;
}

async function sealWith(sealing: Sealing, options: SealOptions): Promise<SealResult> {
  const { registry, origin, to, linked, links, prefix } = sealing;
  const { tag, check = true, statement = {}, carry = tag !== undefined && check } = options;
  const [tree, linkedTrees] = await Promise.all([
    readTree(registry, origin, origin.digest),
    mapConcurrently(tag !== undefined && check ? linked : [], (link) => readLinked(registry, link)),
  ]);
  const sealed = sealTree(tree, links, prefix);
  const url = placeOf(to, tag?.tag);
  const built = { ...origin, digest: sealed.seal.sealedFrom };
  const said = linkedTrees.map((tree) => findEmbeddings(tree, built.digest, prefix));
  checkPlaces(said.flat(), built);
  if (!isSameRepository(origin, to)) {
    const { copyContent } = await import('./carry/copy-content.ts');
    await copyContent(registry, origin, to, tree);
  }
  const [attachments] = await Promise.all([
    carry ? carryOver(sealing, tree, sealed) : undefined,
    pushParts(sealing, sealed),
  ]);
  if (linkedTrees.length > 0 && statement !== false) {
    const { publishStatement } = await import('./statement/publish.ts');
    const embedded = { url, tree: sealed, said, originIsThere: isSameRepository(origin, to) };
    await publishStatement(registry, [embedded, linked, linkedTrees, prefix], statement.pipelineRun);
  }
  await registry.putManifest(to, tag?.tag ?? sealed.manifest.digest, sealed.manifest);
  return { url, digest: sealed.manifest.digest, origin: sealed.seal.sealedFrom, links, attachments };
}

async function carryOver({ registry, origin, to }: Sealing, given: ImageTree, sealed: ImageTree): Promise<CarryResult> {
  const { carryAttachments } = await import('./carry/carry.ts');
  return carryAttachments(registry, { given, from: origin }, { sealed, to });
}

/** What is pointed to goes first: configs, then the images of an index. What the reference names is not pushed here. */
async function pushParts({ registry, to, upload }: Sealing, tree: SealedTree): Promise<void> {
  await mapConcurrently(tree.images, async ({ config, manifest }, index) => {
    const { digest } = readImageManifest(manifest.bytes, manifest.mediaType).config;
    await (index === 0 ? upload.finish(config, digest) : registry.putBlob(to, config, { digest }));
    if (isIndex(tree.manifest.mediaType)) await registry.putManifest(to, manifest.digest, manifest);
  });
}
