import type { Embedding } from '../embedding.ts';
import type { ImageFacts } from '../image-facts.ts';
import { type LinkedImage, placeOf } from '../linked-image.ts';
import { factsOf } from '../read-image.ts';
import { parseReference } from '../reference.ts';
import { builtAs, type ImageTree } from '../seal/tree.ts';
import type { StatementSubject } from './attach.ts';
import { type Chain, type ChainImage, COMMIT, GIT_URL, type Source } from './chain.ts';

/** An image of a chain as its publisher knows it. */
export interface PublishedImage {
  readonly role: string;
  /** `repo:tag`, or `repo`. */
  readonly url: string;
  readonly published: ImageTree;
  readonly origin: ImageTree;
  /** The roles of the images that it embeds. */
  readonly embeds: readonly string[];
  /** Whether the origin is in the same repository. */
  readonly originIsThere: boolean;
}

/**
 * An image and the images that embed it, as they are about to be published. What the embedding images call it is its
 * role, where that is not taken.
 */
export function publishedImages(
  embedded: Pick<PublishedImage, 'url' | 'originIsThere'> & {
    readonly tree: ImageTree;
    readonly said: readonly (readonly Embedding[])[];
  },
  linked: readonly LinkedImage[],
  trees: readonly ImageTree[],
  prefix: string,
): readonly PublishedImage[] {
  const taken = new Set(linked.map((link) => link.role));
  const names = [...embedded.said.flat().map((embedding) => embedding.role), 'primary', 'embedded'];
  const role = names.find((name) => !taken.has(name)) ?? 'image';
  return [
    {
      role,
      url: embedded.url,
      published: embedded.tree,
      origin: builtAs(embedded.tree, prefix),
      embeds: [],
      originIsThere: embedded.originIsThere,
    },
    ...trees.flatMap((published, index): PublishedImage[] => {
      const link = linked[index];
      if (link === undefined) return [];
      const url = placeOf(link.image, link.image.tag);
      return [
        { role: link.role, url, published, origin: builtAs(published, prefix), embeds: [role], originIsThere: true },
      ];
    }),
  ];
}

/** The chain that these images make. What they were built from is said by the first that says it well. */
export function chainOf(images: readonly PublishedImage[], pipelineRun?: string): Chain {
  const source = images.map(({ origin }) => sourceOf(factsOf(origin))).find((found) => found !== undefined);
  return {
    images: images.map(
      ({ role, url, published, origin }): ChainImage => ({
        role,
        url,
        digest: published.manifest.digest,
        origin: origin.manifest.digest,
      }),
    ),
    embeds: images.flatMap(({ role, embeds }) => embeds.map((embedded) => ({ image: role, embedded }))),
    ...(source === undefined ? {} : { source }),
    ...(pipelineRun === undefined ? {} : { pipelineRun }),
  };
}

/** What the statement is attached to: each image as it is published and as it was built. */
export function subjectsOf(images: readonly PublishedImage[]): readonly StatementSubject[] {
  return images.flatMap(({ url, published, origin, originIsThere }) => {
    const { registry, repository } = parseReference(url);
    const same = published.manifest.digest === origin.manifest.digest;
    const trees = same || !originIsThere ? [published] : [published, origin];
    return trees.map(({ manifest }) => ({ repository: { registry, repository }, manifest }));
  });
}

/** Labels are free text: what is no commit or no url is left out, it must not keep an image from being published. */
function sourceOf([facts]: readonly ImageFacts[]): Source | undefined {
  const commit = facts?.revision;
  if (facts === undefined || commit === undefined || !COMMIT.test(commit)) return undefined;
  const url = facts.labels.get('org.opencontainers.image.source') || facts.labels.get('vcs-url') || '';
  return { ...(GIT_URL.test(url) ? { url } : {}), commit };
}
