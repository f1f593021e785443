import { mapConcurrently } from '../../kit/src/concurrent.ts';
import { type CarryResult, carryAttachments, copyContent } from './carry/carry.ts';
import type { Digest } from './digest.ts';
import { LabelNames } from './label-names.ts';
import { checkTag, embeddingsOf, type LinkedImage, linksTo, readLinked } from './linked-image.ts';
import { isIndex } from './media-types.ts';
import { namingImage, readTree } from './read-image.ts';
import { type DigestReference, isSameRepository, placeOf, type TagReference } from './reference.ts';
import type { CallOptions, Registry, Repository, Upload } from './registry/registry.ts';
import { withSignal } from './registry/with-call-options.ts';
import type { Link } from './seal/config.ts';
import { readImageManifest } from './seal/manifest.ts';
import { type SealedTree, sealTree } from './seal/tree.ts';
import { onSide } from './side.ts';
import { publishStatement, starOf } from './statement/publish.ts';

export interface SealOptions extends CallOptions {
  /** Where the sealed image is published; without it the image is pushed by digest only. */
  readonly tag?: TagReference | undefined;
  /** The repository that the sealed image is pushed to: the tag's, else the origin's. */
  readonly to?: Repository | undefined;
  readonly prefix?: string | undefined;
  /** Whether the linked images are checked before the tag is written; true by default. */
  readonly check?: boolean | undefined;
  /** What the chain statement says beside the images; `false` for none. It is attached before the tag is written. */
  readonly statement?: StatementOptions | false | undefined;
  /**
   * Whether SBOMs that are attached to the origin are attached to the sealed image as well; by default where it is
   * published under a tag after its links were checked. What can't be carried by default is noted; where this is `true`, it
   * is an error.
   */
  readonly carry?: boolean | undefined;
}

export interface StatementOptions {
  /** The name of the pipeline run that built the images. */
  readonly pipelineRun?: string | undefined;
}

export interface SealResult {
  /** The sealed image: `repo:tag`, or `repo` where no tag was asked for. */
  readonly url: string;
  readonly digest: Digest;
  /** The digests of the images of a sealed index, which are in the same repository; empty where it is no index. */
  readonly images: readonly Digest[];
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
 *
 * ```ts
 * const linked = [{ role: 'metadata', image: parseDigestReference('quay.io/org/image2:v1@sha256:…') }];
 * const tag = parseTagReference('quay.io/org/image1:v1');
 * await seal(createRegistry(), parseDigestReference('quay.io/org/image1@sha256:…'), linked, { tag });
 * ```
 */
export async function seal(
  client: Registry,
  origin: DigestReference,
  linked: readonly LinkedImage[],
  options: SealOptions = {},
): Promise<SealResult> {
  const { tag, check = true, statement = {}, carry = tag !== undefined && check } = options;
  const names = new LabelNames(options.prefix);
  const links = linksTo(linked);
  const { registry: host, repository } = options.to ?? tag ?? origin;
  const to = { registry: host, repository };
  checkTag(to, tag);
  const registry = withSignal(client, options.signal);
  // Opened while the origin is read: so four round trips in a row are enough.
  const upload = registry.startUpload(to);
  try {
    const [tree, trees] = await Promise.all([
      onSide('seal', 'source', () => readTree(registry, origin, origin.digest)),
      mapConcurrently(tag !== undefined && check ? linked : [], (each) => readLinked(registry, each)),
    ]);
    const sealed = await namingImage(origin, origin.digest, () => sealTree(tree, links, names));
    const { digest } = sealed.manifest;
    const url = placeOf(to, tag?.tag);
    const built = { ...origin, digest: sealed.seal.sealedFrom };
    const embedding = trees.map((each) => ({ ...each, embeddings: embeddingsOf(each.tree, built, names) }));
    if (!isSameRepository(origin, to)) await copyContent(registry, origin, to, tree);
    const [attachments] = await Promise.all([
      carry ? carryAttachments(registry, { given: tree, from: origin }, { sealed, to }, options) : undefined,
      onSide('seal', 'destination', () => pushParts(registry, to, sealed, upload)),
    ]);
    if (embedding.length > 0 && statement !== false) {
      const embedded = { url, tree: sealed, originIsThere: isSameRepository(origin, to) };
      await publishStatement(registry, {
        ...starOf(embedded, embedding),
        names,
        pipelineRun: statement.pipelineRun,
        leaveOut: 'leave it out (--no-statement): the labels link the images without it',
      });
    }
    await onSide('seal', 'destination', () => registry.putManifest(to, tag?.tag ?? digest, sealed.manifest));
    return { url, digest, images: platformDigests(sealed), origin: sealed.seal.sealedFrom, links, attachments };
  } catch (error) {
    // Nobody waits for it: what matters is why there is nothing to upload.
    void upload.cancel();
    throw error;
  }
}

function platformDigests({ manifest, images }: SealedTree): readonly Digest[] {
  return isIndex(manifest.mediaType) ? images.map((image) => image.manifest.digest) : [];
}

/** What is pointed to goes first: configs, then the images of an index. What the reference names is not pushed here. */
async function pushParts(registry: Registry, to: Repository, tree: SealedTree, upload: Upload): Promise<void> {
  await mapConcurrently(tree.images, async ({ config, manifest }, index) => {
    const { digest } = readImageManifest(manifest.bytes, manifest.mediaType).config;
    await (index === 0 ? upload.finish(config, digest) : registry.putBlob(to, config, { digest }));
    if (isIndex(tree.manifest.mediaType)) await registry.putManifest(to, manifest.digest, manifest);
  });
}
