import { isCommit } from '../../../kit/src/git-commit.ts';
import { failedPart } from '../attach.ts';
import type { Digest } from '../digest.ts';
import { type ImageFacts, readImageFacts } from '../image-facts.ts';
import type { LabelNames } from '../label-names.ts';
import type { EmbeddingTree, LinkedTree } from '../linked-image.ts';
import { parseReference, placeOf } from '../reference.ts';
import type { Registry } from '../registry/registry.ts';
import { builtAs, type ImageTree } from '../seal/tree.ts';
import { attachStatement, type StatementSubject } from './artifact.ts';
import { type Chain, type Embeds, GIT_URL, type Source } from './chain.ts';

/** An image as it is about to be published. */
export interface PublishedImage {
  /** `repo:tag`, or `repo`. */
  readonly url: string;
  readonly tree: ImageTree;
  /** Whether its origin is in the same repository. */
  readonly originIsThere: boolean;
}

/** An image of a chain that is about to be published, and its part in it. */
export interface ChainMember extends PublishedImage {
  readonly role: string;
  /** Built elsewhere; then its tree is its manifest alone. */
  readonly external?: boolean | undefined;
}

/** Attaches the statement about a chain, as it is published, to each of its images. */
export function publishStatement(
  registry: Registry,
  chain: {
    readonly images: readonly ChainMember[];
    readonly embeds: readonly Embeds[];
    readonly names: LabelNames;
    /** The name of the pipeline run that built them. */
    readonly pipelineRun: string | undefined;
    /** How to do without it, for the message of a registry's refusal; undefined where nothing does. */
    readonly leaveOut: string | undefined;
  },
): Promise<readonly Digest[]> {
  const { names, embeds, pipelineRun, leaveOut } = chain;
  // What was built elsewhere is embedded as it is, whoever sealed it.
  const images = chain.images.map((image) => ({
    ...image,
    origin: image.external ? image.tree : builtAs(image.tree, names),
  }));
  const named: Chain = {
    images: images.map(({ role, url, tree, origin, external }) => {
      return { role, url, digest: tree.manifest.digest, origin: origin.manifest.digest, external };
    }),
    embeds,
    // Said by the first that says it well.
    source: images
      .map(({ origin }) => sourceOf(origin.images.map(({ config }) => readImageFacts(config))))
      .find((found) => found !== undefined),
    pipelineRun,
  };
  return attachStatement(registry, named, images.flatMap(subjectsOf)).catch((error) => {
    throw failedPart(error, 'the chain statement could not be attached', leaveOut);
  });
}

/** A chain of one image and those that embed it, by what these call it, where that is not taken. */
export function starOf(
  embedded: PublishedImage,
  linked: readonly EmbeddingTree[],
): { readonly images: readonly ChainMember[]; readonly embeds: readonly Embeds[] } {
  const role = roleOf(
    linked,
    linked.map((image) => image.role),
  );
  return {
    images: [{ role, ...embedded }, ...linked.map(memberOf)],
    embeds: linked.map((image) => ({ image: image.role, embedded: role })),
  };
}

/** What images call the one that they embed, unless one of them has that role itself. */
export function roleOf(embedding: readonly Pick<EmbeddingTree, 'embeddings'>[], roles: readonly string[] = []): string {
  const called = embedding.flatMap(({ embeddings }) => embeddings.map(({ role }) => role));
  return [...called, 'primary', 'embedded'].find((name) => !roles.includes(name)) ?? 'image';
}

/** A linked image as it is in its repository. */
export function memberOf({ role, image, tree }: LinkedTree): ChainMember {
  return { role, url: placeOf(image, image.tag), tree, originIsThere: true };
}

/** What the statement is attached to: an image as it is published, and as it was built. */
function subjectsOf({
  url,
  tree,
  origin,
  originIsThere,
  external,
}: ChainMember & { readonly origin: ImageTree }): readonly StatementSubject[] {
  if (external) return [];
  const repository = parseReference(url);
  const same = tree.manifest.digest === origin.manifest.digest;
  const trees = same || !originIsThere ? [tree] : [tree, origin];
  return trees.map(({ manifest }) => ({ repository, manifest }));
}

/** What an image says that it was built from. Labels are free text: what is no commit or no url is left out. */
export function sourceOf([facts]: readonly ImageFacts[]): Source | undefined {
  const commit = facts?.revision;
  if (facts === undefined || commit === undefined || !isCommit(commit)) return undefined;
  const url = facts.labels.get('org.opencontainers.image.source') || facts.labels.get('vcs-url') || '';
  return { url: GIT_URL.test(url) ? url : undefined, commit };
}
