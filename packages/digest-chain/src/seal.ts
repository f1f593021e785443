import { mapConcurrently } from './concurrent.ts';
import type { Digest } from './digest.ts';
import { checkPlaces, findEmbeddings } from './embedding.ts';
import { checkTag, type LinkedImage, placeOf, readLinked } from './linked-image.ts';
import { readTree } from './read-tree.ts';
import type { DigestReference, TagReference } from './reference.ts';
import type { Registry, Upload } from './registry/registry.ts';
import { isIndex } from './seal/image-index.ts';
import { DEFAULT_PREFIX, type Link, orderLinks, parsePrefix } from './seal/labels.ts';
import { readImageManifest } from './seal/manifest.ts';
import { type SealedTree, sealTree } from './seal/tree.ts';

export interface SealOptions {
  /** Where the sealed image is published, in the origin's repository; without it the image is pushed by digest only. */
  readonly tag?: TagReference;
  readonly prefix?: string;
  /** Whether the linked images are checked before the tag is written; true by default. */
  readonly check?: boolean;
  /** What the chain statement says beside the images; `false` for none. It is attached before the tag is written. */
  readonly statement?: StatementOptions | false;
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
}

/**
 * Seals `origin`: writes the digests of the images that embed it into its labels and pushes the result to the same
 * repository. Four requests, whatever the number of layers: GET manifest, GET config, upload config, PUT manifest; for an
 * index as many for each of its images, at the same time, and two for itself. With a tag, each linked image is read
 * first, the chain statement is attached to each image, and the last PUT writes the tag: nothing is uploaded before all
 * is proved, and the tag is never there without the statement. Throws `LINK_MISSING`,
 * `LINK_MISMATCH`, `LINK_INVALID` about linked images, and what {@link sealTree} throws.
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
  checkTag(origin, options.tag);
  // Opened while the origin is read: so four round trips in a row are enough.
  const upload = registry.startUpload(origin);
  try {
    return await sealWith({ registry, origin, linked, links, prefix, upload }, options);
  } catch (error) {
    // Nobody waits for it: what matters is why there is nothing to upload.
    void upload.cancel();
    throw error;
  }
}

interface Sealing {
  readonly registry: Registry;
  readonly origin: DigestReference;
  readonly linked: readonly LinkedImage[];
  readonly links: readonly Link[];
  readonly prefix: string;
  /** For the first config. */
  readonly upload: Upload;
}

async function sealWith(sealing: Sealing, { tag, check = true, statement = {} }: SealOptions): Promise<SealResult> {
  const { registry, origin, linked, links, prefix } = sealing;
  const [tree, linkedTrees] = await Promise.all([
    readTree(registry, origin, origin.digest),
    mapConcurrently(tag !== undefined && check ? linked : [], (link) => readLinked(registry, link)),
  ]);
  const sealed = sealTree(tree, links, prefix);
  const url = placeOf(origin, tag?.tag);
  const built = { ...origin, digest: sealed.seal.sealedFrom };
  const said = linkedTrees.map((tree) => findEmbeddings(tree, built.digest, prefix));
  checkPlaces(said.flat(), built);
  await pushParts(sealing, sealed);
  if (linkedTrees.length > 0 && statement !== false) {
    const { publishStatement } = await import('./statement/publish.ts');
    const embedded = { url, tree: sealed, said };
    await publishStatement(registry, [embedded, linked, linkedTrees, prefix], statement.pipelineRun);
  }
  await registry.putManifest(origin, tag?.tag ?? sealed.manifest.digest, sealed.manifest);
  return { url, digest: sealed.manifest.digest, origin: sealed.seal.sealedFrom, links };
}

/** What is pointed to goes first: configs, then the images of an index. What the reference names is not pushed here. */
async function pushParts({ registry, origin, upload }: Sealing, tree: SealedTree): Promise<void> {
  await mapConcurrently(tree.images, async ({ config, manifest }, index) => {
    const { digest } = readImageManifest(manifest.bytes, manifest.mediaType).config;
    await (index === 0 ? upload.finish(config, digest) : registry.putBlob(origin, config, { digest }));
    if (isIndex(tree.manifest.mediaType)) await registry.putManifest(origin, manifest.digest, manifest);
  });
}
