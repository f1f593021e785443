import { embeddedImages, type Link, unseal } from '@multi-image/digest-chain';
import {
  type Digest,
  type ImageFacts,
  type LabelNames,
  type Registry,
  type Repository,
  readImage,
  readImageFacts,
} from '@multi-image/digest-chain/oci';

/** What an image says of its chain by its own bytes. */
export interface BuiltImage {
  /** What others embed: the digest before it was sealed, or its own. */
  readonly origin: Digest;
  /** By the labels of its seal: the images that embed it. */
  readonly links: readonly Link[];
  /** By the labels of its build: the images that it embeds, as they were built, with what it calls them and their place. */
  readonly embeds: readonly { readonly role: string; readonly digest: string; readonly url: string | undefined }[];
}

/** Reads an image by its digest. What can't be read says nothing: the proof has what was wrong with it. */
export async function readBuilt(
  registry: Registry,
  { registry: host, repository }: Repository,
  digest: Digest,
  names: LabelNames,
): Promise<BuiltImage> {
  const image = { registry: host, repository, digest };
  try {
    const { origin, seal } = await unseal(registry, image, { prefix: names.prefix });
    const facts = origin.images.map(({ config }) => readImageFacts(config));
    return { origin: origin.manifest.digest, links: seal.links, embeds: embedsOf(facts, names) };
  } catch {
    // Not sealed, or its seal does not lead back: then it is what it is.
  }
  const { images } = await readImage(registry, image).catch(() => ({ images: [] }));
  return { origin: digest, links: [], embeds: embedsOf(images, names) };
}

/** What all images of an index say alike. */
function embedsOf([first, ...others]: readonly ImageFacts[], names: LabelNames): BuiltImage['embeds'] {
  const all = first === undefined ? [] : embeddedImages(first, names);
  return all.filter(({ role, digest }) => others.every(({ labels }) => labels.get(names.digestOf(role)) === digest));
}
