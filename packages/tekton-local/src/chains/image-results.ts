import {
  type Digest,
  digestAlgorithm,
  formatReference,
  isDigest,
  parseReference,
  type Repository,
} from '@multi-image/digest-chain/oci';
import type { ParamValue } from '../plan/model.ts';

/** An image that a run says it made. */
export interface ImageResult extends Repository {
  readonly digest: Digest;
}

/**
 * The images in the results of these, each once, by Tekton Chains' type hints: pairs `…IMAGE_URL` and `…IMAGE_DIGEST` of
 * one prefix, `IMAGES` (a list of references with digest), and objects `…ARTIFACT_OUTPUTS` with `uri` and `digest`.
 */
export function imagesInResults(
  owners: readonly { readonly results: Readonly<Record<string, ParamValue>> }[],
): ImageResult[] {
  const images = owners.flatMap(({ results }) =>
    Object.entries(results).flatMap(([name, value]) => {
      if (name.endsWith('IMAGE_URL') && typeof value === 'string') {
        const digest = results[`${name.slice(0, -'URL'.length)}DIGEST`];
        return typeof digest === 'string' ? imageOf(value, digest) : [];
      }
      if (name === 'IMAGES' && typeof value === 'string') {
        return value.split(/[,\n]/).flatMap((item) => imageOf(item, item.split('@')[1] ?? ''));
      }
      const isOutput = name.endsWith('ARTIFACT_OUTPUTS') && typeof value === 'object' && !Array.isArray(value);
      return isOutput ? imageOf(value.uri ?? '', value.digest ?? '') : [];
    }),
  );
  return [...new Map(images.map((image) => [formatReference(image), image])).values()];
}

/** None where this does not name an image: Chains leaves it out as well. */
function imageOf(url: string, text: string): ImageResult[] {
  const digest = text.trim();
  const name = (url.trim().split('@')[0] ?? '').replace(/^oci:\/\//, '');
  // A tag that names a signed digest has no place for a SHA-512.
  if (!isDigest(digest) || digestAlgorithm(digest) !== 'sha256') return [];
  try {
    const { registry, repository } = parseReference(name);
    // A name without its registry means something else on every machine.
    return name.toLowerCase().startsWith(`${registry}/`) ? [{ registry, repository, digest }] : [];
  } catch {
    return [];
  }
}
