import { mapConcurrently } from '../../kit/src/concurrent.ts';
import type { Digest } from './digest.ts';
import { embeddedImages } from './embedding.ts';
import { DigestChainError } from './errors.ts';
import { readImageFacts } from './image-facts.ts';
import { LabelNames } from './label-names.ts';
import { checkTag, embeddingsOf, type LinkedImage, type LinkedTree, linksTo, readLinked } from './linked-image.ts';
import { type ReadTree, readTree } from './read-image.ts';
import { type DigestReference, placeOf, type TagReference } from './reference.ts';
import type { CallOptions, Registry } from './registry/registry.ts';
import { withSignal } from './registry/with-call-options.ts';
import { manifestOf } from './resolve.ts';
import type { Link } from './seal/config.ts';
import { builtAs } from './seal/tree.ts';
import type { StatementOptions } from './seal.ts';
import { connectedWith, type Embeds } from './statement/chain.ts';
import { type ChainMember, memberOf, publishStatement, roleOf } from './statement/publish.ts';

export interface LinkOptions extends CallOptions {
  /** Where the image is published, in its own repository; written last. Without it no tag is written. */
  readonly tag?: TagReference | undefined;
  readonly prefix?: string | undefined;
  /** Images that were built elsewhere, and that some of the others embed. */
  readonly external?: readonly LinkedImage[] | undefined;
  readonly statement?: StatementOptions | undefined;
}

export interface LinkResult {
  /** The image: `repo:tag`, or `repo` where no tag was asked for. */
  readonly url: string;
  /** Unchanged: what the linked images embed. */
  readonly digest: Digest;
  /** To the linked images, and those that were built elsewhere. */
  readonly links: readonly Link[];
  /** The digests of the artifacts that attach the chain statement. */
  readonly artifacts: readonly Digest[];
}

/**
 * Links the images of a chain without changing a byte of them: the link is the chain statement, which is attached to each.
 * Every linked image has to embed the image, or to be connected with it by others that are given: what embeds what is read
 * from them. Images that were built elsewhere are named beside them, and stay without an attachment; where one is given with
 * a tag, that has to name it still. All are checked first, and the tag is written last. Throws `LINK_MISSING`,
 * `LINK_MISMATCH`, `LINK_INVALID`, `TAG_MOVED` about linked images.
 */
export async function link(
  client: Registry,
  image: DigestReference,
  linked: readonly LinkedImage[],
  { tag, prefix, external = [], statement, signal }: LinkOptions = {},
): Promise<LinkResult> {
  const names = new LabelNames(prefix);
  const links = linksTo([...linked, ...external]);
  checkTag(image, tag);
  const registry = withSignal(client, signal);
  const [tree, trees, elsewhere] = await Promise.all([
    readTree(registry, image, image.digest),
    mapConcurrently(linked, (each) => readLinked(registry, each)),
    mapConcurrently(external, async (each) => {
      return { ...each, tree: { manifest: await manifestOf(registry, each), images: [] } };
    }),
  ]);
  const url = placeOf(image, tag?.tag ?? image.tag);
  const artifacts = await publishStatement(registry, {
    ...chainOf({ image, tree, url }, trees, elsewhere, names),
    names,
    pipelineRun: statement?.pipelineRun,
    leaveOut: 'seal the image instead: labels need no statement',
  });
  if (tag !== undefined) await registry.putManifest(image, tag.tag, tree.manifest);
  return { url, digest: image.digest, links, artifacts };
}

/** The chain of images, the first of which is not given a role, by what each says that it was built with. */
function chainOf(
  first: { readonly image: DigestReference; readonly tree: ReadTree; readonly url: string },
  linked: readonly LinkedTree[],
  elsewhere: readonly LinkedTree[],
  names: LabelNames,
): { readonly images: readonly ChainMember[]; readonly embeds: readonly Embeds[] } {
  const built = [{ ...first, role: undefined }, ...linked].map((each) => {
    return { ...each, origin: builtAs(each.tree, names), external: false };
  });
  const all = [...built, ...elsewhere.map((each) => ({ ...each, origin: each.tree, external: true }))];
  const edges = built.flatMap((each) => {
    // Of a sealed image what it embeds, not what its seal links to.
    const [image] = each.origin.images;
    const facts = image && readImageFacts(image.config);
    const named = new Set(facts === undefined ? [] : embeddedImages(facts, names).map(({ digest }) => digest));
    return all.flatMap((other) => {
      const { digest } = other.origin.manifest;
      if (!named.has(digest)) return [];
      const embedding = { ...each, embeddings: embeddingsOf(each.tree, { ...other.image, digest }, names) };
      if (other.external && embedding.embeddings.some((each) => each.role !== other.role)) return [];
      return [{ image: each.role, embedded: other.role, embedding }];
    });
  });
  const role = roleOf(
    edges.filter(({ embedded }) => embedded === undefined).map(({ embedding }) => embedding),
    [...linked, ...elsewhere].map((each) => each.role),
  );
  const embeds = edges.map(({ image = role, embedded = role }) => ({ image, embedded }));
  const connected = connectedWith(role, embeds);
  for (const apart of linked.filter((each) => !connected.has(each.role))) {
    // Throws: it was built with another image than those that are given.
    embeddingsOf(apart.tree, first.image, names);
  }
  const unused = elsewhere.find((each) => !connected.has(each.role));
  if (unused !== undefined) throw embeddedByNone(unused, names);
  return {
    images: [
      { role, ...first, originIsThere: true },
      ...linked.map(memberOf),
      ...elsewhere.map((each) => ({ ...memberOf(each), external: true })),
    ],
    embeds,
  };
}

function embeddedByNone({ role, image }: LinkedTree, names: LabelNames): DigestChainError {
  return new DigestChainError('LINK_MISMATCH', `no image was built with the external image (${role})`, {
    expected: `a label ${names.digestOf(role)} = ${image.digest} on one of the images`,
    found: 'no such label',
    hint: 'let the build that uses it keep <NAME>_DIGEST and <NAME>_URL, or leave it out of the chain',
  });
}
