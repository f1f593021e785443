import { parseReference } from '@multi-image/digest-chain/oci';
import type { StepShown } from '../run/step-run.ts';

/** What a step ran in, as provenance names it: a URI, and a digest where one is known. */
export interface StepImage {
  readonly uri: string;
  readonly sha256: string | undefined;
}

/**
 * Names what steps ran in: an image of a registry by repository and digest, without a tag, as Tekton Chains does. Where this
 * machine's image or program ran in its place, that has a name that no cluster uses, and the digest of what ran.
 */
export class StepImages {
  readonly #digestOf: (image: string) => Promise<string | undefined>;
  readonly #known = new Map<string, Promise<string | undefined>>();

  /** @param digestOf The digest of an image on this machine, of those that are called by a tag. */
  constructor(digestOf: (image: string) => Promise<string | undefined>) {
    this.#digestOf = digestOf;
  }

  async of({ image, ranIn }: StepShown): Promise<StepImage> {
    const { name, digest } = parts(image);
    if (ranIn === undefined) return { uri: `urn:tekton-local:program-in-place-of:${name}`, sha256: undefined };
    const isOwn = ranIn === image;
    const sha256 = ((isOwn ? digest : parts(ranIn).digest) ?? (await this.#find(ranIn)))?.replace('sha256:', '');
    return { uri: isOwn ? `oci://${name}` : `urn:tekton-local:image-in-place-of:${name}`, sha256 };
  }

  #find(image: string): Promise<string | undefined> {
    const known = this.#known.get(image) ?? this.#digestOf(image).catch(() => undefined);
    this.#known.set(image, known);
    return known;
  }
}

/** The whole name of an image's repository, and its digest. */
function parts(image: string): { readonly name: string; readonly digest: string | undefined } {
  try {
    const { registry, repository, digest } = parseReference(image);
    return { name: `${registry}/${repository}`, digest };
  } catch {
    return { name: image, digest: undefined };
  }
}
