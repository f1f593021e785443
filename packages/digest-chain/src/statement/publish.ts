import { failedPart } from '../attach.ts';
import type { Digest } from '../digest.ts';
import type { ImageFacts } from '../image-facts.ts';
import type { LabelNames } from '../label-names.ts';
import type { EmbeddingTree } from '../linked-image.ts';
import { factsOf } from '../read-image.ts';
import { parseReference, placeOf } from '../reference.ts';
import type { Registry } from '../registry/registry.ts';
import { builtAs, type ImageTree } from '../seal/tree.ts';
import { attachStatement, type StatementSubject } from './artifact.ts';
import { type Chain, COMMIT, GIT_URL, type Source } from './chain.ts';

/** An image as it is about to be published. */
export interface PublishedImage {
  /** `repo:tag`, or `repo`. */
  readonly url: string;
  readonly tree: ImageTree;
  /** Whether its origin is in the same repository. */
  readonly originIsThere: boolean;
}

/** Attaches the statement about an image and the images that embed it, as they are published, to all of them. */
export function publishStatement(
  registry: Registry,
  chain: {
    readonly embedded: PublishedImage;
    readonly linked: readonly EmbeddingTree[];
    readonly names: LabelNames;
    /** The name of the pipeline run that built them. */
    readonly pipelineRun: string | undefined;
    /** How to do without it, for the message of a registry's refusal; undefined where nothing does. */
    readonly leaveOut: string | undefined;
  },
): Promise<readonly Digest[]> {
  const { embedded, linked, names, pipelineRun, leaveOut } = chain;
  // What the embedding images call it is its role, where that is not taken.
  const taken = new Set(linked.map(({ role }) => role));
  const called = linked.flatMap(({ embeddings }) => embeddings.map(({ role }) => role));
  const role = [...called, 'primary', 'embedded'].find((name) => !taken.has(name)) ?? 'image';
  const images = [
    { role, ...embedded },
    ...linked.map(({ role, image, tree }) => ({ role, url: placeOf(image, image.tag), tree, originIsThere: true })),
  ].map((image) => ({ ...image, origin: builtAs(image.tree, names) }));
  const named: Chain = {
    images: images.map(({ role, url, tree, origin }) => {
      return { role, url, digest: tree.manifest.digest, origin: origin.manifest.digest };
    }),
    embeds: linked.map((image) => ({ image: image.role, embedded: role })),
    // Said by the first that says it well.
    source: images.map(({ origin }) => sourceOf(factsOf(origin))).find((found) => found !== undefined),
    pipelineRun,
  };
  return attachStatement(registry, named, images.flatMap(subjectsOf)).catch((error) => {
    throw failedPart(error, 'the chain statement could not be attached', leaveOut);
  });
}

/** What the statement is attached to: an image as it is published, and as it was built. */
function subjectsOf({
  url,
  tree,
  origin,
  originIsThere,
}: PublishedImage & { readonly origin: ImageTree }): readonly StatementSubject[] {
  const repository = parseReference(url);
  const same = tree.manifest.digest === origin.manifest.digest;
  const trees = same || !originIsThere ? [tree] : [tree, origin];
  return trees.map(({ manifest }) => ({ repository, manifest }));
}

/** Labels are free text: what is no commit or no url is left out, it must not keep an image from being published. */
function sourceOf([facts]: readonly ImageFacts[]): Source | undefined {
  const commit = facts?.revision;
  if (facts === undefined || commit === undefined || !COMMIT.test(commit)) return undefined;
  const url = facts.labels.get('org.opencontainers.image.source') || facts.labels.get('vcs-url') || '';
  return { url: GIT_URL.test(url) ? url : undefined, commit };
}
